/** What `blindbox request` makes of an answer. */
import { closeSync, linkSync, openSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import type { RequestListener } from "node:http";
import { join } from "node:path";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { attestedBox, type AttestedBox } from "./attested-box.ts";
import { blindbox, commandLine, type Run } from "./command.ts";

const key = `bb_${"k".repeat(43)}`;

/** An application that answers with one status and one body. */
const answering =
  (status: number, body: string | Uint8Array): RequestListener =>
  (request, response) => {
    request.resume();
    response.writeHead(status).end(body);
  };

function get({ url, flags, cwd }: AttestedBox, more: readonly string[]): Promise<Run> {
  return blindbox(["request", "GET", url, ...flags, "--anonymous", ...more], { cwd });
}

describe("an answer with a status of 400 or more", () => {
  test.each([
    [[], 0],
    [["--fail"], 6],
    [["-f"], 6],
  ])("with %j gives the exit code %i, its body, and a note", async (flags, code) => {
    const box = await attestedBox(answering(422, "no such language\n"));
    const note = "note: the answer has status 422\n";
    expect(await get(box, flags)).toEqual({ code, stdout: "no such language\n", stderr: note });
  });

  test("is the only one that --fail is about", async () => {
    const box = await attestedBox(answering(399, "odd"));
    expect(await get(box, ["--fail"])).toEqual({ code: 0, stdout: "odd", stderr: "" });
  });

  test.each(["no final line end", "a final line end\n", ""])(
    "is noted on a line of its own where both streams come out at one place: %j",
    async (body) => {
      const box = await attestedBox(answering(404, body));
      const file = openSync(join(box.cwd, "both"), "a");
      const args = commandLine(["request", "GET", box.url, ...box.flags, "--anonymous"]);
      await once(spawn(process.execPath, args, { cwd: box.cwd, stdio: ["ignore", file, file] }), "close");
      closeSync(file);
      const lines = readFileSync(join(box.cwd, "both"), "utf8").split("\n");
      expect(lines).toEqual([...body.split("\n").filter(Boolean), "note: the answer has status 404", ""]);
    },
  );
});

describe("-o", () => {
  test.each([
    ["a directory", ".", "a directory"],
    ["a place in no directory", "missing/answer", "no such file or directory"],
    ["a name that is too long", "n".repeat(300), "a name that is too long"],
    ["a path through a file", "release.json/x", "a path through something that is no directory"],
  ])("into %s is refused before anything is sent", async (_, file, actual) => {
    let asked = 0;
    const box = await attestedBox((_request, response) => void response.end(String((asked += 1))));
    const { code, stdout, stderr } = await get(box, ["-o", file]);
    expect({ code, stdout, asked }).toEqual({ code: 2, stdout: "", asked: 0 });
    expect(stderr).toMatch(/^error: .+: expected a file to write the answer to, got .+\nhint: .+\n$/);
    expect(stderr).toContain(`error: ${file}: `);
    expect(stderr).toContain(`got ${actual}\n`);
  });

  test("onto a full disk is told in one line", async () => {
    const box = await attestedBox(answering(200, "hello"));
    const { code, stdout, stderr } = await get(box, ["-o", "/dev/full"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^error: \/dev\/full: expected .+, got a full disk\nhint: .+\n$/);
  });

  test.each(["key.txt", "link.txt", "hard.txt", "././key.txt"])(
    "%s, which is the key file, is refused and left as it is",
    async (output) => {
      const box = await attestedBox(answering(200, "hello"));
      const file = join(box.cwd, "key.txt");
      writeFileSync(file, key);
      symlinkSync("key.txt", join(box.cwd, "link.txt"));
      linkSync(file, join(box.cwd, "hard.txt"));
      const args = ["request", "GET", box.url, ...box.flags, "--key-file", "key.txt", "-o", output];
      const { code, stderr } = await blindbox(args, { cwd: box.cwd });
      expect(code).toBe(2);
      expect(stderr).toMatch(/^error: .+, got one that this very request reads, .+\nhint: name another file\n$/);
      expect(readFileSync(file, "utf8")).toBe(key);
    },
  );

  test("leaves an older answer alone where the box is refused", async () => {
    const box = await attestedBox(answering(200, "hello"));
    writeFileSync(join(box.cwd, "answer"), "older");
    const other = ["--manifest", `sha256:${"0".repeat(64)}`];
    const flags = box.flags.filter((flag, at) => flag !== "--manifest" && box.flags[at - 1] !== "--manifest");
    const { code } = await get({ ...box, flags: [...flags, ...other] }, ["-o", "answer"]);
    expect(code).toBe(1);
    expect(readFileSync(join(box.cwd, "answer"), "utf8")).toBe("older");
  });
});
