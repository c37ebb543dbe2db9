/** Reads what a box wrote down, over one attested connection, and compares it with what was attested there. */
import {
  ACCESS_LOG_PATH,
  type AccessLogDifference,
  type AccessLogDocument,
  type AttestationResult,
  LEDGER_PATH,
  type LedgerDifference,
  type LedgerDocument,
  MAX_ACCESS_LOG_BYTES,
  MAX_LEDGER_BYTES,
  parseAccessLog,
  parseLedger,
  verifyAccessLog,
  verifyLedger,
} from "@blindbox/attestation";
import type { SecureSession } from "@blindbox/client";
import { concatBytes, EncodingError } from "@blindbox/encoding";
import { exitCodes } from "../output/exit-codes.ts";
import { CliError } from "../output/failure.ts";

/** Both records of a box, and in what they differ from what its hardware stands behind. */
export interface Audit {
  /** What the Evidence of the box was worth, beside the records. */
  readonly status: AttestationResult["status"];
  readonly ledger: LedgerDocument;
  readonly ledgerDifferences: readonly LedgerDifference[];
  readonly accessLog: AccessLogDocument;
  readonly accessDifferences: readonly AccessLogDifference[];
}

/** One kind of record that a box keeps. */
interface DocumentKind<T> {
  /** In messages: "its ledger". */
  readonly name: string;
  readonly path: string;
  readonly maxBytes: number;
  readonly parse: (bytes: Uint8Array) => T;
}

const ledgerKind: DocumentKind<LedgerDocument> = {
  name: "ledger",
  path: LEDGER_PATH,
  maxBytes: MAX_LEDGER_BYTES,
  parse: parseLedger,
};

const accessLogKind: DocumentKind<AccessLogDocument> = {
  name: "access log",
  path: ACCESS_LOG_PATH,
  maxBytes: MAX_ACCESS_LOG_BYTES,
  parse: parseAccessLog,
};

/** A connection that ends again and again between two answers is no accident any more. */
const attempts = 3;

/**
 * Reads both records on the connection of one attestation, whose Statement names the heads of both. The Statement is the
 * older: what was written down since follows its heads in the chains.
 */
export async function readAudit(url: URL, session: SecureSession): Promise<Audit> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const { attestation } = session;
    const ledger = await readDocument(url, session, ledgerKind);
    const accessLog = await readDocument(url, session, accessLogKind);
    // Else a part came over a newer connection, which has a Statement of its own.
    if (session.attestation === attestation) return compare(attestation, ledger, accessLog);
  }
  throw new CliError({
    what: url.origin,
    expected: "two answers on one connection",
    actual: "a new connection each time",
    hint: "the box may be stopping, or somebody cuts its connections: try again",
    exitCode: exitCodes.unreachable,
  });
}

async function compare(
  { status, claims }: AttestationResult,
  ledger: LedgerDocument,
  accessLog: AccessLogDocument,
): Promise<Audit> {
  return {
    status,
    ledger,
    accessLog,
    ledgerDifferences: await verifyLedger(ledger, claims.ledger),
    accessDifferences: await verifyAccessLog(accessLog, claims.audit),
  };
}

async function readDocument<T>(url: URL, session: SecureSession, kind: DocumentKind<T>): Promise<T> {
  const bytes = await readAnswer(url, await session.get(kind.path), kind);
  try {
    return kind.parse(bytes);
  } catch (error) {
    if (!(error instanceof EncodingError)) throw error;
    throw noDocument(url, kind, `${error.field}: ${error.actual}`);
  }
}

const hints: Readonly<Record<number, string>> = {
  401: "the Manifest names no principal with this credential, or asks it for another one beside it",
  403: "write `audit: true` at this principal in the Manifest, and build the box anew",
};

async function readAnswer<T>(url: URL, response: Response, kind: DocumentKind<T>): Promise<Uint8Array> {
  if (response.status === 200) return readBody(url, response, kind);
  await response.body?.cancel();
  const hint = hints[response.status] ?? "the box may be of another version, or stopping: try again";
  const actual = `status ${response.status}`;
  throw new CliError({ what: url.origin, expected: `its ${kind.name}`, actual, hint });
}

async function readBody<T>(url: URL, { body }: Response, kind: DocumentKind<T>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    length += chunk.length;
    if (length > kind.maxBytes) throw noDocument(url, kind, "a longer answer");
    chunks.push(chunk);
  }
  return concatBytes(...chunks);
}

function noDocument<T>(url: URL, { name }: DocumentKind<T>, actual: string): CliError {
  const hint = "do not rely on this box: an attested one writes its records in one form only";
  const expected = `${name === "ledger" ? "a" : "an"} ${name}`;
  return new CliError({ what: url.origin, expected, actual, hint, exitCode: exitCodes.contraindicated });
}
