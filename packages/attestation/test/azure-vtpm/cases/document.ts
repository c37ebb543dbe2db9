/** Documents that are not exactly the one form of this Evidence. */
import { refused, type RefusalCase } from "../appraise.ts";
import type { AzureChange, AzureDocument } from "../vendor.ts";

function member(change: (right: AzureDocument) => object): AzureChange {
  return { document: change };
}

function text(change: (right: string) => string): AzureChange {
  return { bytes: (right) => new Uint8Array(Buffer.from(change(Buffer.from(right).toString()))) };
}

const pcrs = (change: (right: (string | null)[]) => unknown): AzureChange => ({ pcrs: (right) => change([...right]) });

export const documentCases: readonly RefusalCase[] = [
  ...refused("parse: bad-encoding", {
    "no JSON": text(() => "HCLA"),
    "nothing at all": text(() => ""),
    "a byte order mark": text((right) => `\uFEFF${right}`),
    "white space behind it": text((right) => `${right}\n`),
    "white space in it": text((right) => right.replace(":", ": ")),
    "a member twice": text((right) => right.replace('{"hclReport"', '{"hclReport":"","hclReport"')),
    "members in another order": member(({ type, ...rest }) => ({ type, ...rest })),
    "a list around it": text((right) => `[${right}]`),
    "a text around it": text((right) => JSON.stringify(right)),
    "base64 of it": text((right) => Buffer.from(right).toString("base64")),
    "another version": member((right) => ({ ...right, type: "blindbox-azure-vtpm/2" })),
    "the type of another document": member((right) => ({ ...right, type: "blindbox-evidence/1" })),
    "a member more": member((right) => ({ ...right, zone: null })),
    "a member less": member(({ signature: _signature, ...rest }) => rest),
    "no HCL report": member((right) => ({ ...right, hclReport: null })),
    "a quote that is a number": member((right) => ({ ...right, quote: 7 })),
    "padded base64": member((right) => ({ ...right, signature: `${right.signature}==` })),
    "the other alphabet of base64": member((right) => ({ ...right, hclReport: `+/${right.hclReport.slice(2)}` })),
    "PCRs that are a text": pcrs((right) => right.join("")),
    "PCRs in an object": pcrs((right) => Object.fromEntries(right.entries())),
    "a PCR too many": pcrs((right) => [...right, null]),
    "a PCR in upper case": pcrs((right) => right.with(0, "AB".repeat(32))),
    "a PCR that is a number": pcrs((right) => right.with(0, 0 as never)),
    "a PCR of 63 digits": pcrs((right) => right.with(0, "a".repeat(63))),
    "64 MiB": { bytes: () => new Uint8Array(64 * 1024 * 1024) },
    "deep nesting": text(() => "[".repeat(40_000)),
  }),
  ...refused("parse: truncated", {
    "a PCR too few": pcrs((right) => right.slice(1)),
    "no PCRs": pcrs(() => []),
    "an empty HCL report": { hclReport: () => new Uint8Array() },
    "an empty quote": { quote: () => new Uint8Array() },
    "an empty TD quote": { on: "tdx", tdQuote: () => new Uint8Array() },
  }),
  ...refused("parse: bad-length", {
    "a PCR of SHA-1": pcrs((right) => right.with(0, "ab".repeat(20))),
    "a PCR of SHA-384": pcrs((right) => right.with(23, "ab".repeat(48))),
    "a PCR of nothing": pcrs((right) => right.with(0, "")),
    "a signature of 513 bytes": { signature: () => new Uint8Array(513) },
    "an HCL report of 8193 bytes": { padding: new Uint8Array(8193) },
    "a TD quote in a buffer of more than 16 KiB": {
      on: "tdx",
      tdQuote: (right) => new Uint8Array(Buffer.concat([right, Buffer.alloc(16_384)])),
    },
  }),
  ...refused("parse: wrong-tee-type", {
    "a TD quote beside a report of SEV-SNP": { tdQuote: () => new Uint8Array(1) },
    "an empty TD quote beside a report of SEV-SNP": { tdQuote: () => new Uint8Array() },
  }),
  ...refused("parse: missing-td-quote", { "a TDREPORT without a quote": { on: "tdx", tdQuote: () => null } }),
  ...refused("parse: reserved-not-zero", {
    "a TD quote with a byte behind it": {
      on: "tdx",
      tdQuote: (right) => new Uint8Array(Buffer.concat([right, Buffer.from([0, 0, 1])])),
    },
  }),
];
