/** Where the answer to a request goes. */
import { createWriteStream, type Stats } from "node:fs";
import { access, constants, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import { onFile, type WantedFile } from "../files.ts";
import { CliError } from "../output/failure.ts";
import type { OutputStream } from "../output/terminal.ts";

function answerFile(path: string): WantedFile {
  return { what: path, expected: "a file to write the answer to", hint: "name another file" };
}

async function factsOf(path: string): Promise<Stats | null> {
  return stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
}

async function refuseInput(wanted: WantedFile, facts: Stats, inputs: readonly string[]): Promise<void> {
  for (const input of inputs) {
    const other = await factsOf(input);
    if (other === null || other.dev !== facts.dev || other.ino !== facts.ino) continue;
    throw new CliError({ ...wanted, actual: "one that this very request reads, its key or its body" });
  }
}

/**
 * Checks, before anything is sent, that the answer can be written to `path`, and that this overwrites none of `inputs`.
 * Nothing is made or emptied yet: a box that is refused has no answer. Throws a `CliError`.
 */
export function checkAnswerFile(path: string, inputs: readonly string[]): Promise<void> {
  const wanted = answerFile(path);
  return onFile(wanted, async () => {
    const facts = await factsOf(path);
    if (facts === null) return access(dirname(path), constants.W_OK | constants.X_OK);
    if (facts.isDirectory()) throw new CliError({ ...wanted, actual: "a directory" });
    await refuseInput(wanted, facts, inputs);
    return access(path, constants.W_OK);
  });
}

/** Remembers how what went through it ends. */
class LineWatch {
  isOpen: boolean = false;

  async *pass(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      if (chunk.length > 0) this.isOpen = chunk.at(-1) !== 10;
      yield chunk;
    }
  }
}

/** Writes to the standard output; a reader that has seen enough ends it, and nothing is wrong. */
async function writeOut(body: Readable, stdout: OutputStream): Promise<boolean> {
  const line = new LineWatch();
  try {
    await pipeline(body, (chunks: AsyncIterable<Uint8Array>) => line.pass(chunks), stdout, { end: false });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EPIPE")) throw error;
  }
  return line.isOpen;
}

/**
 * Writes the body as it arrives, so that a long answer can be watched and piped on. Resolves to whether it left a line
 * open on `stdout`. Throws a `CliError` for a file that cannot be written.
 */
export async function writeAnswer(
  answer: ReadableStream<Uint8Array>,
  output: string | undefined,
  stdout: OutputStream,
): Promise<boolean> {
  const body = Readable.fromWeb(answer);
  if (output === undefined) return writeOut(body, stdout);
  await onFile(answerFile(output), () => pipeline(body, createWriteStream(output)));
  return false;
}
