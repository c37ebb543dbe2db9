/** A box beside the fake internet, whose application runs the scripts that a test sends. */
import { chownSync, mkdirSync } from "node:fs";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Egress } from "@blindbox/manifest";
import type { Driver } from "../../src/parts.ts";
import { NOBODY } from "../fixtures-sandbox/availability.ts";
import { temporaryDirectory } from "../fixtures-sandbox/rootfs.ts";
import type { Setting } from "./box.ts";
import { type Internet, sourceProgram, spawnIn } from "./internet.ts";
import { TOOLBOX_COMMAND, toolbox } from "./toolbox.ts";

export interface Done {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

export interface IsolatedBox {
  readonly pid: number;
  /** PEM of the authority that ends the application's TLS; null where no rule is verified. */
  readonly authority: string | null;
  readonly events: readonly { readonly event: string }[];
  order<T>(operation: string, argument?: string): Promise<T>;
  /** Runs a script of busybox's sh inside the sandbox. */
  sh(script: string): Promise<Done>;
  kill(): Promise<void>;
}

export interface BoxChange {
  readonly env?: Readonly<Record<string, string>>;
  readonly resources?: Partial<Setting["spec"]["resources"]>;
}

function settingFor(driver: Driver, egress: readonly Egress[], { env, resources }: BoxChange): Setting {
  const scratch = join(temporaryDirectory(), "s");
  mkdirSync(scratch);
  if (driver === "unprivileged") chownSync(scratch, NOBODY, NOBODY);
  return {
    driver,
    egress,
    spec: {
      rootfs: toolbox(),
      command: TOOLBOX_COMMAND,
      env: { PATH: "/usr/bin:/bin:/usr/sbin:/sbin:/usr/lib/postgresql/15/bin", ...env },
      workingDir: "/",
      user: { uid: 1000, gid: 1000 },
      users: "one",
      writable: [],
      resources: { memory: 2 ** 30, cpus: 2000, processes: 128, tmp: 2 ** 27, ...resources },
      port: 80,
      scratch,
    },
  };
}

interface Line {
  readonly id?: number;
  readonly ready?: true;
  readonly authority?: string | null;
  readonly event?: { readonly event: string };
  readonly error?: string;
  readonly result?: unknown;
}

export async function startIsolated(
  internet: Internet,
  driver: Driver,
  egress: readonly Egress[],
  change: BoxChange = {},
): Promise<IsolatedBox> {
  const setting = settingFor(driver, egress, change);
  const program = [...sourceProgram("box.ts"), JSON.stringify(setting)];
  const user = driver === "unprivileged" ? NOBODY : undefined;
  const child = spawnIn(internet.networks.box, process.execPath, program, user);
  const gone = once(child, "exit");
  const ready = Promise.withResolvers<Line>();
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  const events: { event: string }[] = [];
  createInterface(child.stdout as NonNullable<typeof child.stdout>).on("line", (text) => {
    const line = JSON.parse(text) as Line;
    if (line.event) events.push(line.event);
    else if (line.ready) ready.resolve(line);
    else if (line.id === undefined) ready.reject(new Error(line.error));
    else if (line.error === undefined) waiting.get(line.id)?.resolve(line.result);
    else waiting.get(line.id)?.reject(new Error(line.error));
  });
  void gone.finally(() => {
    ready.reject(new Error("the box ended"));
    for (const each of waiting.values()) each.reject(new Error("the box ended"));
  });
  const { authority = null } = await ready.promise;
  let next = 0;
  const order = <T>(operation: string, argument = ""): Promise<T> => {
    const id = next++;
    const answer = Promise.withResolvers<unknown>();
    waiting.set(id, answer);
    child.stdin?.write(`${JSON.stringify({ id, operation, argument })}\n`);
    return answer.promise as Promise<T>;
  };
  return {
    pid: child.pid ?? -1,
    authority,
    events,
    order,
    sh: (script) => untilServed(() => order<Done>("ask", script)),
    async kill() {
      child.kill("SIGKILL");
      await gone;
    },
  };
}

/** The application needs a moment before it listens. */
async function untilServed<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (attempt === 50 || !/dial-failed|ECONNREFUSED|does not accept/.test(String(error))) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
