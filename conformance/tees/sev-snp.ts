/** Judges the cases of SEV-SNP: what a case says becomes Endorsements, a policy and, where it brings its own root, that root. */
import { strictPolicy, type AppraisalPolicy, type Finding, type Tee } from "@blindbox/attestation";
import { digest, fromUtf8, parsePem, toBase64url, toHex, type JsonValue } from "@blindbox/encoding";
import { sevSnpUnder } from "../../packages/attestation/src/sev-snp/tee.ts";
import { amdRoots, type PinnedRoot } from "../../packages/attestation/src/sev-snp/roots.ts";
import { commonNameOf, parseCertificate } from "../../packages/attestation/src/x509/index.ts";
import type { CaseEndorsements, CasePolicy, Judge, OpenCase } from "../case.ts";
import { judge } from "../judge.ts";

/** Judges one case. */
export const judgeSevSnp: Judge = async (opened) =>
  judge({
    tee: await teeOf(opened),
    evidence: opened.bytes(opened.evidence["file"] ?? ""),
    endorsements: sevSnpEndorsements(opened.endorsements, opened.bytes),
    policy: sevSnpPolicy(opened.policy),
    now: opened.now,
    setAside: setAside(opened),
    expected: opened.policy.expected ?? {},
    pinCodes: { idKeyDigest: "id-key-mismatch", authorKeyDigest: "author-key-mismatch" },
  });

type Bytes = OpenCase["bytes"];

/** The Endorsements of a case in the form of the product. */
export function sevSnpEndorsements({ ek, issuers = [], crls = [] }: CaseEndorsements, bytes: Bytes): JsonValue {
  return {
    crls: crls.map((path) => toBase64url(bytes(path))),
    ek: ek === undefined ? null : toBase64url(certificateOf(bytes(ek))),
    issuers: issuers.map((path) => toBase64url(certificateOf(bytes(path)))),
    uvm: null,
  };
}

/** In PEM or in DER; tampered ones may be neither. */
function certificateOf(bytes: Uint8Array): Uint8Array {
  const isPem = toHex(bytes.subarray(0, 10)) === "2d2d2d2d2d424547494e";
  return isPem ? (parsePem(fromUtf8(bytes), "CERTIFICATE")[0] ?? bytes) : bytes;
}

const anyFloor = { bootloader: 0, tee: 0, snp: 0, microcode: 0 };

/** The policy of a case: the strict default of the cases, which pins nothing. */
export function sevSnpPolicy({ debug = "refuse", vmpl = 0, minTcb = {} }: CasePolicy): AppraisalPolicy {
  const floor = { ...anyFloor, ...minTcb };
  const { fmc: _fmc, ...floorBeforeTurin } = { fmc: 0, ...floor };
  return {
    ...strictPolicy,
    debug,
    maxEndorsementAge: { ...strictPolicy.maxEndorsementAge, amdCrl: Number.MAX_SAFE_INTEGER },
    minCrlNumber: { ...strictPolicy.minCrlNumber, amdMilan: 0, amdGenoa: 0, amdTurin: 0 },
    sevSnp: {
      vmpls: [vmpl],
      products: {
        milan: floorBeforeTurin,
        genoa: floorBeforeTurin,
        siena: floorBeforeTurin,
        turin: { fmc: 0, ...floor },
      },
      endorsementKeys: ["vcek", "vlek"],
      cspIds: "any",
      chips: { allow: "any", deny: [] },
      idKeyDigests: "any",
      authorKeyDigests: "any",
      guestPolicy: { require: [], forbid: [] },
      minAbi: { major: 0, minor: 0 },
      platformInfo: { require: [], forbid: [] },
    },
  };
}

async function teeOf({ policy, endorsements, bytes }: OpenCase): Promise<Tee> {
  const root = endorsements.issuers?.at(-1);
  const fromCase = policy.trustAnchor === "case" && root !== undefined;
  return sevSnpUnder(fromCase ? [await pinOf(certificateOf(bytes(root)))] : amdRoots, null);
}

async function pinOf(der: Uint8Array): Promise<PinnedRoot> {
  const name = commonNameOf(parseCertificate(der, "root").subject);
  const product = amdRoots.map((row) => row.product).find((each) => `ark-${each}` === name?.toLowerCase());
  if (product === undefined) throw new Error("a case's own root has the name of one of AMD's");
  return { product, sha256: toHex(await digest("SHA-256", der)), issuers: [] };
}

/** Many cases hold no CRL, and synthetic CAs no key usage: the product refuses both. */
function setAside({ endorsements, policy }: OpenCase): (finding: Finding) => boolean {
  const checks = [
    ...(endorsements.crls === undefined ? ["crl-presence"] : []),
    ...(policy.trustAnchor === "case" ? ["certificate-authority"] : []),
  ];
  return ({ check }) => checks.includes(check);
}
