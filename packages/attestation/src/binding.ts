/** The one definition of Statement, Binding and leaf hash (DESIGN section 5). Attester and Verifier both use it. */
import {
  canonicalJson,
  concatBytes,
  digest,
  EncodingError,
  jsonInteger,
  jsonObject,
  jsonString,
  parseCanonicalJson,
  utf8,
  type JsonValue,
} from "@blindbox/encoding";
import { jsonBytes, jsonOrNull, jsonSha256, jsonTee, jsonType } from "./json.ts";
import type { BindingMode, Statement } from "./types.ts";

/** Label of the TLS exporter that a connection is known by (RFC 9266), used with an empty context and 32 bytes. */
export const EXPORTER_LABEL = "EXPORTER-Channel-Binding";

/** Longest Statement that is read: its fixed members need 700 bytes; the rest is room for a key configuration. */
const maxStatementBytes = 8192;

const statementMembers = [
  "type",
  "tee",
  "time",
  "runtime",
  "manifest",
  "tls",
  "channel",
  "sandbox",
  "ledger",
  "audit",
  "challenge",
] as const;

/**
 * Reads a Statement: canonical JSON (RFC 8785), exactly the members of DESIGN section 5, type `blindbox-statement/1`.
 *
 * @throws EncodingError for anything else; what it says of itself is not judged here.
 */
export function parseStatement(text: string): Statement {
  const value = parseCanonicalJson(text, { maxBytes: maxStatementBytes, maxDepth: 2 });
  const members = jsonObject(value, "statement", statementMembers);
  return {
    type: jsonType(members.type, "statement.type", "blindbox-statement/1"),
    tee: jsonTee(members.tee, "statement.tee"),
    time: jsonInteger(members.time, "statement.time", { min: 0, max: Number.MAX_SAFE_INTEGER }),
    runtime: jsonSha256(members.runtime, "statement.runtime"),
    manifest: jsonSha256(members.manifest, "statement.manifest"),
    tls: jsonSha256(members.tls, "statement.tls"),
    channel: jsonOrNull(members.channel, keyConfiguration),
    sandbox: sandbox(members.sandbox),
    ledger: jsonOrNull(members.ledger, (value) => jsonSha256(value, "statement.ledger")),
    audit: jsonOrNull(members.audit, (value) => jsonSha256(value, "statement.audit")),
    challenge: challenge(members.challenge),
  };
}

function keyConfiguration(value: JsonValue): string {
  jsonBytes(value, "statement.channel");
  return jsonString(value, "statement.channel");
}

function sandbox(value: JsonValue): Statement["sandbox"] {
  const members = jsonObject(value, "statement.sandbox", ["driver", "selfTest"]);
  const driver = jsonString(members.driver, "statement.sandbox.driver");
  // A driver's name is shown to people: a short word of ours, never free text of the box.
  if (!/^[a-z][a-z0-9-]{0,31}$/.test(driver)) {
    throw new EncodingError("bad-encoding", "statement.sandbox.driver", "a driver's name", "other text");
  }
  return { driver, selfTest: jsonSha256(members.selfTest, "statement.sandbox.selfTest") };
}

function challenge(value: JsonValue | undefined): string {
  jsonBytes(value, "statement.challenge", 32);
  return jsonString(value, "statement.challenge");
}

/**
 * The one text of a Statement: canonical JSON. Reads its own result back, so that nothing is said that no one accepts.
 *
 * @throws EncodingError where a member is missing, unknown or malformed.
 */
export function formatStatement(statement: Statement): string {
  const text = canonicalJson({ ...statement, sandbox: { ...statement.sandbox } });
  parseStatement(text);
  return text;
}

/** The Binding: SHA-512 over the Statement's exact text in UTF-8, 64 bytes, placed in the Evidence. */
export function bindingOf(statementText: string): Promise<Uint8Array> {
  return digest("SHA-512", utf8(statementText));
}

/**
 * The leaf hash of one asker: `SHA-256(0x00 ‖ mode ‖ nonce ‖ b)`. Mode 1 is `tls-exporter`, where b is the 32 bytes of
 * {@link EXPORTER_LABEL}; mode 0 is `none`, where b is 32 zero bytes.
 *
 * @throws TypeError where the nonce is not 32 bytes, the exporter of mode `tls-exporter` is missing, of another length
 * or all zero, or mode `none` comes with an exporter: never the weaker mode in silence.
 */
export function leafHash(mode: BindingMode, nonce: Uint8Array, exporter: Uint8Array | undefined): Promise<Uint8Array> {
  if (!(nonce instanceof Uint8Array) || nonce.length !== 32) throw new TypeError("nonce: expected 32 bytes");
  const bound = mode === "tls-exporter" ? exporterBytes(exporter) : noExporter(mode, exporter);
  return digest("SHA-256", concatBytes(Uint8Array.of(0, mode === "tls-exporter" ? 1 : 0), nonce, bound));
}

function exporterBytes(exporter: Uint8Array | undefined): Uint8Array {
  if (!(exporter instanceof Uint8Array) || exporter.length !== 32) throw new TypeError("exporter: expected 32 bytes");
  if (exporter.every((byte) => byte === 0)) throw new TypeError("exporter: all zero, so it names no connection");
  return exporter;
}

function noExporter(mode: BindingMode, exporter: Uint8Array | undefined): Uint8Array {
  if (mode !== "none") throw new TypeError('mode: expected "tls-exporter" or "none"');
  if (exporter !== undefined) throw new TypeError('exporter: mode "none" takes no exporter');
  return new Uint8Array(32);
}
