/** The policy's lists: which service TDs, TDX modules, families of platforms and processors are accepted. */
import { toHex } from "@blindbox/encoding";
import type { FailureCode } from "../failure-codes.ts";
import { compared } from "../findings.ts";
import type { Finding } from "../types.ts";
import type { TdQuote } from "./evidence.ts";
import type { TdxPolicy } from "./policy.ts";

interface Listing {
  readonly check: "service-td" | "mrseam" | "fmspc" | "chip";
  readonly code: FailureCode;
  readonly holds: boolean;
  readonly expected: string;
  readonly actual: string;
  readonly what: string;
}

/** One Finding for each list, also where it admits everything. */
export function allowListFindings({ td, pck: { sgx } }: TdQuote, policy: TdxPolicy): readonly Finding[] {
  const { mrseams, fmspcs } = policy;
  const mrseam = toHex(td.mrseam);
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
    chip(sgx.ppid, policy),
  ];
}

function inList(list: "any" | readonly string[], actual: string): Pick<Listing, "holds" | "expected"> {
  if (list === "any") return { holds: true, expected: "any" };
  return { holds: list.includes(actual), expected: list.join(" or ") };
}

/** Who is denied stays denied where it is allowed as well. */
function chip(ppid: string, { chips: { allow, deny } }: TdxPolicy): Finding {
  const { holds, expected } = inList(allow, ppid);
  return finding({
    check: "chip",
    code: "chip-not-allowed",
    holds: holds && !deny.includes(ppid),
    expected: `${expected}; none of ${deny.length} denied`,
    actual: ppid,
    what: "processor",
  });
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
