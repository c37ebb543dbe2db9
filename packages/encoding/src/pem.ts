/** PEM of RFC 7468, read strictly: nothing but blocks of the one label, and blank lines between them. */
import { fromBase64, toBase64 } from "./bytes/base64.ts";
import { EncodingError } from "./encoding-error.ts";

/** A vendor's chain of four certificates takes 10 KiB, the largest revocation lists some hundred. */
const maxCharacters = 1024 * 1024;

/** Chains have at most five certificates; a bundle of roots some more. */
const maxBlocks = 64;

/** RFC 7468 writes 64; MIME's 76 is the most that tools emit. */
const maxLineLength = 76;

/**
 * The contents of every block, in order: at least one, each labelled `label`, and no other text around them.
 *
 * @throws EncodingError for another label, headers, text between blocks, an unfinished or empty block, no block at all,
 * more than 64 blocks or 1 MiB.
 */
export function parsePem(text: string, label: string, field: string = "pem"): Uint8Array[] {
  atMost(text.length, maxCharacters, "characters", field);
  const blocks = blocksOf(text.split(/\r?\n/), label, field);
  atMost(blocks.length, maxBlocks, "blocks", field);
  if (blocks.length === 0) throw new EncodingError("bad-encoding", field, `a ${label} block`, "none");
  return blocks.map((block) => fromBase64(block, field));
}

/** One block, with lines of 64 characters and a newline at its end. */
export function formatPem(label: string, der: Uint8Array): string {
  const lines = toBase64(der).match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}

function blocksOf(lines: readonly string[], label: string, field: string): string[] {
  const blocks: string[] = [];
  let body: string[] | null = null;
  for (const line of lines) {
    if (body === null) {
      if (line === "") continue;
      if (line !== `-----BEGIN ${label}-----`) throw unexpectedLine(field, `BEGIN ${label}`);
      body = [];
    } else if (line === `-----END ${label}-----`) {
      blocks.push(contentsOf(body, field));
      body = null;
    } else if (line === "" || line.length > maxLineLength) {
      throw unexpectedLine(field, `base64 or END ${label}`);
    } else body.push(line);
  }
  if (body !== null) throw new EncodingError("truncated", field, `END ${label}`, "the end of the text");
  return blocks;
}

function contentsOf(body: readonly string[], field: string): string {
  if (body.length > 0) return body.join("");
  throw new EncodingError("bad-encoding", field, "a block with contents", "an empty block");
}

function unexpectedLine(field: string, expected: string): EncodingError {
  return new EncodingError("bad-encoding", field, expected, "another line");
}

function atMost(count: number, max: number, unit: string, field: string): void {
  if (count > max) throw new EncodingError("limit-exceeded", field, `at most ${max} ${unit}`, `${count} ${unit}`);
}
