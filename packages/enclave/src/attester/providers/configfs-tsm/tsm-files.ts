/** The few things that are done to files of configfs. */
import { constants } from "node:fs";
import { mkdir, open, rmdir } from "node:fs/promises";

/** Files as configfs has them: made with their directory, never created, with no length of their own. */
export interface TsmFiles {
  makeDirectory(path: string): Promise<void>;
  removeDirectory(path: string): Promise<void>;
  /** @throws RangeError where there are more than `maxBytes`; errors of the system pass through. */
  read(path: string, maxBytes: number): Promise<Uint8Array>;
  /** All bytes with one write, as attributes need it. */
  write(path: string, bytes: Uint8Array): Promise<void>;
}

/** The machine's own. */
export const systemTsmFiles: TsmFiles = {
  makeDirectory: (path) => mkdir(path, { mode: 0o700 }),
  removeDirectory: (path) => rmdir(path),
  async read(path, maxBytes) {
    const file = await open(path, constants.O_RDONLY);
    try {
      return await readToEnd(file, maxBytes, path);
    } finally {
      await file.close();
    }
  },
  async write(path, bytes) {
    const file = await open(path, constants.O_WRONLY);
    try {
      const { bytesWritten } = await file.write(bytes, 0, bytes.length, null);
      if (bytesWritten !== bytes.length) throw new RangeError(`${path}: took ${bytesWritten} of ${bytes.length} bytes`);
    } finally {
      await file.close();
    }
  },
};

type OpenFile = Awaited<ReturnType<typeof open>>;

// What stat says of such a file is no length: reading goes on until there is nothing more.
async function readToEnd(file: OpenFile, maxBytes: number, path: string): Promise<Uint8Array> {
  const buffer = new Uint8Array(maxBytes + 1);
  let length = 0;
  while (length <= maxBytes) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
    if (bytesRead === 0) return buffer.slice(0, length);
    length += bytesRead;
  }
  throw new RangeError(`${path}: expected at most ${maxBytes} bytes, found more`);
}
