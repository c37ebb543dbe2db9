/** The format of a verification case (the README of the cases), read as strictly as a test needs it. */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { JsonValue } from "@blindbox/encoding";

/** One verification case, with paths relative to its own file. */
export interface Case {
  readonly id: string;
  readonly tee: "sev-snp" | "tdx" | "nitro" | "azure-vtpm";
  /** `{ file }`, or the named parts of azure-vtpm. */
  readonly evidence: Readonly<Record<string, string>>;
  readonly endorsements: CaseEndorsements;
  /** ISO 8601: the only clock of the case. */
  readonly time: string;
  readonly policy: CasePolicy;
  readonly expect: Expectation;
}

export interface CaseEndorsements {
  readonly ek?: string;
  readonly issuers?: readonly string[];
  readonly rootSha256?: string;
  readonly crls?: readonly string[];
  readonly collateral?: Readonly<Record<string, string>>;
}

export interface CasePolicy {
  readonly debug?: "refuse" | "allow";
  readonly vmpl?: number;
  readonly minTcb?: Readonly<Record<string, number>>;
  readonly collateral?: "none" | "required";
  readonly tcbStatus?: readonly string[];
  readonly minTeeTcbSvn?: string;
  readonly minTcbEvaluationDataNumber?: number;
  readonly nonce?: string;
  readonly scope?: "hcl-only" | "hcl-binding-only" | "quote-only";
  readonly snp?: CasePolicy;
  readonly tdx?: CasePolicy;
  readonly expected?: Readonly<Record<string, JsonValue>>;
  readonly trustAnchor?: "case";
}

export interface Expectation {
  readonly verdict: "accepted" | "rejected" | "malformed";
  readonly code?: string;
  readonly codes?: readonly string[];
  readonly claims?: Readonly<Record<string, JsonValue>>;
}

/** A case with a way to read the files that it names. */
export interface OpenCase extends Case {
  /** The bytes of a file that the case names. */
  readonly bytes: (path: string) => Uint8Array;
  /** The case's time in seconds since 1970. */
  readonly now: number;
}

/** What a verifier says of a case. */
export interface Verdict {
  readonly verdict: "accepted" | "rejected" | "malformed";
  /** `null` where accepted. */
  readonly code: string | null;
  readonly claims: Readonly<Record<string, JsonValue>>;
}

/** Judges the cases of one kind of TEE. Never throws for what a case holds. */
export type Judge = (opened: OpenCase) => Promise<Verdict>;

/** Reads one case file. */
export function openCase(file: string): OpenCase {
  const read = JSON.parse(readFileSync(file, "utf8")) as Case;
  const folder = dirname(file);
  return {
    ...read,
    bytes: (path) => new Uint8Array(readFileSync(resolve(folder, path))),
    now: Math.floor(Date.parse(read.time) / 1000),
  };
}
