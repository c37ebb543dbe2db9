/** What one thing that is wrong must lead to, and the ways in which cases make it wrong. */
import type { AttestationError, EvidenceDocument, Step, VerificationInput } from "@blindbox/attestation";
import { vendor, type Change } from "../box.ts";
import { mintVendor, sha256Text, type VendorChange } from "../vendor.ts";

export type ErrorClass = new (...rest: never[]) => AttestationError;

/** A change to a right exchange; exactly these checks must fail, in this order, and make this error. */
export interface Refusal {
  readonly name: string;
  readonly change: Change;
  readonly step: Step;
  readonly error: ErrorClass;
  readonly checks: readonly string[];
}

export function refusals(
  step: Step,
  error: ErrorClass,
  checks: readonly string[],
  changes: Readonly<Record<string, Change>>,
): readonly Refusal[] {
  return Object.entries(changes).map(([name, change]) => ({ name, change, step, error, checks }));
}

export const otherDigest = sha256Text("other");

/** Another vendor with the same names. */
export const foreign = mintVendor();

/** The pinned vendor's chain with one thing minted differently. */
export function minted(change: VendorChange): Change {
  return { vendor: mintVendor({ from: vendor, ...change }) };
}

type Proof = NonNullable<EvidenceDocument["proof"]>;

export function changedProof(change: (proof: Proof) => Proof): Change {
  return { document: (document) => ({ ...document, proof: document.proof && change(document.proof) }) };
}

export function changedInput(change: Partial<VerificationInput>): Change {
  return { input: (input) => ({ ...input, ...change }) };
}

type Members = Record<string, unknown>;

function rewritten(text: string, change: (members: Members) => Members): string {
  const members = Object.entries(change(JSON.parse(text) as Members));
  return JSON.stringify(Object.fromEntries(members.sort(([a], [b]) => (a < b ? -1 : 1))));
}

/** Changes the document's text, canonical again. */
export function changedBody(change: (members: Members) => Members): Change {
  return { body: (text) => rewritten(text, change) };
}

/** Changes the Statement's text before it is signed, canonical again. */
export function changedStatement(change: (members: Members) => Members): Change {
  return { statementText: (text) => rewritten(text, change) };
}

export function flipped(at: number): Change {
  return { evidence: (bytes) => bytes.with(at, (bytes[at] ?? 0) ^ 1) };
}

/** A box whose self-test had this result, and says so. */
export function selfTested(text: string): Change {
  return {
    statement: { sandbox: { driver: "rooted", selfTest: sha256Text(text) } },
    document: (document) => ({ ...document, selfTest: text }),
  };
}
