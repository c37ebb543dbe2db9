/** The namespaces of one sandbox, held by descriptors of this process: with the process they are gone. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { openSync, writeFileSync } from "node:fs";
import type { Readable } from "node:stream";
import { SandboxError } from "./errors.ts";
import { formatIdMap, type IdMap, type IdMaps } from "./ids.ts";
import { describeFailure, readFailure } from "./program/failure.ts";
import { collect, FIRST_DESCRIPTOR, reportOf, runProgram, spawnProgram } from "./program/run.ts";
import { closeAll } from "./scratch.ts";
import { becomeRoot, enter, makeNamespaces, type RootOptions, writeFiles } from "./programs.ts";

export interface NamespaceOptions extends RootOptions {
  readonly ids: IdMaps;
  /** Whether groups can be changed in the inner user namespace. */
  readonly innerGroups: boolean;
  readonly scratch: string;
}

/** Descriptors of namespaces. */
export interface Namespaces {
  readonly outerUser: number;
  readonly innerUser: number;
  readonly gateNetwork: number;
  readonly appNetwork: number;
  close(): void;
}

/** @throws SandboxError `namespace-refused` where the kernel, or who runs this machine, does not allow it. */
export async function createNamespaces(options: NamespaceOptions): Promise<Namespaces> {
  const steps = makeNamespaces(options);
  const child = spawnProgram(options.scratch, steps, { stdio: ["pipe", "pipe", "ignore"], descriptors: [] });
  const report = collect(reportOf(child));
  child.stdin?.on("error", () => {});
  const held: number[] = [];
  try {
    return await takeHold(child, options, held);
  } catch (error) {
    closeAll(held);
    child.kill("SIGKILL");
    if ((error as NodeJS.ErrnoException).code === "EACCES") throw notExecutable();
    const failure = readFailure(await report);
    throw refused(failure ? describeFailure(failure, steps, 0) : String(error));
  } finally {
    child.stdin?.end();
  }
}

async function takeHold(child: ChildProcess, options: NamespaceOptions, held: number[]): Promise<Namespaces> {
  const hold = (kind: "user" | "net") => {
    const descriptor = openSync(`/proc/${child.pid}/ns/${kind}`, "r");
    held.push(descriptor);
    return descriptor;
  };
  await nextByte(child);
  const outerUser = hold("user");
  const gateNetwork = hold("net");
  for (const [path, content] of idFiles(child.pid, options.ids.outer, options.clearGroups))
    writeFileSync(path, content);
  child.stdin?.write(".");
  await nextByte(child);
  const appNetwork = hold("net");
  child.stdin?.write(".");
  await nextByte(child);
  const innerUser = hold("user");
  await writeInnerMap(child, options, outerUser);
  child.stdin?.write(".");
  await nextByte(child);
  const close = () => closeAll(held.splice(0));
  return { outerUser, innerUser, gateNetwork, appNetwork, close };
}

// Only a process of the parent namespace may write the map, and this one is two levels up.
async function writeInnerMap(child: ChildProcess, options: NamespaceOptions, outerUser: number): Promise<void> {
  const steps = [
    ...enter(FIRST_DESCRIPTOR, null),
    ...becomeRoot(options),
    ...writeFiles(idFiles(child.pid, options.ids.inner, options.innerGroups)),
  ];
  await runProgram(options.scratch, steps, { descriptors: [outerUser] });
}

function idFiles(pid: number | undefined, map: IdMap, mayClearGroups: boolean): (readonly [string, string])[] {
  return [
    ...(mayClearGroups ? [] : [[`/proc/${pid}/setgroups`, "deny"] as const]),
    [`/proc/${pid}/uid_map`, formatIdMap(map.uids)],
    [`/proc/${pid}/gid_map`, formatIdMap(map.gids)],
  ];
}

async function nextByte(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit").then(() => {
    throw new Error("it ended early");
  });
  await Promise.race([once(child.stdout as Readable, "data"), ended]);
}

function notExecutable(): SandboxError {
  const reason = "nothing may be executed in the scratch directory";
  return new SandboxError("scratch-unusable", reason, "Choose a --scratch on a file system without noexec.");
}

function refused(reason: string): SandboxError {
  return new SandboxError(
    "namespace-refused",
    `user and network namespaces cannot be made here (${reason})`,
    "Allow user namespaces to this user (user.max_user_namespaces, kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns, the container's seccomp profile).",
  );
}
