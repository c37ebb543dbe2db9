/** A cache of Endorsements in a directory of this user: one file for each part. */
import { createHash, randomBytes } from "node:crypto";
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CachedPart, EndorsementCache, Fragment } from "@blindbox/attestation/endorsers";
import {
  canonicalJson,
  EncodingError,
  jsonInteger,
  jsonObject,
  jsonString,
  parseCanonicalJson,
} from "@blindbox/encoding";
import { fileReason } from "../files.ts";

const partType = "blindbox-endorsement-part/1";

/** A CRL at its limit in base64url, and room for the rest. */
const maxBytes = 1024 * 1024;

const seconds = { min: 0, max: Number.MAX_SAFE_INTEGER };

/**
 * A cache in `directory`, made when something is first put there. A file that is not ours, or not whole, is as good as none;
 * where nothing can be written `unwritable` is told why, and the command goes on without.
 */
export function fileCache(directory: string, unwritable: (reason: string) => void): EndorsementCache {
  const fileOf = (key: string): string => join(directory, `${createHash("sha256").update(key).digest("hex")}.json`);
  return {
    get: (key) => readPart(fileOf(key), key),
    put: async (key, part) => {
      try {
        await mkdir(directory, { recursive: true, mode: 0o700 });
        await replaceFile(fileOf(key), formatPart(key, part));
      } catch (error) {
        unwritable(reasonOf(error));
      }
    },
  };
}

async function readPart(file: string, key: string): Promise<CachedPart | null> {
  try {
    const { size } = await stat(file);
    return size > maxBytes ? null : parsePart(await readFile(file), key);
  } catch (error) {
    if (error instanceof EncodingError || fileReason(error) !== undefined) return null;
    throw error;
  }
}

function parsePart(bytes: Uint8Array, key: string): CachedPart | null {
  const members = jsonObject(parseCanonicalJson(bytes), "part", ["type", "key", "fetched", "notAfter", "fragment"]);
  const isOurs = jsonString(members.type, "part.type") === partType && jsonString(members.key, "part.key") === key;
  if (!isOurs || typeof members.fragment !== "object" || members.fragment === null) return null;
  return {
    fragment: members.fragment as Fragment,
    fetched: jsonInteger(members.fetched, "part.fetched", seconds),
    notAfter: jsonInteger(members.notAfter, "part.notAfter", seconds),
  };
}

function formatPart(key: string, { fragment, fetched, notAfter }: CachedPart): string {
  return canonicalJson({ type: partType, key, fetched, notAfter, fragment });
}

// Two commands may run at the same time, and one may be killed: a file is whole, or not there.
async function replaceFile(file: string, text: string): Promise<void> {
  const draft = `${file}.${randomBytes(8).toString("hex")}`;
  try {
    await writeFile(draft, text, { mode: 0o600, flag: "wx" });
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

function reasonOf(error: unknown): string {
  const reason = fileReason(error);
  if (reason === undefined) throw error;
  return reason;
}
