/** Which parts the Endorsements of a machine have, and who is asked for each. */
import { fromBase64url, toBase64url, type JsonValue } from "@blindbox/encoding";
import { crlsContent, crlsPart, ekContent, issuersContent, issuersPart, vcekPart } from "./amd-kds.ts";
import { thimParts } from "./azure-thim.ts";
import type { Fragment } from "./cache.ts";
import { EndorserError } from "./endorser-error.ts";
import { intelContents, intelParts, type IntelUpdate } from "./intel-pcs.ts";
import type { Content, Dated, Part, Plan } from "./part.ts";
import type { EndorsementSubject, SevSnpSubject } from "./subject.ts";
import { readAnswer } from "./vendor-fetch.ts";

/** Who is asked for AMD's certificates: AMD itself, or, on an Azure machine, its metadata service. CRLs are AMD's alone. */
export type AmdSource = "kds" | "thim";

/** Whom to ask. */
export interface Sources {
  readonly amdSource: AmdSource;
  readonly intelUpdate: IntelUpdate;
}

/** What no vendor has, or what the host handed over already. */
export interface Given {
  /** DER of the VCEK or VLEK; `null`: AMD is asked, who has no VLEK. */
  readonly ek: Uint8Array | null;
  /** COSE_Sign1 by which Microsoft endorses the utility VM of a container group; `null` where there is none. */
  readonly uvm: Uint8Array | null;
}

/**
 * The parts for a machine.
 *
 * @throws EndorserError `missing` where nobody can be asked for the EK, `mismatch` or `malformed` where the given one is not
 * this machine's.
 */
export function planFor(subject: EndorsementSubject, given: Given, sources: Sources): Plan {
  if (subject.tee === "sev-snp") return sevSnpPlan(subject, given, sources);
  if (given.ek !== null || given.uvm !== null) throw new TypeError(`given: expected null and null for ${subject.tee}`);
  return { parts: subject.tee === "tdx" ? intelParts(subject, sources.intelUpdate) : [], given: {}, givenDated: [] };
}

function sevSnpPlan(subject: SevSnpSubject, given: Given, { amdSource }: Sources): Plan {
  const uvm = { uvm: given.uvm === null ? null : toBase64url(given.uvm) };
  if (given.ek !== null) {
    const { fragment, dated } = givenEk(subject, given.ek);
    return { parts: [issuersPart(subject), crlsPart(subject)], given: { ...fragment, ...uvm }, givenDated: dated };
  }
  if (subject.key === "vlek") throw missingVlek();
  const certificates: readonly Part[] =
    amdSource === "thim" ? thimParts(subject) : [vcekPart(subject), issuersPart(subject)];
  return { parts: [...certificates, crlsPart(subject)], given: uvm, givenDated: [] };
}

interface GivenEk {
  readonly fragment: Fragment;
  readonly dated: readonly Dated[];
}

function givenEk(subject: SevSnpSubject, der: Uint8Array): GivenEk {
  const fragment = { ek: toBase64url(der) };
  return { fragment, dated: readAnswer("ek", () => ekContent(subject).check(fragment)) };
}

function missingVlek(): EndorserError {
  const hint =
    "AMD gives a VLEK to the cloud alone: take it from the certificate table that the host hands to the guest";
  return new EndorserError({ code: "missing", field: "ek", expected: "the VLEK certificate", actual: "none", hint });
}

/** The members of a machine's Endorsements, whoever they came from, and how each is read. */
export function contentsOf(subject: EndorsementSubject): readonly Content[] {
  if (subject.tee === "nitro") return [];
  if (subject.tee === "tdx") return intelContents(subject);
  return [crlsContent(subject), ekContent(subject), issuersContent(subject), uvmContent];
}

// What Microsoft says of the utility VM has no date: it is judged by its security version.
const uvmContent: Content = {
  members: ["uvm"],
  check: ({ uvm }) => {
    if (uvm !== null) demandBytes(uvm);
    return [];
  },
};

function demandBytes(value: JsonValue | undefined): void {
  if (typeof value === "string" && fromBase64url(value, "uvm").length > 0) return;
  throw new EndorserError({
    code: "malformed",
    field: "uvm",
    expected: "bytes in base64url",
    actual: "something else",
  });
}
