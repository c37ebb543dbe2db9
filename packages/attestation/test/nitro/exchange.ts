/** A whole exchange with a box in a Nitro enclave: a document that binds its Statement, and whatever else a client sees. */
import { createHash } from "node:crypto";
import type { AttestationResult, EvidenceDocument, ReferenceValues, Tee } from "@blindbox/attestation";
import { exchange, reference, type Change } from "../box.ts";
import { fakeTee } from "./appraise.ts";
import { mintAws, PCRS, type AwsChange } from "./vendor.ts";

export const nitroReference: ReferenceValues = {
  ...reference,
  tee: "nitro",
  registers: Object.fromEntries([0, 1, 2].map((at) => [`pcr${at}`, Buffer.from(PCRS.get(at) ?? []).toString("hex")])),
};

/** The 64 bytes that a document has to carry for this Statement. */
export function bindingOf(statement: string): Uint8Array {
  return new Uint8Array(createHash("sha512").update(statement).digest());
}

/** What differs from a right exchange: in the document of the module, in the rest of it, or in the one after it was made. */
export interface NitroExchange {
  readonly aws?: AwsChange;
  readonly change?: Change;
  readonly document?: (document: EvidenceDocument) => EvidenceDocument;
  readonly tee?: Tee;
}

export async function verifyNitro({ aws, change, document, tee }: NitroExchange = {}): Promise<AttestationResult> {
  const answer = (right: EvidenceDocument): EvidenceDocument => ({
    ...right,
    tee: "nitro",
    evidence: mintAws({ userData: bindingOf(right.statement), ...aws }).bytes,
    endorsements: {},
  });
  const made = await exchange({
    tees: [tee ?? fakeTee()],
    referenceValues: [nitroReference],
    ...change,
    statement: { tee: "nitro", ...change?.statement },
    document: (right) => (document ?? ((same) => same))(answer(right)),
  });
  return made.verify();
}
