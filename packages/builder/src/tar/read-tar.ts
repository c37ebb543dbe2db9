/** Reading tar archives (ustar, PAX and GNU forms) with `tar-stream`, entry by entry, nothing held. */
import { pipeline } from "node:stream/promises";
import { extract } from "tar-stream";
import { BuildError, type BuildErrorCode } from "../build-error.ts";

/** The header of one entry as it stands in the archive, long names applied; not checked yet. */
export interface TarHeader {
  readonly name: string;
  /** Null for a type that the reader does not know, GNU sparse files among them. */
  readonly type: string | null;
  readonly linkname: string | null;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: Date;
  readonly size: number;
  readonly devmajor: number;
  readonly devminor: number;
  /** Where the content starts in the archive. */
  readonly byteOffset: number;
  /** The PAX records of this entry, the archive's global ones under them. */
  readonly pax: Readonly<Record<string, string>> | null;
}

/** Takes one entry. What it leaves of the body is skipped. */
export type TarVisitor = (header: TarHeader, body: AsyncIterable<Uint8Array>) => void | Promise<void>;

/** A body whose rest is skipped with `resume`. */
interface EntryBody extends AsyncIterable<Uint8Array> {
  resume(): unknown;
}

/** What errors say of the archive. */
export interface TarName {
  readonly field: string;
  readonly code: BuildErrorCode;
}

/**
 * Calls `visit` for each entry in order and waits for it. Throws what `visit` or the source throws, and a BuildError of
 * the given name when the bytes are no tar archive or end within an entry.
 */
export async function readTar(source: AsyncIterable<Uint8Array>, name: TarName, visit: TarVisitor): Promise<void> {
  const parser = extract();
  const seen: { failure: unknown } = { failure: null };
  const take = async (header: TarHeader, body: EntryBody, next: (error?: Error) => void): Promise<void> => {
    try {
      await visit(header, body);
    } catch (error) {
      seen.failure = error;
      return next(new Error("refused"));
    }
    body.resume();
    next();
  };
  parser.on("entry", (header, body, next) => {
    // The parser destroys a half-read body when the source fails; that failure itself is told by the pipeline.
    body.on("error", () => {});
    void take(header as unknown as TarHeader, body as unknown as EntryBody, next);
  });
  try {
    await pipeline(guarded(source, seen), parser);
  } catch (error) {
    throw seen.failure ?? malformedTar(name, error);
  }
}

/** Keeps the source's own error apart from those of the parser. */
async function* guarded(source: AsyncIterable<Uint8Array>, seen: { failure: unknown }): AsyncGenerator<Uint8Array> {
  try {
    yield* source;
  } catch (error) {
    seen.failure ??= error;
    throw error;
  }
}

function malformedTar({ field, code }: TarName, error: unknown): BuildError {
  const actual = error instanceof Error ? error.message : "other bytes";
  return new BuildError(code, { field, expected: "a whole tar archive", actual });
}
