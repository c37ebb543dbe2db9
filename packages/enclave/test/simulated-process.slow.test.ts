import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseSimulatedReport } from "@blindbox/attestation";
import { toHex } from "@blindbox/encoding";
import { afterEach, describe, expect, it } from "vitest";
import { createSimulatedProvider } from "../src/simulated/index.ts";
import { temporaryFolder, writeImage } from "./oci-image.ts";

const source = (path: string): string => fileURLToPath(new URL(`../src/${path}`, import.meta.url));
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

function canBePid1(): boolean {
  try {
    execFileSync("unshare", ["--pid", "--fork", "--mount-proc", "true"], { stdio: "ignore" });
    return existsSync("/usr/bin/tini");
  } catch {
    return false;
  }
}

interface Started {
  readonly child: ChildProcess;
  readonly events: Record<string, unknown>[];
  readonly errors: () => string;
  readonly exit: Promise<number | null>;
}

function start(entry: string, args: readonly string[], env: Record<string, string> = {}): Started {
  const child = spawn(process.execPath, ["--conditions=blindbox-source", source(entry), ...args], { env });
  children.push(child);
  const events: Record<string, unknown>[] = [];
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  createInterface(child.stdout).on("line", (line) => events.push(JSON.parse(line) as Record<string, unknown>));
  const exit = once(child, "close").then(([code]) => code as number | null);
  return { child, events, errors: () => errors, exit };
}

/** A program that says something as soon as it runs. */
async function startProgram(program: string): Promise<{ child: ChildProcess; errors: () => string }> {
  const args = ["--conditions=blindbox-source", "--input-type=module", "-e", program];
  const child = spawn(process.execPath, args, { env: {} });
  children.push(child);
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  await once(child.stdout, "data");
  return { child, errors: () => errors };
}

async function deviceArguments(): Promise<{
  args: string[];
  socket: string;
  image: Awaited<ReturnType<typeof writeImage>>;
}> {
  const [image, folder] = [await writeImage(), await temporaryFolder()];
  const socket = join(folder, "s/device.sock");
  return { image, socket, args: ["--image", image.folder, "--socket", socket, "--state", join(folder, "state")] };
}

describe("the simulated device's process", () => {
  it("says when it listens, signs, and ends when told to", async () => {
    const { args, socket, image } = await deviceArguments();
    const { child, events, exit } = start("simulated/device/main.ts", args);
    const measurement = toHex(image.measurement);
    await expect.poll(() => events, { timeout: 10_000 }).toEqual([{ event: "listening", measurement }]);
    const { evidence } = await createSimulatedProvider(socket).getEvidence(new Uint8Array(64));
    expect(toHex(parseSimulatedReport(evidence).measurement)).toBe(toHex(image.measurement));
    child.kill("SIGTERM");
    expect(await exit).toBe(0);
    await expect(createSimulatedProvider(socket).getEvidence(new Uint8Array(64))).rejects.toThrow();
  });

  it("ends with whoever started it, where it is told to", async () => {
    const { args, socket } = await deviceArguments();
    const { child, events, exit } = start("simulated/device/main.ts", [...args, "--exit-with-parent"]);
    await expect.poll(() => events, { timeout: 10_000 }).toMatchObject([{ event: "listening" }]);
    child.stdin?.end();
    expect(await exit).toBe(0);
    await expect(createSimulatedProvider(socket).getEvidence(new Uint8Array(64))).rejects.toThrow();
  });

  it("never listens for an image that is not what it says", async () => {
    const { args, socket, image } = await deviceArguments();
    await rename(image.blob(0), image.blob(1));
    const { events, exit } = start("simulated/device/main.ts", args);
    expect(await exit).toBe(1);
    expect(events).toMatchObject([{ event: "refused", code: "image-invalid", hint: "build the image again" }]);
    await expect(createSimulatedProvider(socket).getEvidence(new Uint8Array(64))).rejects.toThrow(/ENOENT/);
  });

  it.each([
    ["no options", []],
    ["an unknown option", ["--image", "x", "--socket", "y", "--state", "z", "--debug"]],
    ["a position", ["--image", "x", "--socket", "y", "--state", "z", "more"]],
  ])("refuses %s", async (_, args) => {
    const { events, exit } = start("simulated/device/main.ts", args);
    expect(await exit).toBe(2);
    expect(events).toMatchObject([{ event: "refused", code: "arguments-invalid" }]);
  });
});

describe("the production entry", () => {
  it("refuses to start, since it has no TEE device", async () => {
    const { events, exit } = start("main.ts", ["--root", "/nowhere", "--listen", "127.0.0.1:0"]);
    expect(await exit).toBe(1);
    const looked = ["vtpm", "nsm", "configfs-tsm", "sev-guest"];
    const places = looked.map((device) => ({ event: "tee-device", device, usable: false }));
    expect(events).toMatchObject([...places, { event: "refused", code: "no-tee-device" }]);
    expect(String(events.at(-1)?.["reason"])).toMatch(/^no TEE device found: vtpm: .*; sev-guest: /);
  });

  it("does not know the simulated device", async () => {
    const { events, exit } = start("main.ts", ["--device", "/nowhere"]);
    expect(await exit).toBe(2);
    expect(events).toMatchObject([{ event: "refused", code: "arguments-invalid" }]);
  });
});

describe("the process of a box", () => {
  it("refuses to run in an environment that can change what it runs", async () => {
    const { events, exit } = start("simulated/main.ts", ["--device", "/nowhere"], { NODE_OPTIONS: "--no-warnings" });
    expect(await exit).toBe(1);
    expect(events).toMatchObject([{ event: "refused", code: "environment-unsafe", reason: "NODE_OPTIONS is set" }]);
  });

  it("refuses to run where a debugger is open", async () => {
    const child = spawn(
      process.execPath,
      ["--inspect=127.0.0.1:0", "--conditions=blindbox-source", source("main.ts")],
      { env: {} },
    );
    children.push(child);
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    expect((await once(child, "close"))[0]).toBe(1);
    expect(JSON.parse(output)).toMatchObject({
      event: "refused",
      code: "environment-unsafe",
      reason: "a debugger is open",
    });
  });

  it("opens no debugger when it is asked to by SIGUSR1, as any other process of Node does", async () => {
    const wait = 'setInterval(() => {}, 1000); console.log("{}");';
    const protect = `import { refuseDebugging } from ${JSON.stringify(source("protections.ts"))}; refuseDebugging();`;
    const [guarded, other] = [await startProgram(protect + wait), await startProgram(wait)];
    guarded.child.kill("SIGUSR1");
    other.child.kill("SIGUSR1");
    await expect.poll(other.errors, { timeout: 10_000 }).toMatch(/debugger|inspector/i);
    expect(guarded.errors()).toBe("");
    expect(guarded.child.exitCode).toBeNull();
  });

  it.skipIf(!canBePid1())("becomes the child of an init where it is PID 1 (needs unshare --pid and tini)", async () => {
    const script = join(await temporaryFolder(), "script.mjs");
    await writeFile(
      script,
      `import { runBelowInit } from ${JSON.stringify(source("protections.ts"))};
       console.log(process.pid);
       runBelowInit();
       console.log(process.pid > 1, process.execArgv.includes("--disable-sigusr1"), process.argv[2], Object.keys(process.env));
       process.exit(7);`,
    );
    const args = [
      "--pid",
      "--fork",
      "--mount-proc",
      process.execPath,
      "--conditions=blindbox-source",
      script,
      "argument",
    ];
    const child = spawn("unshare", args, { env: { PATH: process.env["PATH"], LEAKED: "1" } });
    children.push(child);
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    expect((await once(child, "close"))[0]).toBe(7);
    expect(output).toMatch(/^1\n\d+\ntrue true argument \[ 'PATH' \]\n$/);
  });

  it("ends after a fault, and tells its code only", async () => {
    const program = `
      import { createEventWriter } from ${JSON.stringify(source("events.ts"))};
      import { exitOnFault } from ${JSON.stringify(source("fault.ts"))};
      exitOnFault(createEventWriter(process.stdout));
      setTimeout(() => { throw Object.assign(new Error("secret body"), { code: process.argv[1] }); });`;
    for (const [code, told] of [
      ["ERR_X", "ERR_X"],
      ["secret code", "unknown"],
    ] as const) {
      const child = spawn(
        process.execPath,
        ["--conditions=blindbox-source", "--input-type=module", "-e", program, code],
        { env: {} },
      );
      children.push(child);
      let output = "";
      child.stdout.on("data", (chunk: Buffer) => {
        output += chunk.toString();
      });
      child.stderr.on("data", (chunk: Buffer) => {
        output += chunk.toString();
      });
      expect((await once(child, "close"))[0]).toBe(5);
      expect(output).toBe(`{"event":"fault","code":"${told}"}\n`);
    }
  });
});
