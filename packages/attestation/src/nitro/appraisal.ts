/** Appraise: is the enclave acceptable under the policy? */
import { toHex } from "@blindbox/encoding";
import type { AppraisalPolicy } from "../appraisal-policy.ts";
import { debugFinding } from "../debug-finding.ts";
import { compared } from "../findings.ts";
import type { Finding } from "../types.ts";
import { CODE_PCRS, type NitroDocument } from "./evidence.ts";
import type { NitroPolicy, PcrRule } from "./policy.ts";

/** Debug mode, what only a box's document is free of, and the rules for role, instance and signer. */
export function appraiseDocument(document: NitroDocument, policy: AppraisalPolicy): readonly Finding[] {
  return [
    appraiseDebug(document, policy),
    noNonce(document),
    noPublicKey(document),
    instanceRole(document, policy.nitro),
    instance(document, policy.nitro),
    imageSigner(document, policy.nitro),
  ];
}

/**
 * The PCRs of the code that are all zero. In debug mode the module zeroes all three, while those of role and instance stay; no
 * image measures to zero, so one alone is as little a measurement.
 */
export function zeroCodePcrs({ pcrs }: NitroDocument): readonly number[] {
  return CODE_PCRS.filter((index) => pcrs.get(index)?.every((byte) => byte === 0) ?? true);
}

function appraiseDebug(document: NitroDocument, policy: AppraisalPolicy): Finding {
  const zero = zeroCodePcrs(document);
  const on = zero.length > 0;
  const actual = on ? `${zero.map((index) => `PCR${index}`).join(", ")} zero` : "none of them zero";
  return debugFinding(
    {
      on,
      shown: { expected: "PCR0, PCR1 and PCR2 not zero", actual },
      passed: "The enclave does not run in debug mode.",
      reason: "The enclave runs in debug mode: its host reads its console, and nothing of it is measured.",
      hint: "Start the enclave without --debug-mode.",
    },
    policy,
  );
}

// Both are for protocols of others. A box binds through user_data alone, so whatever asked for more was no box.
function noNonce({ nonce }: NitroDocument): Finding {
  return compared({
    step: "platform",
    check: "document-nonce",
    code: "nonce-mismatch",
    holds: nonce === null,
    expected: "no nonce",
    actual: nonce === null ? "no nonce" : `a nonce of ${nonce.length} bytes`,
    passed: "The document was asked for as a box does it.",
    failed: "The document was asked for with a nonce, as no box does it.",
  });
}

function noPublicKey({ publicKey }: NitroDocument): Finding {
  return compared({
    step: "platform",
    check: "document-public-key",
    code: "public-key-mismatch",
    holds: publicKey === null,
    expected: "no public key",
    actual: publicKey === null ? "no public key" : `a public key of ${publicKey.length} bytes`,
    passed: "The document vouches for no key beside the Statement's.",
    failed: "The document vouches for a key, as no box has it done.",
  });
}

function instanceRole(document: NitroDocument, { instanceRoles }: NitroPolicy): Finding {
  return compared({
    step: "platform",
    check: "instance-role",
    ...comparePcr(document, 3, instanceRoles),
    passed: "The parent instance has a role that the policy accepts.",
    failed: "The parent instance has a role that the policy does not accept.",
  });
}

function instance(document: NitroDocument, { instances }: NitroPolicy): Finding {
  return compared({
    step: "platform",
    check: "instance",
    ...comparePcr(document, 4, instances),
    passed: "The parent instance is one that the policy accepts.",
    failed: "The parent instance is none that the policy accepts.",
  });
}

function imageSigner(document: NitroDocument, { imageSigners }: NitroPolicy): Finding {
  return compared({
    step: "platform",
    check: "image-signer",
    ...comparePcr(document, 8, imageSigners),
    passed: "The image was signed as the policy demands.",
    failed: "The image was signed by nobody that the policy accepts.",
  });
}

function comparePcr({ pcrs }: NitroDocument, index: number, rule: PcrRule) {
  const pcr = pcrs.get(index);
  const actual = pcr === undefined ? null : toHex(pcr);
  return {
    subject: `pcr${index}`,
    code: "pcr-mismatch",
    holds: rule === "any" || (actual !== null && rule.includes(actual)),
    expected: rule === "any" ? `any PCR${index}` : `PCR${index} ${rule.join(" or ")}`,
    actual: actual ?? `no PCR${index}`,
  } as const;
}
