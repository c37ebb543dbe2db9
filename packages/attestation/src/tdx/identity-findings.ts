/** Are platform, quoting enclave and TDX module the ones that Intel's texts are about? */
import { equalBytes, toHex } from "@blindbox/encoding";
import type { FailureCode } from "../failure-codes.ts";
import { compared } from "../findings.ts";
import type { Finding } from "../types.ts";
import type { TdQuote } from "./evidence.ts";
import type { QeIdentity } from "./qe-identity.ts";
import { moduleIdOf, type TcbEvaluation } from "./tcb-evaluation.ts";
import type { ModuleIdentity, TcbInfo } from "./tcb-info.ts";

interface Field {
  readonly check: "tcb-info-platform" | "qe-identity" | "tdx-module";
  readonly code: FailureCode;
  readonly passed: string;
  readonly failed: string;
}

/** Equal, where a mask says which bits count. */
function sameBytes(kind: Field, subject: string, expected: Uint8Array, actual: Uint8Array, mask?: Uint8Array): Finding {
  const counted = mask === undefined ? actual : actual.map((byte, at) => byte & (mask[at] ?? 0));
  const shown = mask === undefined ? "" : ` under the mask ${toHex(mask)}`;
  return compared({
    step: "authenticate",
    ...kind,
    subject,
    holds: equalBytes(expected, counted),
    expected: `${subject} ${toHex(expected)}${shown}`,
    actual: toHex(actual),
  });
}

/** Whether the TCB info is about the platform that the PCK certificate names. */
export function platformFindings({ pck: { sgx } }: TdQuote, { fmspc, pceId }: TcbInfo): readonly Finding[] {
  const same = (subject: string, expected: string, actual: string): Finding =>
    compared({
      step: "authenticate",
      check: "tcb-info-platform",
      subject,
      code: "fmspc-mismatch",
      holds: expected === actual,
      expected: `TCB info for ${subject} ${expected}`,
      actual,
      passed: "The TCB info is about this family of platforms.",
      failed: "The TCB info is about another family of platforms.",
      hint: "The box has to fetch the TCB info of its own FMSPC.",
    });
  return [same("fmspc", sgx.fmspc, toHex(fmspc)), same("pceId", sgx.pceId, toHex(pceId))];
}

const ofQe: Field = {
  check: "qe-identity",
  code: "qe-identity-mismatch",
  passed: "The enclave that vouched for the quote's key is Intel's.",
  failed: "Another enclave than Intel's vouched for the quote's key.",
};

/** Whether the quoting enclave is the one that Intel describes. */
export function qeFindings({ qe }: TdQuote, identity: QeIdentity): readonly Finding[] {
  return [
    sameBytes(ofQe, "miscselect", identity.miscselect, qe.miscselect, identity.miscselectMask),
    sameBytes(ofQe, "attributes", identity.attributes, qe.attributes, identity.attributesMask),
    sameBytes(ofQe, "mrsigner", identity.mrsigner, qe.mrsigner),
    compared({
      step: "authenticate",
      ...ofQe,
      subject: "isvProdId",
      holds: qe.isvProdId === identity.isvProdId,
      expected: `product ${identity.isvProdId}`,
      actual: String(qe.isvProdId),
    }),
  ];
}

const ofModule: Field = {
  check: "tdx-module",
  code: "module-mismatch",
  passed: "The TDX module is one that Intel names.",
  failed: "The TDX module is none that Intel names.",
};

/** Whether Intel names the TDX module, and signed it. */
export function moduleFindings(
  { td }: TdQuote,
  info: TcbInfo,
  { module, moduleId }: TcbEvaluation,
): readonly Finding[] {
  return [
    named("launched module", moduleId, module),
    ...(module === null ? [] : signerFindings(td, module)),
    ...(td.teeTcbSvn2 === null ? [] : [runningModule(td.teeTcbSvn2, info)]),
  ];
}

function signerFindings({ mrsignerseam, seamAttributes }: TdQuote["td"], module: ModuleIdentity): readonly Finding[] {
  const { mrsigner, attributes, attributesMask } = module;
  return [
    sameBytes(ofModule, "mrsignerseam", mrsigner, mrsignerseam),
    sameBytes(ofModule, "seamAttributes", attributes, seamAttributes, attributesMask),
  ];
}

/** TDX 1.5 replaces the module under a running TD: the new one must be known as well. */
function runningModule(teeTcbSvn2: Uint8Array, { modules }: TcbInfo): Finding {
  const moduleId = moduleIdOf(teeTcbSvn2);
  return named("running module", moduleId, moduleId === null || modules.some(({ id }) => id === moduleId) ? {} : null);
}

function named(subject: string, moduleId: string | null, found: object | null): Finding {
  const id = moduleId ?? "a module of major version 0";
  return compared({
    step: "authenticate",
    ...ofModule,
    subject,
    holds: found !== null,
    expected: `${id} in the TCB info`,
    actual: found === null ? "not there" : "there",
  });
}
