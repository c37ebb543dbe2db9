/** What the verifying side accepts of the TEE `tdx`. */
import { fromHex } from "@blindbox/encoding";
import { exactMembers, wholeNumber, word, wrong } from "../arguments.ts";
import { ACCEPTABLE_TCB_STATUSES, type AcceptableTcbStatus } from "./tcb-status.ts";

/** For the TEE `tdx`. Bytes are lower-case hex. */
export interface TdxPolicy {
  /**
   * What Intel may say of platform, TDX module and quoting enclave together. Never empty; `Revoked` cannot be listed. To accept
   * one more for a while, leave the list and write an exception that expires (check `tcb-status`).
   */
  readonly tcbStatuses: readonly AcceptableTcbStatus[];
  /** The lowest tcbEvaluationDataNumber of TCB info and QE identity: a host could have the box ask for an older list. */
  readonly minTcbEvaluationDataNumber: number;
  /**
   * 16 bytes, each the lowest value of its security version (0 the module's, 1 its major version, 2 the microcode's): compared
   * one by one, of the module that launched the TD and of the one that runs now.
   */
  readonly minTeeTcbSvn: string;
  /** `require`: the host cannot inject #VE into the TD by unmapping its pages. Linux needs that; `any` for kernels that do not. */
  readonly septVeDisable: "require" | "any";
  /** Service TDs that may be bound to the TD (TDX 1.5), which may migrate it: `none`, `any`, or the MRSERVICETDs of 48 bytes. */
  readonly serviceTds: "none" | "any" | readonly string[];
  /** TDX modules by MRSEAM, of 48 bytes: `any` that Intel signed and names in the TCB info, or these alone. */
  readonly mrseams: "any" | readonly string[];
  /** Families of platforms, by FMSPC of 6 bytes. */
  readonly fmspcs: "any" | readonly string[];
  /** Processors by PPID of 16 bytes. Who is denied stays denied where it is allowed as well. */
  readonly chips: { readonly allow: "any" | readonly string[]; readonly deny: readonly string[] };
}

const members = [
  "tcbStatuses",
  "minTcbEvaluationDataNumber",
  "minTeeTcbSvn",
  "septVeDisable",
  "serviceTds",
  "mrseams",
  "fmspcs",
  "chips",
];

/** The strict default. */
export const strictTdxPolicy: TdxPolicy = readTdxPolicy(
  {
    tcbStatuses: ["UpToDate"],
    // Intel's standard list since early 2026.
    minTcbEvaluationDataNumber: 18,
    // No single floor fits every major version of the module: Intel's levels, which are always compared, have one for each.
    minTeeTcbSvn: "00000000000000000000000000000000",
    septVeDisable: "require",
    serviceTds: "none",
    // A list would go stale with each update of the module; Intel's signature and levels are always compared.
    mrseams: "any",
    // Which hardware a data owner accepts nobody else can know: once a chip's keys leak, these lists contain it.
    fmspcs: "any",
    chips: { allow: "any", deny: [] },
  },
  "policy.tdx",
);

/** A frozen copy. @throws TypeError naming the member that is missing, unknown or wrong. */
export function readTdxPolicy(value: unknown, path: string): TdxPolicy {
  const policy = exactMembers(value, path, members);
  const number = "minTcbEvaluationDataNumber";
  return Object.freeze({
    tcbStatuses: statusesOf(policy["tcbStatuses"], `${path}.tcbStatuses`),
    minTcbEvaluationDataNumber: wholeNumber(policy[number], `${path}.${number}`, 0),
    minTeeTcbSvn: hexOf(policy["minTeeTcbSvn"], `${path}.minTeeTcbSvn`, 16),
    septVeDisable: word(policy["septVeDisable"], `${path}.septVeDisable`, ["require", "any"]),
    serviceTds: wordOrList(policy["serviceTds"], `${path}.serviceTds`, ["none", "any"], 48),
    mrseams: wordOrList(policy["mrseams"], `${path}.mrseams`, ["any"], 48),
    fmspcs: wordOrList(policy["fmspcs"], `${path}.fmspcs`, ["any"], 6),
    chips: chipsOf(policy["chips"], `${path}.chips`),
  });
}

function chipsOf(value: unknown, path: string): TdxPolicy["chips"] {
  const { allow, deny } = exactMembers(value, path, ["allow", "deny"]);
  return Object.freeze({
    allow: wordOrList(allow, `${path}.allow`, ["any"], 16),
    deny: hexList(deny, `${path}.deny`, 16),
  });
}

function statusesOf(value: unknown, path: string): readonly AcceptableTcbStatus[] {
  if (!Array.isArray(value) || value.length === 0) return wrong(path, "a list that is not empty");
  return Object.freeze(value.map((status, at) => word(status, `${path}[${at}]`, ACCEPTABLE_TCB_STATUSES)));
}

function wordOrList<Word extends string>(
  value: unknown,
  path: string,
  words: readonly Word[],
  length: number,
): Word | readonly string[] {
  const found = words.find((each) => each === value);
  if (found !== undefined) return found;
  // An empty list would admit nothing: that is never what was meant.
  if (Array.isArray(value) && value.length > 0) return hexList(value, path, length);
  return wrong(path, `${words.map((each) => `"${each}"`).join(" or ")}, or a list that is not empty`);
}

function hexList(value: unknown, path: string, length: number): readonly string[] {
  if (!Array.isArray(value)) return wrong(path, "a list");
  return Object.freeze(value.map((each, at) => hexOf(each, `${path}[${at}]`, length)));
}

function hexOf(value: unknown, path: string, length: number): string {
  const fits = typeof value === "string" && value.length === 2 * length && isHex(value);
  return fits ? value : wrong(path, `${length} bytes in lower-case hex`);
}

function isHex(text: string): boolean {
  try {
    fromHex(text);
    return true;
  } catch {
    return false;
  }
}
