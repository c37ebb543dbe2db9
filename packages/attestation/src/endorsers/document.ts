/** Endorsements as a file: for machines without a network, and for the archive. */
import { canonicalJson, EncodingError, jsonObject, parseCanonicalJson, type JsonValue } from "@blindbox/encoding";
import { jsonType } from "../json.ts";
import type { Fragment } from "./cache.ts";
import { EndorserError } from "./endorser-error.ts";
import { pick } from "./obtain.ts";
import type { Dated } from "./part.ts";
import { contentsOf } from "./plan.ts";
import { parseSubject, type EndorsementSubject } from "./subject.ts";

/** Longest document that is read: two CRLs at their limit, in base64url, and some KiB of certificates. */
export const MAX_ENDORSEMENTS_BYTES: number = 2 * 1024 * 1024;

/** Deepest that it nests: document, endorsements, list. */
const maxDepth = 4;

const documentType = "blindbox-endorsements/1";

/** Endorsements, and the machine that they are for. */
export interface EndorsementsDocument {
  readonly subject: EndorsementSubject;
  /** In the form that the Verifier of that TEE reads. */
  readonly endorsements: Fragment;
}

/**
 * Reads a document: canonical JSON of at most 2 MiB with exactly its members, whose certificates, CRLs and signed texts are
 * of the form and the machine that they have to be. Their signatures are the Verifier's to check.
 *
 * @throws EncodingError for anything else.
 */
export function parseEndorsementsDocument(input: Uint8Array | string): EndorsementsDocument {
  const value = parseCanonicalJson(input, { maxBytes: MAX_ENDORSEMENTS_BYTES, maxDepth });
  const members = jsonObject(value, "document", ["type", "subject", "endorsements"]);
  jsonType(members.type, "document.type", documentType);
  const subject = parseSubject(members.subject, "document.subject");
  const document = { subject, endorsements: readMembers(subject, members.endorsements) };
  endorsementDates(document);
  return document;
}

/**
 * The one text of a document.
 *
 * @throws EncodingError where the result would not be read back.
 */
export function formatEndorsementsDocument(subject: EndorsementSubject, endorsements: JsonValue): string {
  const text = canonicalJson({ type: documentType, subject: { ...subject } as JsonValue, endorsements });
  parseEndorsementsDocument(text);
  return text;
}

/** The dates of every certificate, CRL and signed text in a document. @throws EncodingError */
export function endorsementDates({ subject, endorsements }: EndorsementsDocument): readonly Dated[] {
  return contentsOf(subject).flatMap(({ members, check }) => asEncoding(() => check(pick(members, endorsements))));
}

function readMembers(subject: EndorsementSubject, value: JsonValue | undefined): Fragment {
  const names = contentsOf(subject).flatMap(({ members }) => members);
  return jsonObject(value, "document.endorsements", names);
}

// Somebody's file is wrong, and no vendor's answer.
function asEncoding<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof EndorserError)) throw error;
    throw new EncodingError("bad-encoding", `document.endorsements.${error.field}`, error.expected, error.actual);
  }
}
