/** The table of certificates that a host hands to an SEV-SNP guest beside its report (GHCB specification, extended report). */
import { ByteReader, EncodingError, toHex } from "@blindbox/encoding";

/** The kinds of entry that are known, by the 16 bytes of their GUID in textual order. */
const kinds = {
  "63da758de6644564adc5f4b93be8accd": "vcek",
  a8074bc2a25a483eaae639c045a0b8a1: "vlek",
  "4ab7b379bbac4fe4a02f05aef327c782": "ask",
  c0b406a4a803495297433fb6014cd0ae: "ark",
  "92f81bc358114d3d97ffd19f88dc67ea": "crl",
} as const;

type Kind = (typeof kinds)[keyof typeof kinds];

/** What the host handed over; `null` is what it did not. The host may hand over anything: nothing here is trusted. */
export type CertificateTable = Readonly<Record<Kind, Uint8Array | null>>;

/** A GUID, an offset and a length. */
const entryBytes = 24;
/** Five kinds are known; hosts may add some of their own. */
const maxEntries = 16;
/** Certificates of an EK take 1,400 bytes, a CRL up to some hundred KiB. */
const maxTableBytes = 1024 * 1024;
const noGuid = "00".repeat(16);

interface Entry {
  readonly guid: string;
  readonly offset: number;
  readonly length: number;
}

/**
 * Reads the table, as configfs-tsm has it in `auxblob`. Entries of unknown kinds are passed over; the rest is strict: an
 * entry of zeros ends the list, no kind stands there twice, contents lie behind the list, inside the table, and apart from
 * one another. An empty table is one of a host that has no certificates.
 *
 * @throws EncodingError for anything else.
 */
export function parseCertificateTable(bytes: Uint8Array): CertificateTable {
  if (bytes.length > maxTableBytes) throw tooMuch(`at most ${maxTableBytes} bytes`, `${bytes.length} bytes`);
  const entries = bytes.length === 0 ? [] : readEntries(bytes);
  demandApart(entries, bytes.length);
  const content = (kind: Kind): Uint8Array | null => contentOf(kind, entries, bytes);
  return {
    vcek: content("vcek"),
    vlek: content("vlek"),
    ask: content("ask"),
    ark: content("ark"),
    crl: content("crl"),
  };
}

function readEntries(bytes: Uint8Array): readonly Entry[] {
  const reader = new ByteReader(bytes, "certificateTable");
  const entries: Entry[] = [];
  for (;;) {
    const guid = toHex(reader.bytes(16, "guid"));
    const entry = { guid, offset: reader.u32le("offset"), length: reader.u32le("length") };
    if (guid === noGuid && entry.offset === 0 && entry.length === 0) return entries;
    if (entries.length === maxEntries) throw tooMuch(`at most ${maxEntries} entries`, "more");
    entries.push(entry);
  }
}

function demandApart(entries: readonly Entry[], end: number): void {
  let free = entryBytes * (entries.length + 1);
  for (const { offset, length } of entries.toSorted((one, other) => one.offset - other.offset)) {
    if (offset < free) throw refused("contents behind the list and apart from one another", "contents that overlap");
    if (length === 0 || offset + length > end) throw refused("contents inside the table", "contents outside, or none");
    free = offset + length;
  }
  if (new Set(entries.map(({ guid }) => guid)).size !== entries.length) throw refused("each kind once", "one twice");
}

function contentOf(kind: Kind, entries: readonly Entry[], bytes: Uint8Array): Uint8Array | null {
  const known = new Map<string, Kind>(Object.entries(kinds));
  const entry = entries.find(({ guid }) => known.get(guid) === kind);
  return entry === undefined ? null : bytes.slice(entry.offset, entry.offset + entry.length);
}

function refused(expected: string, actual: string): EncodingError {
  return new EncodingError("bad-encoding", "certificateTable", expected, actual);
}

function tooMuch(expected: string, actual: string): EncodingError {
  return new EncodingError("limit-exceeded", "certificateTable", expected, actual);
}
