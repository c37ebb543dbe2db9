import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { writeBox } from "./box.ts";
import { selfSigned } from "./certificate.ts";
import { blindbox, emptyDirectory } from "./command.ts";
import { closingServer, deadPort, plainServer, webServer } from "./peers.ts";

const digest = `sha256:${"0".repeat(64)}`;

/** A directory with the documents of a box and the root of a simulated TEE. */
async function workplace(): Promise<string> {
  const cwd = emptyDirectory();
  await writeBox(join(cwd, "hello.blindbox"));
  writeFileSync(join(cwd, "root.pem"), (await selfSigned()).cert);
  return cwd;
}

const box = ["--box", "hello.blindbox", "--simulated=root.pem"];

describe("blindbox verify", () => {
  test("a web server that is no box is refused, and is sent nothing but the attestation request", async () => {
    const cwd = await workplace();
    const { url, asked } = await webServer();
    const { code, stdout, stderr } = await blindbox(["verify", url, ...box], { cwd });
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    expect(stdout).toMatch(
      /^parse\n {2}failed {3}answer-media-type: .*\n {11}expected .*\n {11}got .*\n {11}hint: .*\n/,
    );
    expect(stdout).toContain(`\n${url}: refused (not-an-enclave)\n`);
    expect(asked).toEqual([{ method: "POST", url: "/.well-known/blindbox/attestation", authorization: undefined }]);
  });

  test("--json writes the whole result and the same exit code", async () => {
    const cwd = await workplace();
    const { url } = await webServer();
    const { code, stdout } = await blindbox(["verify", url, ...box, "--json"], { cwd });
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      url,
      accepted: false,
      error: "not-an-enclave",
      status: "contraindicated",
      tee: null,
      findings: [{ step: "parse", check: "answer-media-type", status: "failed" }],
    });
  });

  test("nothing at the address gives 4", async () => {
    const url = await deadPort();
    const { code, stdout, stderr } = await blindbox(["verify", url, ...box], { cwd: await workplace() });
    expect({ code, stdout }).toEqual({ code: 4, stdout: "" });
    expect(stderr).toMatch(
      /^error: https:\/\/127\.0\.0\.1:\d+: expected a box that answers, got nothing that listens there\nhint: .+\n$/,
    );
  });

  test("a server without TLS gives 4", async () => {
    const url = await plainServer();
    const { code, stderr } = await blindbox(["verify", url, ...box], { cwd: await workplace() });
    expect(code).toBe(4);
    expect(stderr).toMatch(
      /^error: .*: expected a box that answers, got something that speaks no TLS 1\.3\nhint: .+\n$/,
    );
  });

  test("a peer that closes instead of attesting gives 4, and no advice about requests that were sent", async () => {
    const { code, stderr } = await blindbox(["verify", await closingServer(), ...box], { cwd: await workplace() });
    expect(code).toBe(4);
    expect(stderr).toMatch(/got a connection that was closed without any Evidence\nhint: nothing was sent but .+\n$/);
  });

  test("a document of the wrong kind is told in one sentence", async () => {
    const manifest = ["--release", "hello.blindbox/blindbox.release.json", "--manifest"];
    const args = ["verify", "https://127.0.0.1:1", ...manifest, "hello.blindbox/blindbox.release.json"];
    const { code, stderr } = await blindbox(args, { cwd: await workplace() });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: .+: expected a resolved Manifest, got a release\nhint: .+\n$/);
  });

  test("without --simulated no box of this version can pass, and nothing is sent", async () => {
    const { url, asked } = await webServer();
    const { code, stdout } = await blindbox(["verify", url, "--box", "hello.blindbox"], { cwd: await workplace() });
    expect(code).toBe(1);
    expect(stdout).toContain("failed   tee-kind: ");
    expect(stdout).toContain(`${url}: refused (not-an-enclave)`);
    expect(asked).toEqual([]);
  });

  test("--simulated before the URL does not take the URL for its root", async () => {
    const url = await deadPort();
    const args = ["verify", "--simulated", url, "--box", "hello.blindbox"];
    const { code, stderr } = await blindbox(args, { cwd: await workplace(), env: { XDG_STATE_HOME: "/nowhere" } });
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^error: \/nowhere\/blindbox\/simulated\/root\.pem: expected the root certificate of a simulated TEE, got no such file.*\nhint: `blindbox run` makes/,
    );
  });

  test.each([
    [["--simulated=root.pem"], "error: what the box should run: expected --box DIR or --release FILE, got neither\n"],
    [
      ["--release", "hello.blindbox/blindbox.release.json", "--simulated=root.pem"],
      "error: the Manifest that the box must enforce: expected --manifest sha256:…, --manifest FILE or --box DIR, got none of them\n",
    ],
    [["--release", "root.pem", "--manifest", digest], "error: root.pem: "],
    [["--release", "hello.blindbox/manifest.json", "--manifest", digest], "error: hello.blindbox/manifest.json: "],
    [["--box", "nowhere"], "error: nowhere/blindbox.release.json: expected a release, got no such file or directory\n"],
    [
      ["--box", "hello.blindbox", "--manifest", "sha256:12"],
      'error: --manifest: expected "sha256:" and 64 lower-case hex digits, or a file, got "sha256:" and 2 other characters',
    ],
    [["--box", "hello.blindbox", "--simulated=hello.blindbox/manifest.json"], "expected one root certificate in PEM"],
  ])("%j is refused before anything is sent", async (flags, text) => {
    const { url, asked } = await webServer();
    const { code, stdout, stderr } = await blindbox(["verify", url, ...flags], { cwd: await workplace() });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(text);
    expect(stderr).toMatch(/\nhint: .+\n$/);
    expect(asked).toEqual([]);
  });

  test.each(["http://127.0.0.1", "127.0.0.1:8443", "https://user:secret@127.0.0.1", "nonsense", ""])(
    "the URL %j is refused, and not repeated",
    async (url) => {
      const { code, stderr } = await blindbox(["verify", url, ...box]);
      expect(code).toBe(2);
      expect(stderr).toMatch(/^error: the URL: expected an https URL, got .+\nhint: .+\n$/);
      expect(stderr).not.toContain("secret");
    },
  );
});
