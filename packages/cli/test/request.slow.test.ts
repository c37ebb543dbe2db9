import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { attestedBox, echo } from "./attested-box.ts";
import { writeBox } from "./box.ts";
import { selfSigned } from "./certificate.ts";
import { blindbox, emptyDirectory } from "./command.ts";
import { deadPort, webServer } from "./peers.ts";

const key = `bb_${"k".repeat(43)}`;
const secret = "the patient has a history of high blood pressure";

async function workplace(): Promise<string> {
  const cwd = emptyDirectory();
  await writeBox(join(cwd, "hello.blindbox"));
  writeFileSync(join(cwd, "root.pem"), (await selfSigned()).cert);
  writeFileSync(join(cwd, "key.txt"), `${key}\n`);
  writeFileSync(join(cwd, "not-a-key.txt"), `${key}x\n`);
  return cwd;
}

const box = ["--box", "hello.blindbox", "--simulated=root.pem"];

describe("blindbox request", () => {
  test("sends neither key nor body to a server that is no box", async () => {
    const { url, asked } = await webServer();
    const args = ["request", "POST", `${url}/notes`, ...box, "--key-file", "key.txt", "--data", secret];
    const { code, stdout, stderr } = await blindbox(args, { cwd: await workplace() });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^error: the box was refused \(not-an-enclave\): answer-media-type: .*\nhint: .+\n$/);
    expect(asked).toEqual([{ method: "POST", url: "/.well-known/blindbox/attestation", authorization: undefined }]);
  });

  test("nothing at the address gives 4", async () => {
    const args = ["request", "GET", await deadPort(), ...box, "--anonymous"];
    const { code, stderr } = await blindbox(args, { cwd: await workplace() });
    expect(code).toBe(4);
    expect(stderr).toContain("expected a box that answers, got nothing that listens there");
  });

  test("without --simulated nothing is sent", async () => {
    const { url, asked } = await webServer();
    const args = ["request", "GET", url, "--box", "hello.blindbox", "--key-file", "key.txt"];
    const { code, stderr } = await blindbox(args, { cwd: await workplace() });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: the box was refused \(not-an-enclave\): tee-kind: .*\nhint: .*--simulated\n$/);
    expect(asked).toEqual([]);
  });

  test.each([
    [
      [],
      "error: who calls: expected one of --key-file FILE, --token-file FILE, --cert FILE, BLINDBOX_API_KEY in the environment, --anonymous, got none of them",
    ],
    [["--anonymous", "--key-file", "key.txt"], "got --anonymous and a credential"],
    [["--key-file", "not-a-key.txt"], "error: not-a-key.txt: expected an API key alone on one line"],
    [["--key-file", "missing.txt"], "error: missing.txt: expected a file with an API key, got no such file"],
    [["--anonymous", "-H", secret], "error: --header: expected name: value, got something else"],
    [["--anonymous", "-F", secret], "error: --form: expected name=value or name=@file"],
    [
      ["--anonymous", "-d", secret, "-F", "a=b"],
      "error: the body: expected one of --data, --data-binary, --form, got several",
    ],
    [["--anonymous", "-F", "f=@"], "error: --form: expected name=value or name=@file, got @ without a file"],
    [
      ["--anonymous", "-F", "f=@key.txt;type="],
      "error: --form: expected name=value or name=@file, got a type that is none",
    ],
    [["--anonymous", "-F", "f=@key.txt;type=a b/c"], "got a type that is none"],
    [
      ["--anonymous", "-H", "Content-Length: 3"],
      "error: --header: expected none that the client sets itself, got content-length",
    ],
    [["--anonymous", "-H", "content-type: text/plain", "-F", "a=b"], "got content-type with --form"],
    [
      ["--anonymous", "--data-binary", secret, "--data-binary", "b"],
      "error: --data-binary: expected one value, got several",
    ],
    [["--anonymous", "-o", "a", "--output", "b"], "error: --output: expected one value, got several"],
    [["--key-file", "key.txt", "--key-file", "key.txt"], "error: --key-file: expected one value, got several"],
    [["--key-file", "-", "-d", "@-"], "error: the standard input: expected to be read once, got several uses of it"],
    [["--anonymous", "-F", "a=@-", "-F", "b=@-"], "error: the standard input: expected to be read once"],
    [["--key-file", "."], "error: .: expected a file with an API key, got a directory"],
    [["--key-file", "/dev/zero"], "error: /dev/zero: expected a file with an API key, got more than 4194304 bytes"],
    [["--anonymous", "--data-binary", "@."], "error: .: expected a file to send, got a directory"],
    [["--anonymous", "--data-binary", `@${"n".repeat(300)}`], "got a name that is too long"],
    [["--anonymous", "--data-binary", "@missing"], "error: missing: expected a file to send, got no such file"],
  ])("%j is refused before anything is sent, and says nothing of the content", async (flags, text) => {
    const { url, asked } = await webServer();
    const { code, stdout, stderr } = await blindbox(["request", "POST", url, ...box, ...flags], {
      cwd: await workplace(),
    });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(text);
    expect(stderr).toMatch(/^error: .+\nhint: .+\n$/);
    expect(stderr).not.toContain(secret);
    expect(stderr).not.toContain("kkkk");
    expect(asked).toEqual([]);
  });

  test("a body with GET is refused before anything is sent", async () => {
    const { url, asked } = await webServer();
    const args = ["request", "GET", url, ...box, "--anonymous", "-d", secret];
    const { code, stderr } = await blindbox(args, { cwd: await workplace() });
    expect({ code, asked }).toEqual({ code: 2, asked: [] });
    expect(stderr).toBe("error: the body: expected none with GET, got one\nhint: POST, PUT and PATCH carry a body\n");
  });

  test.each(["/a/../b", "/a/%2e%2e/b", "/a/.%2E/b", "/./a", "/a/%2e", "/a\\..\\b", "/a\\b", "/a\tb", "/a\nb", "/a "])(
    "the path %j, which would be sent as another, is refused before anything is sent",
    async (path) => {
      const { url, asked } = await webServer();
      const args = ["request", "GET", `${url}${path}`, ...box, "--anonymous"];
      const { code, stderr } = await blindbox(args, { cwd: await workplace() });
      expect({ code, asked }).toEqual({ code: 2, asked: [] });
      expect(stderr).toBe(
        "error: the URL: expected a path that is sent as it is written, got one that would be sent as another\n" +
          "hint: write the path without `.` and `..` (also as `%2e`), backslashes and line breaks\n",
      );
    },
  );

  test.each([
    ["", "/"],
    ["?q=1", "/?q=1"],
    ["/a%2Fb/%41?q=../%2e#part", "/a%2Fb/%41?q=../%2e"],
    ["/it's/Z\u00fcrich?q=it's {here}", "/it's/Z%C3%BCrich?q=it%27s%20{here}"],
  ])("%j after the origin asks for %j", async (target, sent) => {
    const { url, flags, cwd } = await attestedBox(echo);
    const { stdout } = await blindbox(["request", "GET", `${url}${target}`, ...flags, "--anonymous"], { cwd });
    expect(JSON.parse(stdout)).toMatchObject({ url: sent });
  });

  test.each([
    ["the environment", { env: { BLINDBOX_API_KEY: `${key}x` } }, []],
    ["the standard input", { input: `${key}x\n` }, ["--key-file", "-"]],
  ])("a bad key from %s is told without being shown", async (_, options, flags) => {
    const args = ["request", "GET", "https://127.0.0.1:1", ...box, ...flags];
    const { code, stderr } = await blindbox(args, { cwd: await workplace(), ...options });
    expect(code).toBe(2);
    expect(stderr).toContain("expected an API key alone on one line: bb_ and 43 characters");
    expect(stderr).not.toContain("kkkk");
  });
});
