/** One report of configfs-tsm: an entry is made, written to, read, and removed. ABI: configfs-tsm-report of Linux 6.7. */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { fromUtf8, utf8 } from "@blindbox/encoding";
import { Disturbed, withAttempts } from "../attempts.ts";
import type { Sleep } from "../device.ts";
import { DeviceFault, errnoOf, faultOf } from "../device-fault.ts";
import type { TsmFiles } from "./tsm-files.ts";

/** Where configfs is mounted, and a kernel with a TEE has its reports. */
export const TSM_ROOT = "/sys/kernel/config/tsm/report";

/** The kernel makes at most 32 KiB of each: a TD quote takes 5 to 8, the certificates of AMD's as much. */
const maxBlobBytes = 65_536;
const maxTextBytes = 64;
/** Numbers of VMPLs. */
const maxPrivilegeLevel = 3;

/** What the kernel had to say. */
export interface TsmReport {
  /** `sev_guest`, `tdx_guest`. */
  readonly provider: string;
  readonly outblob: Uint8Array;
  /** Empty where this TEE has none. */
  readonly auxblob: Uint8Array;
}

export interface TsmAccess {
  readonly files: TsmFiles;
  /** {@link TSM_ROOT}, or another place in tests. */
  readonly root: string;
  readonly sleep: Sleep;
}

/** What a device does that is used by somebody else at this moment; the next attempt uses an entry of its own. */
const passing: readonly string[] = ["EBUSY", "EAGAIN", "EINTR", "ETIMEDOUT"];

/** @throws DeviceFault */
export function readTsmReport(access: TsmAccess, inblob: Uint8Array): Promise<TsmReport> {
  return withAttempts(access.sleep, () => inEntry(access, (entry) => fill(entry, inblob)));
}

/** Which provider is behind it; makes no report. @throws DeviceFault */
export function readTsmProvider(access: TsmAccess): Promise<string> {
  return withAttempts(access.sleep, () => inEntry(access, (entry) => entry.text("provider")));
}

/** The attributes of one entry. */
interface Entry {
  blob(name: string): Promise<Uint8Array>;
  text(name: string): Promise<string>;
  write(name: string, bytes: Uint8Array): Promise<void>;
}

// Nobody else writes to an entry of this name; that nobody did is checked all the same.
async function inEntry<T>({ files, root }: TsmAccess, work: (entry: Entry) => Promise<T>): Promise<T> {
  const path = join(root, `blindbox-${randomUUID()}`);
  try {
    await files.makeDirectory(path);
    try {
      return await work(entryAt(files, path));
    } finally {
      // An entry that stays costs the kernel some KiB; the report is what was asked for.
      await files.removeDirectory(path).catch(() => undefined);
    }
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== null && passing.includes(errno)) throw new Disturbed(`configfs-tsm: ${errno}`);
    if (error instanceof RangeError) throw new DeviceFault("malformed", error.message, { cause: error });
    throw faultOf(error, root);
  }
}

function entryAt(files: TsmFiles, path: string): Entry {
  return {
    blob: (name) => files.read(join(path, name), maxBlobBytes),
    text: async (name) => fromUtf8(await files.read(join(path, name), maxTextBytes), name).trim(),
    write: (name, bytes) => files.write(join(path, name), bytes),
  };
}

async function fill(entry: Entry, inblob: Uint8Array): Promise<TsmReport> {
  const before = await integer(entry, "generation");
  const floor = await orAbsent(() => integer(entry, "privlevel_floor"));
  if (floor !== null) await entry.write("privlevel", utf8(`${demandLevel(floor)}`));
  await entry.write("inblob", inblob);
  const outblob = await entry.blob("outblob");
  // Reading either blob makes the report anew where somebody wrote meanwhile: both are of one report only if nobody did.
  const auxblob = (await orAbsent(() => entry.blob("auxblob"))) ?? new Uint8Array();
  const provider = await entry.text("provider");
  const written = (await integer(entry, "generation")) - before;
  const expected = floor === null ? 1 : 2;
  if (written !== expected) throw new Disturbed(`configfs-tsm: generation moved by ${written}, not by ${expected}`);
  return { provider, outblob, auxblob };
}

async function integer(entry: Entry, name: string): Promise<number> {
  const text = await entry.text(name);
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new DeviceFault("malformed", `configfs-tsm: ${name}: expected an integer, found something else`);
}

// The kernel runs at this level itself: none below is its to ask for, and none above says more of it.
function demandLevel(level: number): number {
  if (level <= maxPrivilegeLevel) return level;
  throw new DeviceFault(
    "malformed",
    `configfs-tsm: privlevel_floor: expected at most ${maxPrivilegeLevel}, found ${level}`,
  );
}

/** Null where this TEE has no such attribute. */
async function orAbsent<T>(read: () => Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return null;
    throw error;
  }
}
