/** Appraise: are TD, module and platform acceptable under the policy? What Intel says of them, {@link appraiseTcb} compares. */
import { ByteReader, fromHex, toHex } from "@blindbox/encoding";
import type { AppraisalPolicy } from "../appraisal-policy.ts";
import { debugFinding } from "../debug-finding.ts";
import { compared } from "../findings.ts";
import type { Finding } from "../types.ts";
import { allowListFindings } from "./allow-lists.ts";
import type { TdQuote } from "./evidence.ts";
import type { TdReport } from "./td-report.ts";

/** In order: debug, TD attributes, XFAM, module, service TDs, security versions, lists. */
export function appraiseQuote(quote: TdQuote, policy: AppraisalPolicy): readonly Finding[] {
  const { td } = quote;
  const attributes = bitsOf(td.tdAttributes);
  return [
    debug(attributes, policy),
    underDebug(attributes),
    reserved(attributes),
    migration(attributes),
    septVe(attributes, policy),
    xfam(bitsOf(td.xfam)),
    moduleSigner(td),
    ...securityVersions(td, policy),
    ...allowListFindings(quote, policy.tdx),
  ];
}

/** The lowest bit is bit 0 of the first byte. */
export function bitsOf(bytes: Uint8Array): bigint {
  return new ByteReader(bytes, "bits").u64le("bits");
}

const debugBit = 1n;
/** TD Under Debug: each of these bits takes the TD's protection away, or is not defined. */
const underDebugBits = 0xffn;
const septVeDisableBit = 1n << 28n;
const migratableBit = 1n << 29n;
/** LASS 27, SEPT_VE_DISABLE 28, MIGRATABLE 29, PKS 30, KL 31, PERFMON 63: none but the third touches confidentiality. */
const definedBits = (1n << 27n) | septVeDisableBit | migratableBit | (1n << 30n) | (1n << 31n) | (1n << 63n);
/** x87 and SSE state, which every TD has. */
const xfamFixedOne = 3n;
/** The XSAVE features that a TD may have at all. */
const xfamAllowed = 0x0006_dbe7n;

/** Whether any bit of the group TUD is set. */
export function isUnderDebug({ tdAttributes }: TdReport): boolean {
  return (bitsOf(tdAttributes) & underDebugBits) !== 0n;
}

function hex(bits: bigint): string {
  return `0x${bits.toString(16)}`;
}

function debug(attributes: bigint, policy: AppraisalPolicy): Finding {
  const passed = "The debug bit is off.";
  const reason = "In debug mode the host reads the TD's memory and registers.";
  const hint = "Start the TD without debug mode.";
  return debugFinding({ on: (attributes & debugBit) !== 0n, passed, reason, hint }, policy);
}

function underDebug(attributes: bigint): Finding {
  const set = attributes & underDebugBits & ~debugBit;
  return compared({
    step: "platform",
    check: "td-under-debug",
    code: "debug-enabled",
    holds: set === 0n,
    expected: "no other bit of the group TUD",
    actual: hex(set),
    passed: "Nothing else takes the TD's protection away.",
    failed: "A bit that takes the TD's protection away is set.",
  });
}

function reserved(attributes: bigint): Finding {
  const set = attributes & ~(definedBits | underDebugBits);
  return compared({
    step: "platform",
    check: "td-attributes",
    code: "reserved-not-zero",
    holds: set === 0n,
    expected: "reserved TD attributes zero",
    actual: hex(set),
    passed: "Every TD attribute that is set is one that is understood.",
    failed: "A TD attribute is set whose meaning is not known here.",
  });
}

function migration(attributes: bigint): Finding {
  const holds = (attributes & migratableBit) === 0n;
  return compared({
    step: "platform",
    check: "migratable",
    code: "migratable",
    holds,
    expected: "not migratable",
    actual: holds ? "not migratable" : "migratable",
    passed: "The TD stays on the platform that was verified.",
    failed: "A migration TD may move this TD to a platform that nobody verified.",
  });
}

function septVe(attributes: bigint, { tdx }: AppraisalPolicy): Finding {
  const set = (attributes & septVeDisableBit) !== 0n;
  return compared({
    step: "platform",
    check: "sept-ve-disable",
    code: "td-attributes-mismatch",
    holds: set || tdx.septVeDisable === "any",
    expected: tdx.septVeDisable === "any" ? "SEPT_VE_DISABLE set or clear" : "SEPT_VE_DISABLE set",
    actual: set ? "set" : "clear",
    passed: "What the policy demands of exceptions that the host can cause is so.",
    failed: "By unmapping its pages the host can make the kernel take an exception at any instruction.",
    hint: "Start the TD with SEPT_VE_DISABLE, or accept this for a kernel that is safe from it.",
  });
}

function xfam(bits: bigint): Finding {
  return compared({
    step: "platform",
    check: "xfam",
    code: "xfam-fixed-bits",
    holds: (bits & xfamFixedOne) === xfamFixedOne && (bits & ~xfamAllowed) === 0n,
    expected: `bits ${hex(xfamFixedOne)} set, none outside ${hex(xfamAllowed)}`,
    actual: hex(bits),
    passed: "The TD has processor state that a TD may have.",
    failed: "No genuine TDX module gives a TD this processor state.",
  });
}

/** Said without the TCB info as well, so that it holds whatever that says. */
function moduleSigner({ mrsignerseam, seamAttributes }: TdReport): Finding {
  const zero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);
  return compared({
    step: "platform",
    check: "tdx-module-signer",
    code: "module-mismatch",
    holds: zero(mrsignerseam) && zero(seamAttributes),
    expected: "a TDX module that Intel signed, in production mode (both fields zero)",
    actual: `MRSIGNERSEAM ${toHex(mrsignerseam)}, SEAMATTRIBUTES ${toHex(seamAttributes)}`,
    passed: "Intel signed the TDX module.",
    failed: "The TDX module is another signer's, or not a production one.",
  });
}

function securityVersions({ teeTcbSvn, teeTcbSvn2 }: TdReport, { tdx }: AppraisalPolicy): readonly Finding[] {
  const least = fromHex(tdx.minTeeTcbSvn);
  const floor = (subject: string, actual: Uint8Array): Finding =>
    compared({
      step: "platform",
      check: "tcb",
      subject,
      code: "tee-tcb-svn-below-minimum",
      holds: least.every((svn, at) => (actual[at] ?? -1) >= svn),
      expected: `each of ${tdx.minTeeTcbSvn} or higher`,
      actual: toHex(actual),
      passed: "The TDX module is at or above the policy's floor.",
      failed: "The TDX module is below the policy's floor.",
      hint: "Have the host's TDX module and microcode updated, and the TD started anew.",
    });
  return [floor("teeTcbSvn", teeTcbSvn), ...(teeTcbSvn2 === null ? [] : [floor("teeTcbSvn2", teeTcbSvn2)])];
}
