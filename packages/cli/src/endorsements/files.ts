/** The files that the commands about Endorsements read, and where they keep what came. */
import { join } from "node:path";
import {
  parseCertificateTable,
  parseEndorsementsDocument,
  type EndorsementCache,
  type EndorsementsDocument,
  type Given,
} from "@blindbox/attestation/endorsers";
import { EncodingError } from "@blindbox/encoding";
import { readInputBytes, readInputText } from "../files.ts";
import { CliError } from "../output/failure.ts";
import { cacheDirectory } from "../places.ts";
import { fileCache } from "./file-cache.ts";

/** The cache of this user; `unwritable` is told once why nothing can be kept. */
export function endorsementsCache(unwritable: (reason: string) => void): EndorsementCache {
  let isTold = false;
  return fileCache(join(cacheDirectory(), "endorsements"), (reason) => {
    if (!isTold) unwritable(reason);
    isTold = true;
  });
}

const documentHint = "name a document that `blindbox endorsements fetch` or `export` wrote";

/** Reads a document of Endorsements. One line feed behind it is a shell's, and no part of it. */
export async function readEndorsementsDocument(path: string): Promise<EndorsementsDocument> {
  const text = await readInputText(path, "a document of Endorsements", documentHint);
  return inFile(path, documentHint, () => parseEndorsementsDocument(text.replace(/\n$/, "")));
}

const tableHint = "name the file that configfs-tsm calls auxblob, as it came with the report";

/** What the flags give beside the Evidence. */
export async function readGiven(flags: { readonly certificates?: string; readonly uvm?: string }): Promise<Given> {
  const { certificates, uvm } = flags;
  return {
    ek: certificates === undefined ? null : await readEk(certificates),
    uvm: uvm === undefined ? null : await readUvm(uvm),
  };
}

async function readEk(path: string): Promise<Uint8Array> {
  const bytes = await readInputBytes({ what: path, expected: "a table of certificates", hint: tableHint });
  const { vcek, vlek } = inFile(path, tableHint, () => parseCertificateTable(bytes));
  const ek = vlek ?? vcek;
  if (ek !== null && (vcek === null || vlek === null)) return ek;
  const actual = ek === null ? "neither" : "both";
  throw new CliError({ what: path, expected: "a VCEK or a VLEK in the table", actual, hint: tableHint });
}

async function readUvm(path: string): Promise<Uint8Array> {
  const hint = "name the reference information that the host of the container group gives (COSE)";
  const wanted = { what: path, expected: "what endorses a utility VM", hint };
  const bytes = await readInputBytes(wanted);
  if (bytes.length > 0) return bytes;
  throw new CliError({ ...wanted, actual: "an empty file" });
}

function inFile<T>(path: string, hint: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof EncodingError)) throw error;
    throw new CliError({ what: `${path}: ${error.field}`, expected: error.expected, actual: error.actual, hint });
  }
}
