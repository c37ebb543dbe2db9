/** The Evidence document: what a box answers, as one canonical JSON text. */
import {
  canonicalJson,
  jsonArray,
  jsonInteger,
  jsonObject,
  jsonString,
  parseCanonicalJson,
  toBase64url,
  type JsonValue,
  type MerkleProof,
} from "@blindbox/encoding";
import { jsonBytes, jsonOrNull, jsonTee, jsonType } from "./json.ts";
import type { EvidenceDocument } from "./types.ts";

/** Path at which a box answers `POST` with fresh Evidence and `GET` with its last. Never reaches the app. */
export const EVIDENCE_PATH = "/.well-known/blindbox/attestation";

/** Media type of the Evidence document. */
export const EVIDENCE_MEDIA_TYPE = "application/vnd.blindbox.evidence+json";

/**
 * Longest document that is read: a Manifest of 2 MiB of which every character is escaped, and 1 MiB for the rest. Common
 * ones take some 40 KiB.
 */
export const MAX_EVIDENCE_DOCUMENT_BYTES: number = 5 * 1024 * 1024;

/** Deepest that Endorsements or a Release nest is 6; twice that leaves room and bounds the parser's stack. */
const maxDepth = 12;

/** A batch holds at most 4096 leaves, so a path has at most 12 nodes. */
const maxLeaves = 4096;
const maxPath = 12;

const documentType = "blindbox-evidence/1";
const documentMembers = [
  "type",
  "tee",
  "evidence",
  "endorsements",
  "statement",
  "selfTest",
  "proof",
  "manifest",
  "release",
] as const;

/**
 * Reads an Evidence document: canonical JSON of at most 5 MiB with exactly its members. Its texts (Statement, self-test,
 * Manifest) and its Endorsements are carried as they are, read by those who know them.
 *
 * @throws EncodingError for anything else.
 */
export function parseEvidenceDocument(input: Uint8Array | string): EvidenceDocument {
  const value = parseCanonicalJson(input, { maxBytes: MAX_EVIDENCE_DOCUMENT_BYTES, maxDepth });
  const members = jsonObject(value, "document", documentMembers);
  jsonType(members.type, "document.type", documentType);
  return {
    tee: jsonTee(members.tee, "document.tee"),
    evidence: jsonBytes(members.evidence, "document.evidence"),
    endorsements: members.endorsements,
    statement: jsonString(members.statement, "document.statement"),
    selfTest: jsonString(members.selfTest, "document.selfTest"),
    proof: jsonOrNull(members.proof, parseProof),
    manifest: jsonString(members.manifest, "document.manifest"),
    release: members.release,
  };
}

function parseProof(value: JsonValue): MerkleProof {
  const members = jsonObject(value, "document.proof", ["index", "size", "path"]);
  return {
    index: jsonInteger(members.index, "document.proof.index", { min: 0, max: maxLeaves - 1 }),
    size: jsonInteger(members.size, "document.proof.size", { min: 1, max: maxLeaves }),
    path: jsonArray(members.path, "document.proof.path", maxPath).map((node, at) =>
      jsonBytes(node, `document.proof.path[${at}]`, 32),
    ),
  };
}

/**
 * The one text of an Evidence document, for a box to send.
 *
 * @throws EncodingError where the result would not be read back.
 */
export function formatEvidenceDocument(document: EvidenceDocument): string {
  const text = canonicalJson({
    type: documentType,
    tee: document.tee,
    evidence: toBase64url(document.evidence),
    endorsements: document.endorsements,
    statement: document.statement,
    selfTest: document.selfTest,
    proof: document.proof === null ? null : formatProof(document.proof),
    manifest: document.manifest,
    release: document.release,
  });
  parseEvidenceDocument(text);
  return text;
}

function formatProof(proof: MerkleProof): JsonValue {
  return { index: proof.index, size: proof.size, path: proof.path.map((node) => toBase64url(node)) };
}
