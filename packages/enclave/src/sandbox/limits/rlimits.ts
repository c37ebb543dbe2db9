/** Limits that the kernel keeps for each process, under every driver (getrlimit(2)). */
import { readFileSync } from "node:fs";
import type { AppResources } from "../../parts.ts";
import { must, type Step, words } from "../program/steps.ts";
import type { Controller } from "./control-group.ts";

export interface ResourceLimit {
  readonly resource: number;
  readonly soft: number;
  readonly hard: number;
}

const RLIMIT = { data: 2, core: 4, processes: 6, openFiles: 7, lockedMemory: 8, messageQueues: 12 } as const;

/** Open files of one process; enough for a server, and what container engines give at least. */
const OPEN_FILES = 65_536;
/** Bytes of memory that cannot be swapped, and of POSIX message queues. */
const LOCKED_MEMORY = 8 * 1024 * 1024;
const MESSAGE_QUEUES = 1024 * 1024;

/**
 * What a runtime reserves before the program's first line and never touches (Node 26: 560 MiB), so that a small limit does
 * not keep it from starting.
 */
const RESERVED_BY_RUNTIMES = 1024 * 1024 * 1024;

/** The reaper of the pid namespace counts as one of the application's processes. */
const REAPER = 1;

/**
 * Bytes of a core dump. Too few for a file; and where the kernel hands dumps to a program, this value alone keeps it from
 * doing so, while with 0 it would (core(5), fs/coredump.c).
 */
const NO_CORE_DUMP = 1;

/** No core dump; or none in a file at least, where somebody set 0 before us, which cannot be raised any more. */
export function coreLimit(): ResourceLimit {
  const most = Math.min(NO_CORE_DUMP, ownHardLimit("Max core file size"));
  return { resource: RLIMIT.core, soft: most, hard: most };
}

/** `pid` 0 is the program that makes the step. */
export function setLimit(pid: number, { resource, soft, hard }: ResourceLimit): Step {
  return must("prlimit64", pid, resource, words(soft, hard), 0);
}

/**
 * The floor under every driver. Processes are counted in the application's own user namespace. Memory is bounded for each
 * process alone, and only where nothing better is `inForce`: a thread's untouched stack counts here.
 */
export function resourceLimits({ memory, processes }: AppResources, inForce: ReadonlySet<Controller>): ResourceLimit[] {
  const same = (resource: number, value: number): ResourceLimit => ({ resource, soft: value, hard: value });
  return [
    coreLimit(),
    ...(inForce.has("memory") ? [] : [same(RLIMIT.data, memory + RESERVED_BY_RUNTIMES)]),
    same(RLIMIT.processes, processes + REAPER),
    same(RLIMIT.openFiles, Math.min(OPEN_FILES, ownHardLimit("Max open files"))),
    same(RLIMIT.lockedMemory, Math.min(LOCKED_MEMORY, ownHardLimit("Max locked memory"))),
    same(RLIMIT.messageQueues, Math.min(MESSAGE_QUEUES, ownHardLimit("Max msgqueue size"))),
  ];
}

// A process without capabilities can only lower its own limits.
function ownHardLimit(name: string): number {
  const line = readFileSync("/proc/self/limits", "latin1")
    .split("\n")
    .find((row) => row.startsWith(name));
  const hard = line?.slice(name.length).trim().split(/\s+/)[1];
  return hard === undefined || hard === "unlimited" ? Number.MAX_SAFE_INTEGER : Number(hard);
}
