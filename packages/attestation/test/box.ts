/** A fake box and its asker: a whole exchange that is right, or has one thing wrong. */
import {
  bindingOf,
  createVerifier,
  formatEvidenceDocument,
  formatStatement,
  leafHash,
  SELF_TEST_PROBES,
  simulated,
  strictPolicy,
  type AppraisalPolicy,
  type AttestationResult,
  type EvidenceDocument,
  type ReferenceValues,
  type SimulatedReportBody,
  type Statement,
  type Tee,
  type VerificationInput,
} from "@blindbox/attestation";
import { merkleTree } from "@blindbox/encoding";
import { base64url, mintVendor, NOW, pem, random, report, sha256Text, type Vendor } from "./vendor.ts";

export const vendor: Vendor = mintVendor();
export const measurement: Uint8Array = random(48);
export const manifest = '{"name":"transcriber","type":"blindbox-manifest/1"}';
export const runtime = sha256Text("runtime");
export const selfTest = selfTestText("denied");
export const tlsSpki: Uint8Array = random(91);

export function selfTestText(outcome: string, change: Record<string, string> = {}): string {
  const outcomes = Object.fromEntries(SELF_TEST_PROBES.map((probe) => [probe, outcome]));
  return JSON.stringify(
    Object.fromEntries(Object.entries({ ...outcomes, ...change }).sort(([a], [b]) => (a < b ? -1 : 1))),
  );
}

export const reference: ReferenceValues = {
  tee: "simulated",
  registers: { measurement: Buffer.from(measurement).toString("hex") },
  manifest: sha256Text(manifest),
  runtime,
  release: "acme/transcriber 1.0.0",
};

/** One thing (or more) to do differently; everything else is right. */
export interface Change {
  readonly vendor?: Vendor;
  readonly statement?: Partial<Statement>;
  /** Changes the text after it was made and before it is hashed. */
  readonly statementText?: (text: string) => string;
  readonly report?: Partial<SimulatedReportBody>;
  /** Changes the report after it was signed. */
  readonly evidence?: (bytes: Uint8Array) => Uint8Array;
  /** Changes the DER of certificates and CRLs: device, intermediate, root's CRL, intermediate's CRL. */
  readonly endorsements?: (chain: Uint8Array[], crls: Uint8Array[]) => { chain: Uint8Array[]; crls: Uint8Array[] };
  readonly document?: (document: EvidenceDocument) => EvidenceDocument;
  readonly body?: (text: string) => string;
  readonly input?: (input: VerificationInput) => VerificationInput;
  readonly policy?: Partial<AppraisalPolicy>;
  readonly referenceValues?: readonly ReferenceValues[];
  readonly tees?: readonly Tee[];
  readonly now?: number;
  /** Which root the asker has pinned. */
  readonly root?: Uint8Array;
  /** Under which mode the box makes the leaf. */
  readonly mode?: "none";
}

export interface Exchange {
  readonly input: VerificationInput;
  readonly document: EvidenceDocument;
  readonly verify: (input?: VerificationInput) => Promise<AttestationResult>;
}

const identity = <T>(value: T): T => value;

export async function exchange(change: Change = {}): Promise<Exchange> {
  const nonce = random(32);
  const exporter = random(32);
  const leaf = await leafHash(change.mode ?? "tls-exporter", nonce, change.mode === "none" ? undefined : exporter);
  const tree = await merkleTree([random(32), random(32), leaf, random(32)]);
  const channel =
    change.mode === "none" ? ({ binding: "none" } as const) : ({ binding: "tls-exporter", exporter } as const);
  const document = await boxAnswer(change, tree.root, tree.proof(2));
  const body = (change.body ?? identity)(formatEvidenceDocument(document));
  const input = (change.input ?? identity)({ document: body, nonce, channel, peerKey: { tlsSpki } });
  const verifier = createVerifier({
    tees: change.tees ?? [simulated({ root: pem(change.root ?? vendor.root.der) })],
    referenceValues: change.referenceValues ?? [reference],
    policy: { ...strictPolicy, ...change.policy },
    now: () => new Date((change.now ?? NOW) * 1000),
  });
  return { input, document, verify: (other = input) => verifier.verify(other) };
}

async function boxAnswer(
  change: Change,
  challenge: Uint8Array,
  proof: EvidenceDocument["proof"],
): Promise<EvidenceDocument> {
  const own = change.vendor ?? vendor;
  const statement = (change.statementText ?? identity)(formatStatement(statementOf(challenge, change.statement)));
  const binding = await bindingOf(statement);
  const bytes = report({ debug: false, tcb: 1n, measurement, binding, ...change.report }, own.device.keys);
  const endorsements = (change.endorsements ?? ((chain, crls) => ({ chain, crls })))(
    [own.device.der, own.intermediate.der],
    [own.rootCrl, own.intermediateCrl],
  );
  return (change.document ?? identity)({
    tee: "simulated",
    evidence: (change.evidence ?? identity)(bytes),
    endorsements: { chain: endorsements.chain.map(base64url), crls: endorsements.crls.map(base64url) },
    statement,
    selfTest,
    proof,
    manifest,
    release: null,
  });
}

export function statementOf(challenge: Uint8Array, change: Partial<Statement> = {}): Statement {
  return {
    type: "blindbox-statement/1",
    tee: "simulated",
    time: NOW,
    runtime,
    manifest: sha256Text(manifest),
    tls: sha256Text(tlsSpki),
    channel: null,
    sandbox: { driver: "rooted", selfTest: sha256Text(selfTest) },
    ledger: null,
    audit: null,
    challenge: base64url(challenge),
    ...change,
  };
}

/** Codes of the checks that failed, in order, each once. */
export function failedChecks(result: AttestationResult): string[] {
  return [...new Set(result.findings.filter((finding) => finding.status === "failed").map((finding) => finding.check))];
}
