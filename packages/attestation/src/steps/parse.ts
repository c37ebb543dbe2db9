/** Step 1: everything is read strictly, and nothing is believed. */
import type { Appraisal, Settings } from "../appraisal.ts";
import { parseStatement } from "../binding.ts";
import { parseEvidenceDocument } from "../document.ts";
import { compared, malformed, skipped } from "../findings.ts";
import type { VerificationInput } from "../input.ts";
import type { ParsedEvidence, Tee } from "../tee.ts";
import type { EvidenceDocument, Finding, Statement } from "../types.ts";

interface Reading<T> {
  readonly value: T | null;
  readonly finding: Finding;
}

/** Reads what came in, as far as it can be read. */
export function openAppraisal(input: VerificationInput, settings: Settings, now: number): Appraisal {
  const document = readDocument(input.document);
  const statement = readStatement(document.value);
  const tee = (document.value && settings.tees.get(document.value.tee)) ?? null;
  const evidence = readEvidence(document.value, tee);
  const kind = compareKind(document.value, statement.value);
  return {
    ...settings,
    connection: input,
    now,
    document: document.value,
    statement: statement.value,
    tee,
    evidence: evidence.value,
    parsing: [document.finding, evidence.finding, statement.finding, kind],
  };
}

function reading<T>(check: string, what: string, failed: string, read: () => T): Reading<T> {
  try {
    const value = read();
    const passed = `${what} has exactly the form that it has to have.`;
    return {
      value,
      finding: compared({ step: "parse", check, holds: true, expected: what, actual: what, passed, failed }),
    };
  } catch (error) {
    return { value: null, finding: malformed("parse", check, error, failed) };
  }
}

function unread<T>(check: string, expected: string, reason: string): Reading<T> {
  return { value: null, finding: skipped("parse", check, expected, reason) };
}

function readDocument(body: Uint8Array | string): Reading<EvidenceDocument> {
  const failed = "The answer is no Evidence document.";
  return reading("document-form", "An Evidence document", failed, () => parseEvidenceDocument(body));
}

function readStatement(document: EvidenceDocument | null): Reading<Statement> {
  if (document === null) return unread("statement-form", "A Statement", "There is no document to read it from.");
  const failed = "The Statement is not one that this version knows, so nothing it says can be relied on.";
  return reading("statement-form", "A Statement", failed, () => parseStatement(document.statement));
}

function readEvidence(document: EvidenceDocument | null, tee: Tee | null): Reading<ParsedEvidence> {
  if (document === null) return unread("evidence-form", "Evidence", "There is no document to read it from.");
  if (tee === null) return unread("evidence-form", "Evidence", "This Verifier does not accept that kind of TEE.");
  const failed = "The Evidence has not the form that this kind of TEE gives it.";
  return reading("evidence-form", "Evidence", failed, () => tee.parseEvidence(document.evidence));
}

function compareKind(document: EvidenceDocument | null, statement: Statement | null): Finding {
  if (document === null || statement === null) {
    return skipped("parse", "statement-tee", "one kind of TEE throughout", "There is no Statement to compare.");
  }
  return compared({
    step: "parse",
    check: "statement-tee",
    holds: document.tee === statement.tee,
    expected: document.tee,
    actual: statement.tee,
    passed: "Document and Statement name the same kind of TEE.",
    failed: "The Statement was made for another kind of TEE than the Evidence.",
  });
}
