/** What `@file`, `@-` and plain text behind a flag stand for. Files are looked at when the flag is read, and read when they are sent. */
import { createReadStream, openAsBlob } from "node:fs";
import { access, constants, stat } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import type { RequestBody } from "@blindbox/client";
import { onFile } from "../files.ts";
import { CliError } from "../output/failure.ts";

/** Something that tells its end only when it comes: a pipe, a device. */
export interface Stream {
  readonly open: () => AsyncIterable<Uint8Array>;
}

/** Text as it stands, the bytes of a file on disk, or a stream. */
export type Content = string | Blob | Stream;

const hint = "`@` before a name means the content of that file";

/** A content type, and the path that `@path` and `@path;type=…` name. */
export interface NamedFile {
  readonly path: string;
  readonly type: string;
}

/** Checks what `@path` names; nothing of it is read yet. Throws a `CliError` where that would fail. */
export function readNamedFile({ path, type }: NamedFile): Promise<Content> {
  if (path === "-") return Promise.resolve({ open: () => process.stdin });
  return onFile({ what: path, expected: "a file to send", hint }, async () => {
    const facts = await stat(path);
    if (facts.isDirectory())
      throw new CliError({ what: path, expected: "a file to send", actual: "a directory", hint });
    await access(path, constants.R_OK);
    // Some files have content and no size: those of /proc.
    if (facts.isFile() && facts.size > 0) return openAsBlob(path, { type });
    return { open: () => createReadStream(path) };
  });
}

/** What the value of `--data` and `--data-binary` stands for. Throws like {@link readNamedFile}. */
export async function readContent(value: string): Promise<Content> {
  return value.startsWith("@") ? readNamedFile({ path: value.slice(1), type: "" }) : value;
}

/** Whether a stream is still to be read. */
export function isStream(content: Content): content is Stream {
  return typeof content !== "string" && "open" in content;
}

/** The content as a part of a body whose length is stated: a stream is read to its end, into memory. */
export async function wholeContent(content: Content, type: string): Promise<string | Blob> {
  return isStream(content) ? new Blob([await buffer(content.open())], { type }) : content;
}

/** A stream up to this many bytes is sent with its length, since many applications take no other body. */
const statedBytes = 2 ** 24;

/** The content as a body. A stream that does not end soon is sent as it comes, in chunks. */
export async function bodyOf(content: Content): Promise<RequestBody> {
  if (!isStream(content)) return content;
  const rest = content.open()[Symbol.asyncIterator]();
  const read: Uint8Array[] = [];
  for (let bytes = 0; bytes <= statedBytes; bytes += read.at(-1)?.length ?? 0) {
    const next = await rest.next();
    if (next.done === true) return new Uint8Array(Buffer.concat(read));
    read.push(next.value);
  }
  return goOn(read, rest);
}

async function* goOn(read: readonly Uint8Array[], rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* read;
  yield* { [Symbol.asyncIterator]: () => rest };
}
