/** squid as the box's peer: a forward proxy that allows CONNECT to one name, with neither cache nor log. Optional. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chownSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { RESOLVER } from "../packages/enclave/test/fixtures-internet/names.ts";
import { NOBODY } from "../packages/enclave/test/fixtures-sandbox/availability.ts";
import { temporaryDirectory } from "../packages/enclave/test/fixtures-sandbox/rootfs.ts";

export interface Squid extends AsyncDisposable {
  readonly pid: number;
  /** On 127.0.0.1 of its network. */
  readonly port: number;
}

const port = 3128;

const searched = "/usr/sbin:/usr/bin:/sbin:/bin";

export function isSquidInstalled(): boolean {
  return spawnSync("squid", ["-v"], { stdio: "ignore", env: { PATH: searched } }).status === 0;
}

/** Runs as an ordinary user, in the foreground, in one process. */
export async function startSquid(network: string, allowed: string): Promise<Squid> {
  const folder = temporaryDirectory();
  chownSync(folder, NOBODY, NOBODY);
  writeFileSync(join(folder, "squid.conf"), configuration(folder, allowed));
  const who = ["-S", String(NOBODY), "-G", String(NOBODY), "--"];
  const program = ["squid", "-N", "-f", join(folder, "squid.conf")];
  const where = [`--net=/run/netns/${network}`, ...who, ...program];
  const squid = spawn("nsenter", where, { env: { PATH: searched }, stdio: "ignore" });
  const ended = once(squid, "exit");
  const kill = (): void => void squid.kill("SIGKILL");
  process.once("exit", kill);
  const pid = squid.pid ?? 0;
  await untilListening(pid, () => squid.exitCode === null && squid.signalCode === null);
  return {
    pid,
    port,
    async [Symbol.asyncDispose]() {
      process.off("exit", kill);
      kill();
      await ended;
    },
  };
}

function configuration(folder: string, allowed: string): string {
  return `
    http_port 127.0.0.1:${port}
    visible_hostname squid
    dns_nameservers ${RESOLVER}
    acl CONNECT method CONNECT
    acl allowed dstdomain ${allowed}
    http_access allow CONNECT allowed
    http_access deny all
    cache deny all
    cache_mem 0
    access_log none
    cache_store_log none
    cache_log ${folder}/cache.log
    coredump_dir ${folder}
    pid_filename none
    netdb_filename none
    pinger_enable off
    max_filedescriptors 4096
    shutdown_lifetime 0 seconds
  `.replaceAll(/^ +/gm, "");
}

/** Looks from outside, since its network is another one. */
async function untilListening(pid: number, runs: () => boolean): Promise<void> {
  const listening = `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")} 00000000:0000 0A`;
  for (let attempt = 0; attempt < 100 && runs(); attempt += 1) {
    if (readFileSync(`/proc/${pid}/net/tcp`, "latin1").includes(listening)) return;
    await setTimeout(100);
  }
  throw new Error("squid does not listen");
}
