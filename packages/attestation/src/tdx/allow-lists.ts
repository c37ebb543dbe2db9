/** The policy's lists: which service TDs, TDX modules, families of platforms and processors are accepted. */
import { toHex } from "@blindbox/encoding";
import type { FailureCode } from "../failure-codes.ts";
import { compared } from "../findings.ts";
import type { Finding } from "../types.ts";
import type { TdQuote } from "./evidence.ts";
import type { TdxPolicy } from "./policy.ts";

interface Listing {
  readonly check: "service-td" | "mrseam" | "fmspc" | "chip-allowed" | "chip-denied";
  readonly code: FailureCode;
  readonly holds: boolean;
  readonly expected: string;
  readonly actual: string;
  readonly what: string;
}

/** One Finding for each list, also where it admits everything. */
export function allowListFindings({ td, pck: { sgx } }: TdQuote, policy: TdxPolicy): readonly Finding[] {
  const { mrseams, fmspcs, chips } = policy;
  const mrseam = toHex(td.mrseam);
  const denied = chips.deny.length;
  return [
    serviceTd(td.mrservicetd, policy),
    finding({
      check: "mrseam",
      code: "module-mismatch",
      actual: mrseam,
      what: "TDX module",
      ...inList(mrseams, mrseam),
    }),
    finding({
      check: "fmspc",
      code: "fmspc-mismatch",
      actual: sgx.fmspc,
      what: "family",
      ...inList(fmspcs, sgx.fmspc),
    }),
    finding({
      check: "chip-allowed",
      code: "chip-not-allowed",
      actual: sgx.ppid,
      what: "processor",
      ...inList(chips.allow, sgx.ppid),
    }),
    finding({
      check: "chip-denied",
      code: "chip-not-allowed",
      actual: sgx.ppid,
      what: "processor",
      holds: !chips.deny.includes(sgx.ppid),
      expected: `none of ${denied} denied`,
    }),
  ];
}

function inList(list: "any" | readonly string[], actual: string): Pick<Listing, "holds" | "expected"> {
  if (list === "any") return { holds: true, expected: "any" };
  return { holds: list.includes(actual), expected: list.join(" or ") };
}

/** In TDX 1.0 there are no service TDs, and no field for them. */
function serviceTd(mrservicetd: Uint8Array | null, { serviceTds }: TdxPolicy): Finding {
  const bound = mrservicetd !== null && mrservicetd.some((byte) => byte !== 0);
  const actual = bound ? toHex(mrservicetd) : "none";
  const rule = serviceTds === "none" ? { holds: false, expected: "none" } : inList(serviceTds, actual);
  const holds = rule.holds || !bound;
  return finding({ check: "service-td", code: "service-td-mismatch", actual, what: "service TD", ...rule, holds });
}

function finding({ check, code, holds, expected, actual, what }: Listing): Finding {
  return compared({
    step: "platform",
    check,
    code,
    holds,
    expected,
    actual,
    passed: `The ${what} is one that the policy accepts.`,
    failed: `The ${what} is one that the policy does not accept.`,
  });
}
