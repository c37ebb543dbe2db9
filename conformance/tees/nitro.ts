/** Judges the cases of Nitro Enclaves: the chain is inside the document, so a case is a document, a time and a policy. */
import { nitro, strictPolicy, type AppraisalPolicy, type Finding } from "@blindbox/attestation";
import type { CasePolicy, Judge } from "../case.ts";
import { judge } from "../judge.ts";

/** Judges one case. */
export const judgeNitro: Judge = async (opened) => {
  if (opened.policy.trustAnchor === "case") throw new Error("no case of Nitro brings a root of its own");
  return judge({
    tee: nitro(),
    evidence: opened.bytes(opened.evidence["file"] ?? ""),
    endorsements: {},
    policy: nitroPolicy(opened.policy),
    now: opened.now,
    setAside: ofOthers,
    expected: opened.policy.expected ?? {},
    pinCodes: { pcrs: "pcr-mismatch" },
  });
};

/** The policy of a case: the strict default of the cases, which pins nothing and has no limit of age. */
export function nitroPolicy({ debug = "refuse" }: CasePolicy): AppraisalPolicy {
  return { ...strictPolicy, debug, nitro: { ...strictPolicy.nitro, maxDocumentAge: Number.MAX_SAFE_INTEGER } };
}

/** The documents are of others' enclaves, whose protocols use nonce and public key: the product refuses both. */
function ofOthers({ check }: Finding): boolean {
  return check === "document-nonce" || check === "document-public-key";
}
