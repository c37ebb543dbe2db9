import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { buildBox } from "../src/index.ts";
import { isAbandoned, isGone, ownMark, startTime } from "../src/owner-mark.ts";
import { appEntries, buildInputs } from "./support/boxes.ts";
import { file } from "./support/tar.ts";

const drafts = (folder: string): readonly string[] => readdirSync(folder).filter((name) => name.startsWith("."));

test("what a killed build left is removed by the next build of that name", { timeout: 60_000 }, async () => {
  const entries = [...appEntries, file("large", Buffer.alloc(64 * 2 ** 20, "x"))];
  const inputs = await buildInputs({}, { entries });
  const script = fileURLToPath(new URL("./support/build-in-child.ts", import.meta.url));
  const child = spawn(process.execPath, ["--conditions=blindbox-source", script, JSON.stringify(inputs)], {
    stdio: "ignore",
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  await expect
    .poll(() => (existsSync(inputs.outDir) ? drafts(inputs.outDir) : []), { interval: 1, timeout: 30_000 })
    .toHaveLength(1);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(drafts(inputs.outDir)).toHaveLength(1);
  await buildBox(inputs);
  expect(readdirSync(inputs.outDir)).toEqual(["hello.blindbox"]);
});

test("what belongs to a living build, to another machine, to another name or to nobody known is left alone", async () => {
  const inputs = await buildInputs();
  const own = (await ownMark()) ?? "";
  const living = `${process.ppid}-${await startTime(process.ppid)}`;
  const space = own.split("-")[0] ?? "";
  const kept = [
    `.hello.blindbox-${own}-AbCdEf`,
    `.hello.blindbox-${space}-${living}-AbCdEf`,
    `.hello.blindbox-${"0".repeat(16)}-2000000000-1-AbCdEf`,
    `.hello2.blindbox-${space}-2000000000-1-AbCdEf`,
    ".hello.blindbox-AbCdEf",
    `.hello.blindbox-${space}-0-1-AbCdEf`,
    `.hello.blindbox-${space}-2000000000-1-AbCdEf.keep`,
  ];
  const gone = [`.hello.blindbox-${space}-2000000000-1-AbCdEf`, `.hello.blindbox-${space}-${process.pid}-1-AbCdEf`];
  for (const name of [...kept, ...gone]) mkdirSync(join(inputs.outDir, name, "box"), { recursive: true });
  writeFileSync(join(inputs.outDir, gone[0] ?? "", "box", "x"), "x");
  await buildBox(inputs);
  expect(readdirSync(inputs.outDir).sort()).toEqual([...kept, "hello.blindbox"].sort());
});

test("builds of one name beside each other do not disturb each other", async () => {
  const inputs = await buildInputs();
  const built = await Promise.allSettled(Array.from({ length: 4 }, () => buildBox(inputs)));
  // Whoever comes second may find the place taken in that very moment; nobody loses files that it works on.
  expect(built.some(({ status }) => status === "fulfilled")).toBe(true);
  expect(readdirSync(inputs.outDir)).toEqual(["hello.blindbox"]);
});

test("a process is gone when its pid is free or is another's now, and not when it cannot be looked at", async () => {
  expect(await isGone(process.pid, (await startTime(process.pid)) ?? "")).toBe(false);
  expect(await isGone(process.pid, "1")).toBe(true);
  expect(await isGone(2_000_000_000, "1")).toBe(true);
  expect(await isAbandoned((await ownMark()) ?? "")).toBe(false);
  expect(readFileSync("/proc/self/stat", "latin1")).toContain(String(await startTime(process.pid)));
});
