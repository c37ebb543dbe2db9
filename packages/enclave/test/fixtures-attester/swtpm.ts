/** The software TPM `swtpm`, set up with tpm2-tools as Azure's paravisor sets up its virtual one. */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TpmTransport, WithTpm } from "../../src/attester/providers/vtpm/tpm-transport.ts";

function has(program: string): boolean {
  try {
    execFileSync("which", [program], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

export const hasSwtpm: boolean = process.platform === "linux" && ["swtpm", "tpm2_quote"].every(has);

export interface SoftwareTpm {
  readonly withTpm: WithTpm;
  /** Runs one of tpm2-tools on it. */
  tool(name: string, ...args: readonly string[]): void;
  /** PEM of the key at 0x81000003. */
  readonly ak: string;
  stop(): Promise<void>;
}

/** Starts one in `folder`, with `report` in NV index 0x01400001 (at most 2048 bytes there) and a key at 0x81000003. */
export async function startSwtpm(folder: string, report: Uint8Array, nvAttributes: string): Promise<SoftwareTpm> {
  const [port, control] = await freePorts();
  mkdirSync(join(folder, "state"));
  const server = ["--server", `type=tcp,port=${port}`, "--ctrl", `type=tcp,port=${control}`];
  const flags = ["--tpmstate", `dir=${join(folder, "state")}`, "--flags", "not-need-init,startup-clear"];
  const child = spawn("swtpm", ["socket", "--tpm2", ...server, ...flags], { stdio: "ignore" });
  await untilListening(port, child);
  const env = { PATH: process.env["PATH"] ?? "", TPM2TOOLS_TCTI: `swtpm:host=127.0.0.1,port=${port}` };
  const tool = (name: string, ...args: readonly string[]): void => {
    execFileSync(name, args, { cwd: folder, env, stdio: ["ignore", "ignore", "pipe"] });
  };
  writeFileSync(join(folder, "report"), report);
  const attributes = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|sign";
  tool(
    "tpm2_createprimary",
    "-C",
    "o",
    "-G",
    "rsa2048:rsassa-sha256:null",
    "-g",
    "sha256",
    "-a",
    attributes,
    "-c",
    "ak",
  );
  tool("tpm2_evictcontrol", "-C", "o", "-c", "ak", "0x81000003");
  tool("tpm2_readpublic", "-c", "0x81000003", "-f", "pem", "-o", "ak.pem");
  tool("tpm2_nvdefine", "-C", "o", "0x01400001", "-s", `${report.length}`, "-a", nvAttributes);
  tool("tpm2_nvwrite", "-C", "o", "0x01400001", "-i", "report");
  return {
    withTpm: tpmOver(port),
    tool,
    ak: readFileSync(join(folder, "ak.pem"), "utf8"),
    stop: () => stop(child),
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  await ended;
}

// tpm2-tools expect the control channel one port above.
async function freePorts(): Promise<[number, number]> {
  for (;;) {
    const first = createServer().listen(0, "127.0.0.1");
    await once(first, "listening");
    const address = first.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const second = createServer();
    const free = await new Promise<boolean>((resolve) => {
      second.once("error", () => resolve(false)).listen(port + 1, "127.0.0.1", () => resolve(true));
    });
    first.close();
    second.close();
    if (free) return [port, port + 1];
  }
}

async function untilListening(port: number, child: ChildProcess): Promise<void> {
  while (child.exitCode === null) {
    try {
      (await connected(port)).destroy();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  throw new Error("swtpm did not start");
}

async function connected(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  return socket;
}

/** Commands and answers over TCP, one after the other, as swtpm has them. */
function tpmOver(port: number): WithTpm {
  return async (work) => {
    const socket = await connected(port);
    try {
      return await work(transportOver(socket));
    } finally {
      socket.destroy();
      await once(socket, "close");
    }
  };
}

function transportOver(socket: Socket): TpmTransport {
  return {
    async exchange(command) {
      socket.write(command);
      let bytes = Buffer.alloc(0);
      while (bytes.length < 10 || bytes.length < bytes.readUInt32BE(2)) {
        const [chunk] = (await once(socket, "data")) as [Buffer];
        bytes = Buffer.concat([bytes, chunk]);
      }
      return new Uint8Array(bytes);
    },
  };
}
