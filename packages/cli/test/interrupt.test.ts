import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, test } from "vitest";

const source = (file: string): string => JSON.stringify(new URL(`../src/${file}`, import.meta.url).href);

/** Waits for an abort, cleans up for as long as it is told to, and reports what became of it. */
const program = `
import { interruptible } from ${source("interrupt.ts")};
import { reportFailure } from ${source("output/report.ts")};
const alive = setInterval(() => {}, 1000);
const work = (signal) => new Promise((_, reject) => {
  signal.addEventListener("abort", () => {
    console.log("cleaning");
    if (process.argv[1] !== "slowly") reject(signal.reason);
  });
  console.log("started");
});
await interruptible(work).catch((error) => reportFailure(process, error));
clearInterval(alive);
`;

interface Ending {
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

/** Starts the program, sends the first signal when it works and the second when it cleans up. */
async function interrupted(pace: "fast" | "slowly", signals: readonly NodeJS.Signals[]): Promise<Ending> {
  const flags = ["--conditions=blindbox-source", "--disable-warning=ExperimentalWarning", "--input-type=module"];
  const child = spawn(process.execPath, [...flags, "--eval", program, pace]);
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const next = [...signals];
  child.stdout.on("data", () => {
    const signal = next.shift();
    if (signal !== undefined) child.kill(signal);
  });
  const [, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  return { signal, stderr };
}

describe("an interrupted command", () => {
  test.each(["SIGINT", "SIGTERM"] as const)("cleans up and then ends by the same %s", async (signal) => {
    expect(await interrupted("fast", [signal])).toEqual({ signal, stderr: `interrupted by ${signal}\n` });
  });

  test("ends at once by a second signal", async () => {
    expect(await interrupted("slowly", ["SIGINT", "SIGTERM"])).toEqual({ signal: "SIGTERM", stderr: "" });
  });
});
