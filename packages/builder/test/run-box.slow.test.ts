import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { type BoxEvent, buildBox, RunError, type RunningBox, runBox } from "../src/index.ts";
import { appEntries, buildInputs } from "./support/boxes.ts";
import { addBlob, type Files, json, scratchDirectory, writeDirectory } from "./support/images.ts";
import { isRunning, untilGone } from "./support/processes.ts";
import { builtBox, eventOf, folder, pidsOf, prepare, refusal, runsIn, type Started, started } from "./support/runs.ts";
import { file } from "./support/tar.ts";

describe("a box that runs", () => {
  test("is ready when the box says so, at the address that it says", async () => {
    const { options, events, stateDir } = await prepare("works");
    const box = await started(options);
    expect(box.url).toBe("https://works:8443");
    expect(box.rootPem).toBe(join(stateDir, "simulated", "root.pem"));
    expect(events.map(({ event }) => event)).toEqual(["device-started", "listening", "started", "ready"]);
    expect(pidsOf(events).every(isRunning)).toBe(true);
  });

  test("gets no environment, the box's own Node, and nothing but its arguments", async () => {
    const { options, events, stateDir } = await prepare("works", "device", { driver: "unprivileged" });
    await started(options);
    const run = join(stateDir, "runs", runsIn(stateDir)[0] ?? "");
    const root = join(run, "image", "blindbox");
    expect(eventOf(events, "started")).toMatchObject({
      environment: "",
      directory: run,
      program: join(root, "node"),
      arguments: `--root ${root} --listen works:8443 --device ${run}/device.sock --scratch ${run}/scratch --driver unprivileged --exit-with-parent`,
    });
    expect(eventOf(events, "device-started")).toMatchObject({ environment: "" });
  });

  test("is told which resolvers to ask", async () => {
    const resolvers = ["192.0.2.53", "[2001:db8::53]:5353"];
    const { options, events } = await prepare("works", "device", { resolvers });
    await started(options);
    const told = String(eventOf(events, "started")["arguments"]);
    expect(told).toContain(" --resolver 192.0.2.53,[2001:db8::53]:5353 --driver ");
  });

  test("has its files in a directory that nobody else can enter", async () => {
    const { options, stateDir } = await prepare("works");
    await started(options);
    const run = join(stateDir, "runs", runsIn(stateDir)[0] ?? "");
    expect(statSync(run).mode & 0o777).toBe(0o700);
    expect(statSync(join(stateDir, "runs")).mode & 0o777).toBe(0o700);
    const manifest = readFileSync(join(run, "image", "blindbox", "manifest.json"), "utf8");
    expect(manifest).toBe(readFileSync(join(await builtBox(), "manifest.json"), "utf8"));
  });

  test("is gone after stop, with its device and its files", async () => {
    const { options, events, stateDir } = await prepare("works");
    const box = await started(options);
    await box.stop();
    expect(pidsOf(events).some(isRunning)).toBe(false);
    expect(runsIn(stateDir)).toEqual([]);
    expect(await box.exited).toEqual({ cause: "stopped", code: null, signal: null });
    expect(eventOf(events, "stopping").event).toBe("stopping");
  });

  test("can be stopped twice", async () => {
    const { options } = await prepare("works");
    const box = await started(options);
    await Promise.all([box.stop(), box.stop()]);
    await box.stop();
    expect((await box.exited).cause).toBe("stopped");
  });

  test("takes the processes that it started with it", async () => {
    const { options, events } = await prepare("family");
    const box = await started(options);
    expect(pidsOf(events)).toHaveLength(3);
    await box.stop();
    await untilGone(pidsOf(events));
  });

  test("runs beside another of the same box", async () => {
    const one = await prepare("works");
    const other = { ...one.options, listen: "works:2" };
    const boxes = [await started(one.options), await started(other)];
    expect(runsIn(one.stateDir)).toHaveLength(2);
    expect(boxes.map(({ url }) => url)).toEqual(["https://works:8443", "https://works:2"]);
    await boxes[0]?.stop();
    expect(runsIn(one.stateDir)).toHaveLength(1);
  });
});

describe("a box that ends by itself", () => {
  test("takes the device with it, and says how it ended", async () => {
    const { options, events, stateDir } = await prepare("works");
    const box = await started(options);
    process.kill(Number(eventOf(events, "started")["pid"]), "SIGKILL");
    expect(await box.exited).toEqual({ cause: "box-exited", code: null, signal: "SIGKILL" });
    expect(pidsOf(events).some(isRunning)).toBe(false);
    expect(runsIn(stateDir)).toEqual([]);
  });

  test("is stopped when its device ends", async () => {
    const { options, events, stateDir } = await prepare("works", "brief");
    const box = await started(options);
    process.kill(Number(eventOf(events, "device-started")["pid"]), "SIGUSR2");
    expect(await box.exited).toEqual({ cause: "device-exited", code: 9, signal: null });
    expect(pidsOf(events).some(isRunning)).toBe(false);
    expect(runsIn(stateDir)).toEqual([]);
  });
});

describe("what runs is what was measured", () => {
  /** A copy of the box, and beside its image that of another application. */
  async function twoImages(): Promise<{ readonly copy: string; readonly good: string; readonly evil: string }> {
    const copy = join(scratchDirectory(), "hello.blindbox");
    cpSync(await builtBox(), copy, { recursive: true });
    const inputs = await buildInputs(
      { bundleDir: join(folder, "bundle"), nodeBinary: process.execPath },
      { entries: [...appEntries, file("evil", "evil")] },
    );
    cpSync(join((await buildBox(inputs)).directory, "image"), join(copy, "image-other"), { recursive: true });
    return { copy, good: join(copy, "image"), evil: join(copy, "image-other") };
  }

  test("a manifest that is an index of another image too is refused", async () => {
    const { copy, good, evil } = await twoImages();
    const descriptor = (image: string): { digest: string } =>
      JSON.parse(readFileSync(join(image, "index.json"), "utf8")).manifests[0];
    const { digest } = descriptor(good);
    const manifest = JSON.parse(readFileSync(join(good, "blobs", digest.replace(":", "/")), "utf8"));
    const { schemaVersion, config, layers } = manifest;
    cpSync(join(evil, "blobs"), join(good, "blobs"), { recursive: true });
    const files: Files = new Map();
    const type = "application/vnd.oci.image.index.v1+json";
    const both = addBlob(files, type, json({ schemaVersion, config, layers, manifests: [descriptor(evil)] }));
    files.set("index.json", json({ schemaVersion: 2, mediaType: type, manifests: [both] }));
    writeDirectory(files, good);
    const prepared = await prepare("works", "device", { boxDir: copy });
    expect(await refusal(prepared)).toMatchObject({ name: "BuildError", code: "not-a-box" });
  });

  test("an image that is exchanged between unpacking and measuring is refused", async () => {
    const { copy } = await twoImages();
    const prepared = await prepare("works", "late", { boxDir: copy });
    expect(await refusal(prepared)).toMatchObject({ name: "RunError", code: "measurement-differs" });
    expect(existsSync(join(copy, "image-before"))).toBe(true);
  });

  test.each(["other", "mute"])("a device that says another measurement, or none, is refused (%s)", async (device) => {
    expect(await refusal(await prepare("works", device))).toMatchObject({ code: "measurement-differs" });
  });
});

describe("a state directory that is open to others", () => {
  test.each(["", "runs"])("is refused (%j in it), and nothing is started", async (name) => {
    const { options, events, stateDir } = await prepare("works");
    mkdirSync(join(stateDir, name), { recursive: true, mode: 0o700 });
    chmodSync(join(stateDir, name), 0o777);
    await expect(runBox(options)).rejects.toMatchObject({ name: "RunError", code: "state-unusable" });
    expect(events).toEqual([]);
  });
});

describe("a box that does not start", () => {
  async function failure({ options, events, stateDir }: Started): Promise<RunError> {
    const error: unknown = await runBox(options).then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(RunError);
    expect(pidsOf(events).some(isRunning)).toBe(false);
    expect(runsIn(stateDir)).toEqual([]);
    return error as RunError;
  }

  test("because it refuses tells its code, reason and hint", async () => {
    const refusal = {
      code: "box-refused",
      refusal: "sandbox-failed",
      message: "no namespaces here",
      hint: "allow them",
    };
    expect(await failure(await prepare("refuses"))).toMatchObject(refusal);
  });

  test("because it crashes tells how, and what it wrote last", async () => {
    expect(await failure(await prepare("crashes"))).toMatchObject({
      code: "box-failed",
      refusal: null,
      message: "the box process ended early (7)",
      detail: "Error: out of luck\n",
    });
  });

  test("because the device refuses tells the device's reason", async () => {
    const refusal = { code: "device-refused", refusal: "image-invalid", message: "a blob is wrong" };
    expect(await failure(await prepare("works", "refusing"))).toMatchObject(refusal);
  });

  test("because the device ends tells so, and the box was never started", async () => {
    const prepared = await prepare("works", "crashing");
    expect(await failure(prepared)).toMatchObject({
      code: "device-failed",
      message: "the device process ended early (3)",
    });
    expect(eventOf(prepared.events, "started").event).toBe("none");
  });

  test("because the device's program is not there", async () => {
    const prepared = await prepare("works", "device", { deviceMain: "/nowhere/device.mjs" });
    expect(await failure(prepared)).toMatchObject({
      code: "device-failed",
      detail: expect.stringContaining("/nowhere"),
    });
  });

  test("because the device ends while the box starts", async () => {
    const prepared = await prepare("silent", "brief");
    const onEvent = (event: BoxEvent): void => {
      prepared.events.push(event);
      const device = Number(eventOf(prepared.events, "device-started")["pid"]);
      if (event.event === "started") process.kill(device, "SIGUSR2");
    };
    const error = await failure({ ...prepared, options: { ...prepared.options, onEvent } });
    expect(error).toMatchObject({ code: "device-failed", message: "the device process ended early (9)" });
  });

  test("because the state directory's path is too long for a socket", async () => {
    const stateDir = join(scratchDirectory(), "long".repeat(30));
    const prepared = await prepare("works", "device", { stateDir });
    expect(await failure({ ...prepared, stateDir })).toMatchObject({ code: "path-too-long" });
  });
});

describe("a box whose files are not right", () => {
  test("is refused when it is no box", async () => {
    const { options } = await prepare("works", "device", { boxDir: scratchDirectory() });
    await expect(runBox(options)).rejects.toMatchObject({ code: "not-a-box" });
    const missing = await prepare("works", "device", { boxDir: "/nowhere/x.blindbox" });
    await expect(runBox(missing.options)).rejects.toMatchObject({ code: "not-a-box", actual: "no such directory" });
  });

  test("is refused when a byte of its image was changed, and nothing of it is started", async () => {
    const whole = await builtBox();
    const copy = join(scratchDirectory(), basename(whole));
    const blobs = join(copy, "image", "blobs", "sha256");
    mkdirSync(blobs, { recursive: true });
    for (const name of readdirSync(whole, { recursive: true, encoding: "utf8" })) {
      if (statSync(join(whole, name)).isFile()) copyFileSync(join(whole, name), join(copy, name));
    }
    const app = readdirSync(blobs).find((name) => readFileSync(join(blobs, name)).includes("#!/bin/sh"));
    const bytes = readFileSync(join(blobs, app ?? ""));
    bytes.write("#!/bin/no", bytes.indexOf("#!/bin/sh"));
    writeFileSync(join(blobs, app ?? ""), bytes);
    const { options, events, stateDir } = await prepare("works", "device", { boxDir: copy });
    await expect(runBox(options)).rejects.toMatchObject({ name: "BuildError", code: "digest-mismatch" });
    expect(eventOf(events, "started").event).toBe("none");
    expect(pidsOf(events).some(isRunning)).toBe(false);
    expect(runsIn(stateDir)).toEqual([]);
  });
});

describe("a caller that gives up", () => {
  test.each(["device-started", "listening", "started", "ready"])(
    "at the event %s leaves nothing behind",
    async (name) => {
      const abort = new AbortController();
      const prepared = await prepare("works", "device", { signal: abort.signal });
      const onEvent = (event: BoxEvent): void => {
        prepared.events.push(event);
        if (event.event === name) abort.abort(new Error("enough"));
      };
      const box = await runBox({ ...prepared.options, onEvent }).catch((error: unknown) => error);
      if (box instanceof Error) expect(box.message).toBe("enough");
      else expect((await (box as RunningBox).exited).cause).toBe("stopped");
      expect(pidsOf(prepared.events).some(isRunning)).toBe(false);
      expect(runsIn(prepared.stateDir)).toEqual([]);
    },
  );

  test("before the start starts nothing", async () => {
    const { options, events, stateDir } = await prepare("works", "device", {
      signal: AbortSignal.abort(new Error("enough")),
    });
    await expect(runBox(options)).rejects.toThrow("enough");
    expect(events).toEqual([]);
    expect(existsSync(stateDir)).toBe(false);
  });

  test("while it runs stops it", async () => {
    const abort = new AbortController();
    const { options, events } = await prepare("works", "device", { signal: abort.signal });
    const box = await started(options);
    abort.abort();
    expect((await box.exited).cause).toBe("stopped");
    expect(pidsOf(events).some(isRunning)).toBe(false);
  });

  test("is not kept waiting by a device that does not listen to it", async () => {
    const { options, events } = await prepare("works", "stubborn");
    const box = await started(options);
    await box.stop();
    expect(pidsOf(events).some(isRunning)).toBe(false);
  });
});

describe("when the process that started a box is killed", () => {
  test("box and device end too, and the next run removes what was left on disk", async () => {
    const prepared = await prepare("works");
    const script = fileURLToPath(new URL("./support/run-in-child.ts", import.meta.url));
    const options = JSON.stringify(prepared.options);
    const child = spawn(process.execPath, ["--conditions=blindbox-source", script, options], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    for await (const line of createInterface({ input: child.stdout })) {
      prepared.events.push(JSON.parse(line));
      if (prepared.events.at(-1)?.event === "ready") break;
    }
    expect(pidsOf(prepared.events)).toHaveLength(2);
    child.kill("SIGKILL");
    await once(child, "exit");
    await untilGone(pidsOf(prepared.events));
    const [left] = runsIn(prepared.stateDir);
    expect(left).toBeDefined();
    const next = await started(prepared.options);
    expect(runsIn(prepared.stateDir)).not.toContain(left);
    await next.stop();
    expect(runsIn(prepared.stateDir)).toEqual([]);
  });
});
