/** What `blindbox request` sends, and how much of it is ever in memory. */
import { spawnSync } from "node:child_process";
import { appendFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { attestedBox, count, echo, type Arrived, type AttestedBox } from "./attested-box.ts";
import { blindbox, commandLine, runProgram, type Run, type RunOptions } from "./command.ts";
import { webServer } from "./peers.ts";

/** No UTF-8, with what a reader of text would change: a byte order mark, line ends, a zero. */
const bytes = Uint8Array.of(0xef, 0xbb, 0xbf, 0xff, 0xfe, 0x00, 0x0d, 0x0a, 0x0a, 0xc3, 0x28, 0xed, 0xa0, 0x80);
const hex = Buffer.from(bytes).toString("hex");

function post(box: AttestedBox, flags: readonly string[], options: RunOptions = {}): Promise<Run> {
  const args = ["request", "POST", `${box.url}/notes`, ...box.flags, "--anonymous", ...flags];
  return blindbox(args, { cwd: box.cwd, ...options });
}

async function arrived(run: Promise<Run>): Promise<Arrived> {
  const { code, stdout, stderr } = await run;
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout) as Arrived;
}

describe("blindbox request sends", () => {
  test.each([
    ["--data-binary @-", ["--data-binary", "@-"], "application/octet-stream"],
    ["-d @-", ["-d", "@-"], "application/x-www-form-urlencoded"],
    ["--data-binary @FILE", ["--data-binary", "@body.bin"], "application/octet-stream"],
  ])("%s byte for byte, with its length", async (_, flags, type) => {
    const box = await attestedBox(echo);
    writeFileSync(join(box.cwd, "body.bin"), bytes);
    const sent = await arrived(post(box, flags, { input: bytes }));
    expect(sent).toEqual({ length: String(bytes.length), type, body: hex, url: "/notes" });
  });

  test.each([
    ["@-", ""],
    ["@-;type=audio/wav", "audio/wav"],
    ["@body.bin;type=audio/wav", "audio/wav"],
    ["@body.bin", ""],
  ])("-F f=%s byte for byte, with the type that is named", async (value, type) => {
    const box = await attestedBox(echo);
    writeFileSync(join(box.cwd, "body.bin"), bytes);
    const { body, length } = await arrived(post(box, ["-F", `f=${value}`], { input: bytes }));
    expect(length).toBe(String(body.length / 2));
    const typeLine = `Content-Type: ${type === "" ? "application/octet-stream" : type}\r\n\r\n`;
    expect(body).toContain(Buffer.from(typeLine).toString("hex") + hex + Buffer.from("\r\n--").toString("hex"));
  });

  test("an empty file, and a file that has content and no size", async () => {
    const box = await attestedBox(echo);
    writeFileSync(join(box.cwd, "empty"), "");
    expect(await arrived(post(box, ["--data-binary", "@empty"]))).toMatchObject({ length: "0", body: "" });
    expect((await arrived(post(box, ["--data-binary", "@/proc/self/status"]))).body).not.toBe("");
  });

  test("several -d as one form, joined with &, files and the standard input among them", async () => {
    const box = await attestedBox(echo);
    writeFileSync(join(box.cwd, "b"), "b=2");
    const { body, length } = await arrived(post(box, ["-d", "a=1", "-d", "@b", "-d", "@-"], { input: "c=3" }));
    expect([Buffer.from(body, "hex").toString(), length]).toEqual(["a=1&b=2&c=3", "11"]);
    expect(Buffer.from((await arrived(post(box, ["-d", "a", "-d", ""]))).body, "hex").toString()).toBe("a&");
  });

  test("a long standard input whole, as it comes", async () => {
    const box = await attestedBox(count);
    const { stdout } = await post(box, ["--data-binary", "@-"], { input: new Uint8Array(40_000_000) });
    expect(stdout).toBe("40000000\n");
  });

  test("no file that grows while it is sent", async () => {
    let grow = (): void => {};
    const box = await attestedBox((request) => void request.once("data", () => grow()).resume());
    const file = join(box.cwd, "log");
    writeFileSync(file, new Uint8Array(50_000_000));
    grow = () => appendFileSync(file, "one line more");
    const { code, stderr } = await post(box, ["--data-binary", "@log"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: the body: expected a file that stays as it is .+\nhint: .+\n$/);
  });
});

const megabyte = 2 ** 20;

/** Tells at its end, on stderr, the most memory that the process held (KiB), and how many bytes it read from anywhere. */
const measuring = `data:text/javascript,import{readFileSync}from"node:fs";process.on("exit",()=>{const io=readFileSync("/proc/self/io","utf8");console.error("measured",process.resourceUsage().maxRSS,/rchar: (\\d+)/.exec(io)[1])})`;

interface Measured extends Run {
  /** Bytes. */
  readonly memory: number;
  /** Bytes. */
  readonly read: number;
}

async function measured(args: readonly string[], cwd: string): Promise<Measured> {
  const run = await runProgram(process.execPath, ["--import", measuring, ...commandLine(args)], { cwd });
  const [, memory, read] = /measured (\d+) (\d+)/.exec(run.stderr) ?? [];
  return { ...run, memory: Number(memory) * 1024, read: Number(read) };
}

function sparseFile(cwd: string): number {
  const size = 400 * megabyte;
  writeFileSync(join(cwd, "big"), "");
  truncateSync(join(cwd, "big"), size);
  return size;
}

const noAccounting = spawnSync("cat", ["/proc/self/io"]).status !== 0;

describe.skipIf(noAccounting)("a large file (needs /proc/self/io)", () => {
  test.each([
    ["--data-binary", "@big"],
    ["-F", "f=@big"],
    ["-d", "@big"],
  ])("behind %s %s is sent whole and never held in memory", async (flag, value) => {
    const box = await attestedBox(count);
    const size = sparseFile(box.cwd);
    const args = ["request", "POST", box.url, ...box.flags, "--anonymous", flag, value];
    const { code, stdout, memory } = await measured(args, box.cwd);
    expect(code).toBe(0);
    expect(Number(stdout)).toBeGreaterThanOrEqual(size);
    expect(memory).toBeLessThan(300 * megabyte);
  });

  test("is not read where the box is refused", async () => {
    const box = await attestedBox(count);
    const { url, asked } = await webServer();
    const size = sparseFile(box.cwd);
    for (const flags of [
      ["--data-binary", "@big"],
      ["-F", "f=@big"],
    ]) {
      const { code, read } = await measured(["request", "POST", url, ...box.flags, "--anonymous", ...flags], box.cwd);
      expect(code).toBe(1);
      expect(read).toBeLessThan(size / 4);
    }
    expect(asked).toHaveLength(2);
  });
});
