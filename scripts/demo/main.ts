/**
 * Makes what the play needs from outside (the image), and has it played in a network of its own where this machine allows
 * one. Exit code 0 only when every step went as it says. Leaves nothing behind, Ctrl-C or not.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { exitCodeOf, interruption } from "./ending.ts";
import { enterNetwork } from "./network.ts";
import { graceMs, Processes } from "./processes.ts";
import { openStage } from "./show.ts";
import { sourceImage, type Scene } from "./vendor.ts";

const play = fileURLToPath(new URL("play.ts", import.meta.url));

/** Resolves with the play's exit code, null when a signal ended it. */
async function perform(scene: Scene): Promise<number | null> {
  const image = await sourceImage(scene);
  const entered = await enterNetwork(scene);
  const where = entered === null ? "without-network" : "with-network";
  const [program, ...args] = [...(entered ?? []), process.execPath, play, scene.folder, image, where];
  const stdio = ["ignore", "inherit", "inherit"] as const;
  const child = scene.processes.start(program, args, { cwd: scene.folder, stdio });
  return new Promise((resolve, reject) => child.once("exit", resolve).once("error", reject));
}

/** The play says itself what went wrong in it. */
function sayHowItEnded(status: number | null, signal: AbortSignal, seconds: number): void {
  if (signal.aborted) {
    console.error(`\nstopped by ${String(signal.reason)}: what was started has ended, and its files are removed`);
    process.exitCode = exitCodeOf(signal);
  } else if (status !== 0) {
    process.exitCode = 1;
  } else {
    console.log(`\nAll as promised, in ${seconds} s. Nothing is left running.`);
    console.log("The simulated TEE protects nothing: whoever runs this machine could have read the recording.");
  }
}

const started = Date.now();
// The play has processes of its own to end.
const processes = new Processes(interruption(), 2 * graceMs);
const folder = mkdtempSync(join(tmpdir(), "blindbox-demo-"));
let status: number | null = null;
try {
  status = await perform({ stage: openStage(), processes, folder });
} catch (error) {
  if (!processes.signal.aborted) console.error(`\nerror: ${error instanceof Error ? error.message : String(error)}`);
}
await processes.endAll();
rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
sayHowItEnded(status, processes.signal, Math.round((Date.now() - started) / 1000));
