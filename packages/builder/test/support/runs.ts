/** Runs of one box, with programs in the place of the enclave and of the device. */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, onTestFinished } from "vitest";
import { type BoxEvent, buildBox, type RunningBox, type RunOptions, runBox } from "../../src/index.ts";
import { buildInputs } from "./boxes.ts";
import { scratchDirectory } from "./images.ts";
import { isRunning } from "./processes.ts";

const program = (name: string): string => fileURLToPath(new URL(`./programs/${name}`, import.meta.url));

/** Where the bundle of the box lies, and the box itself. */
export const folder: string = mkdtempSync(join(tmpdir(), "run-test-"));
mkdirSync(join(folder, "bundle"));
copyFileSync(program("box.mjs"), join(folder, "bundle", "main.mjs"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** One box for all tests of a file: it holds the real Node, since that is what starts it. */
export async function builtBox(): Promise<string> {
  const boxDir = join(folder, "hello.blindbox");
  if (existsSync(boxDir)) return boxDir;
  const inputs = await buildInputs({ bundleDir: join(folder, "bundle"), nodeBinary: process.execPath, outDir: folder });
  return (await buildBox(inputs)).directory;
}

export interface Started {
  readonly events: BoxEvent[];
  readonly stateDir: string;
  readonly options: RunOptions;
}

/** Options for a run; `behaviour` of the box, and of the device. */
export async function prepare(behaviour: string, device = "device", more: Partial<RunOptions> = {}): Promise<Started> {
  const stateDir = join(scratchDirectory(), "state");
  const events: BoxEvent[] = [];
  const deviceMain = join(scratchDirectory(), `${device}.mjs`);
  copyFileSync(program("device.mjs"), deviceMain);
  const listen = `${behaviour}:8443`;
  const onEvent = (event: BoxEvent): void => void events.push(event);
  const own = { boxDir: await builtBox(), listen, stateDir, driver: "auto", deviceMain, onEvent } as const;
  return { events, stateDir, options: { ...own, ...more } };
}

/** Runs a box until the end of the test. */
export async function started(options: RunOptions): Promise<RunningBox> {
  const box = await runBox(options);
  onTestFinished(() => box.stop());
  return box;
}

export const pidsOf = (events: readonly BoxEvent[]): number[] =>
  events.flatMap(({ pid }) => (typeof pid === "number" ? [pid] : []));
export const eventOf = (events: readonly BoxEvent[], name: string): BoxEvent =>
  events.find(({ event }) => event === name) ?? { event: "none" };
export const runsIn = (stateDir: string): readonly string[] => readdirSync(join(stateDir, "runs"));

/** The error of a run in which nothing of the box was started, and of which nothing is left. */
export async function refusal({ options, events, stateDir }: Started): Promise<unknown> {
  const error = await runBox(options).then(
    () => "runs",
    (reason: unknown) => reason,
  );
  expect(eventOf(events, "started").event).toBe("none");
  expect(pidsOf(events).some(isRunning)).toBe(false);
  expect(runsIn(stateDir)).toEqual([]);
  return error;
}
