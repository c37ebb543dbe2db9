import { tmpdir } from "node:os";
import { once } from "node:events";
import { expect, test } from "vitest";
import { Processes } from "./processes.ts";

const place = { cwd: tmpdir() };

// Ends a while after it was asked, and says how often it was.
const slowToEnd = `
  let asked = 0;
  process.on("SIGTERM", () => { asked += 1; setTimeout(() => { console.log(asked); process.exit(0); }, 100); });
  setInterval(() => {}, 1000);
  console.log("up");
`;

test("a process that is to end is asked once, however many want it to", async () => {
  const interruption = new AbortController();
  const processes = new Processes(interruption.signal);
  const child = processes.start(process.execPath, ["-e", slowToEnd], place);
  let text = "";
  const up = new Promise<void>((resolve) => {
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      resolve();
    });
  });
  await up;
  const closed = once(child, "close");
  interruption.abort("SIGINT");
  await Promise.all([processes.end(child), processes.endAll(), closed]);
  expect(text).toBe("up\n1\n");
});

test("what a program started is ended with it", async () => {
  const interruption = new AbortController();
  const processes = new Processes(interruption.signal);
  const child = processes.start("sh", ["-c", "sleep 600 & echo $!; wait"], place);
  const pid = await new Promise<number>((resolve) => child.stdout?.once("data", (chunk) => resolve(Number(chunk))));
  const closed = once(child, "close");
  interruption.abort("SIGINT");
  // The pipe that both write to closes when both are gone.
  await closed;
  expect(child.signalCode).toBe("SIGTERM");
  expect(pid).toBeGreaterThan(1);
});

test("nothing starts after the interruption, and what ran is no longer awaited", async () => {
  const interruption = new AbortController();
  const processes = new Processes(interruption.signal);
  const running = processes.run("sleep", ["600"], place);
  interruption.abort("SIGINT");
  await expect(running).rejects.toBe("SIGINT");
  expect(() => processes.start("true", [], place)).toThrow("SIGINT");
});

test("a program that fails is told by its name and what it wrote, one that is not there by its name", async () => {
  const processes = new Processes(new AbortController().signal);
  await expect(processes.run("sh", ["-c", "echo why >&2; exit 3"], place)).rejects.toThrow("sh -c failed: why");
  await expect(processes.run("no-such-program", [], place)).rejects.toThrow("no-such-program");
});
