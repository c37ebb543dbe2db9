/** The file that `verify --save` writes and `verify --bundle` reads: one exchange, and what it was compared with then. */
import type { VerificationInput } from "@blindbox/attestation";
import {
  canonicalJson,
  EncodingError,
  fromBase64url,
  fromUtf8,
  jsonArray,
  jsonInteger,
  jsonObject,
  jsonString,
  parseCanonicalJson,
  parseSha256,
  toBase64url,
  type JsonValue,
} from "@blindbox/encoding";
import { parseRelease } from "@blindbox/release";

/** One kept exchange. Whoever saved it vouches for url, time, nonce, exporter and key; nothing in it is a credential. */
export interface Bundle {
  readonly url: string;
  /** When it took place, by the clock of whoever saved it, in seconds since 1970. */
  readonly time: number;
  readonly exchange: VerificationInput;
  /** Texts of the releases that were accepted when it was saved. */
  readonly releases: readonly string[];
  /** Digest of the Manifest that was required when it was saved. */
  readonly manifest: string;
}

const type = "blindbox-bundle/1";
const members = ["type", "url", "time", "document", "nonce", "exporter", "tls", "releases", "manifest"] as const;

/** An Evidence document of 5 MiB, its characters escaped, and releases of some hundred KiB. */
export const MAX_BUNDLE_BYTES: number = 16 * 1024 * 1024;

/** The one text of a bundle. */
export function formatBundle({ url, time, exchange, releases, manifest }: Bundle): string {
  const { document, nonce, channel, peerKey } = exchange;
  return canonicalJson({
    type,
    url,
    time,
    document: typeof document === "string" ? document : fromUtf8(document),
    nonce: nonce === null ? null : toBase64url(nonce),
    exporter: channel.binding === "tls-exporter" ? toBase64url(channel.exporter) : null,
    tls: peerKey === null ? null : toBase64url(peerKey.tlsSpki),
    releases: [...releases],
    manifest,
  });
}

/**
 * Reads a bundle strictly.
 *
 * @throws EncodingError for anything that `formatBundle` does not write.
 */
export function parseBundle(text: string): Bundle {
  const value = parseCanonicalJson(text, { maxBytes: MAX_BUNDLE_BYTES, maxDepth: 2 });
  const found = jsonObject(value, "bundle", members);
  const given = jsonString(found.type, "bundle.type");
  if (given !== type) throw new EncodingError("bad-encoding", "bundle.type", type, "another type");
  return {
    url: originOf(jsonString(found.url, "bundle.url")),
    time: jsonInteger(found.time, "bundle.time", { min: 0, max: 253_402_300_799 }),
    exchange: {
      document: jsonString(found.document, "bundle.document"),
      nonce: bytesOrNull(found.nonce, "bundle.nonce", 32),
      channel: channelOf(bytesOrNull(found.exporter, "bundle.exporter", 32)),
      peerKey: peerKeyOf(bytesOrNull(found.tls, "bundle.tls", null)),
    },
    releases: jsonArray(found.releases, "bundle.releases", 64).map(releaseOf),
    manifest: digestOf(jsonString(found.manifest, "bundle.manifest")),
  };
}

/** An address with nothing in it but host and port: no name, no password, no path. */
function originOf(text: string): string {
  if (URL.canParse(text)) {
    const { origin, protocol } = new URL(text);
    if (protocol === "https:" && origin === text) return text;
  }
  throw new EncodingError("bad-encoding", "bundle.url", "an https origin", "something else");
}

function releaseOf(value: JsonValue, at: number): string {
  const text = jsonString(value, `bundle.releases[${at}]`);
  parseRelease(text);
  return text;
}

function digestOf(text: string): string {
  parseSha256(text, "bundle.manifest");
  return text;
}

function bytesOrNull(value: JsonValue, path: string, length: number | null): Uint8Array | null {
  if (value === null) return null;
  const bytes = fromBase64url(jsonString(value, path), path);
  if (length === null ? bytes.length > 0 : bytes.length === length) return bytes;
  throw new EncodingError("bad-encoding", path, length === null ? "bytes" : `${length} bytes`, `${bytes.length} bytes`);
}

function channelOf(exporter: Uint8Array | null): VerificationInput["channel"] {
  if (exporter === null) return { binding: "none" };
  if (exporter.some((byte) => byte !== 0)) return { binding: "tls-exporter", exporter };
  throw new EncodingError("bad-encoding", "bundle.exporter", "bytes that name a connection", "zeros");
}

function peerKeyOf(tlsSpki: Uint8Array | null): VerificationInput["peerKey"] {
  return tlsSpki === null ? null : { tlsSpki };
}
