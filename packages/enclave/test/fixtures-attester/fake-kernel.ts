/** configfs-tsm as the kernel has it: what each attribute does, written after drivers/virt/coco/tsm.c. */
import { basename, dirname } from "node:path";
import type { TsmFiles } from "../../src/attester/providers/configfs-tsm/tsm-files.ts";

export interface FakeKernelOptions {
  readonly provider: string;
  /** The report of these 64 bytes. */
  readonly report: (inblob: Uint8Array, privlevel: number) => Uint8Array;
  readonly auxblob?: Uint8Array;
  /** Left out: this TEE has no levels. */
  readonly floor?: number;
  /** Errors of making a report, one after the other, before it goes well. */
  readonly errors?: readonly string[];
  /** Called before a report is made: whoever else writes to the entry does it now. */
  readonly meanwhile?: (entry: FakeEntry, files: TsmFiles) => void;
}

export interface FakeEntry {
  readonly path: string;
  inblob: Uint8Array | null;
  privlevel: number;
  written: number;
  made: { readonly generation: number; readonly outblob: Uint8Array } | null;
}

export interface FakeKernel {
  readonly files: TsmFiles;
  /** Entries that were not removed. */
  readonly entries: Map<string, FakeEntry>;
  /** Everything that was written, in order: attribute and bytes in latin1. */
  readonly writes: (readonly [string, string])[];
  reports: number;
}

export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: made up`), { code });
}

export function fakeKernel(options: FakeKernelOptions): FakeKernel {
  const entries = new Map<string, FakeEntry>();
  const errors = [...(options.errors ?? [])];
  const kernel: FakeKernel = { entries, writes: [], reports: 0, files: filesOf() };
  const text = (value: string | number): Uint8Array => Buffer.from(`${value}\n`);

  function entryOf(path: string): FakeEntry {
    const entry = entries.get(dirname(path));
    if (entry === undefined) throw systemError("ENOENT");
    return entry;
  }

  function made(entry: FakeEntry): Uint8Array {
    if (entry.made?.generation === entry.written) return entry.made.outblob;
    if (entry.inblob === null) throw systemError("EINVAL");
    const error = errors.shift();
    if (error !== undefined) throw systemError(error);
    options.meanwhile?.(entry, kernel.files);
    kernel.reports += 1;
    entry.made = { generation: entry.written, outblob: options.report(entry.inblob, entry.privlevel) };
    return entry.made.outblob;
  }

  function read(path: string): Uint8Array {
    const entry = entryOf(path);
    const name = basename(path);
    if (name === "provider") return text(options.provider);
    if (name === "generation") return text(entry.written);
    if (name === "outblob") return made(entry);
    if (name === "auxblob" && options.auxblob !== undefined) {
      made(entry);
      return options.auxblob;
    }
    if (name === "privlevel_floor" && options.floor !== undefined) return text(options.floor);
    throw systemError("ENOENT");
  }

  function write(path: string, bytes: Uint8Array): void {
    const entry = entryOf(path);
    const name = basename(path);
    kernel.writes.push([name, Buffer.from(bytes).toString("latin1")]);
    if (name === "inblob") entry.inblob = Uint8Array.from(bytes);
    else if (name === "privlevel" && Number(Buffer.from(bytes).toString()) >= (options.floor ?? Infinity)) {
      entry.privlevel = Number(Buffer.from(bytes).toString());
    } else throw systemError("EINVAL");
    entry.written += 1;
  }

  function filesOf(): TsmFiles {
    return {
      async makeDirectory(path) {
        if (entries.has(path)) throw systemError("EEXIST");
        entries.set(path, { path, inblob: null, privlevel: 0, written: 0, made: null });
      },
      async removeDirectory(path) {
        if (!entries.delete(path)) throw systemError("ENOENT");
      },
      async read(path, maxBytes) {
        const bytes = read(path);
        if (bytes.length > maxBytes) throw new RangeError("too many bytes");
        return bytes;
      },
      async write(path, bytes) {
        write(path, bytes);
      },
    };
  }

  return kernel;
}
