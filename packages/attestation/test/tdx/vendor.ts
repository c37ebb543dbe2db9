/** A fake Intel: root, CAs, PCK certificates, signing certificate, CRLs, TCB info and QE identity, right or with one thing wrong. */
import type { JsonValue } from "@blindbox/encoding";
import { createHash } from "node:crypto";
import { element, enumerated, integer, name, octetString, oid, sequence, boolean } from "../der.ts";
import {
  base64url,
  basicConstraints,
  caUsage,
  certificate,
  crl,
  curveKeys,
  extension,
  leafUsage,
  NOW,
  pem,
  type CertificateSpec,
  type CrlSpec,
  type CurveKeys,
  type Identity,
} from "../vendor.ts";
import {
  FMSPC,
  PCE_SVN,
  rightQeIdentity,
  rightTcbInfo,
  SGX_TCB,
  type QeIdentityText,
  type TcbInfoText,
} from "./intel-texts.ts";
import { chainBytes, hex, mintQuote, pckKeys, rawSignature, type QuoteChange } from "./quote.ts";

const sgx = "1.2.840.113741.1.13.1";
export const PPID = "00112233445566778899aabbccddeeff";
const PCE_ID = "0000";
const CPU_SVN = "04040202040100050000000000000000";

/** A member of Intel's extension, by the rest of its object identifier. */
export const member = (arc: string, value: Uint8Array): Uint8Array => sequence(oid(`${sgx}.${arc}`), value);

export const tcbMembers = (svns: readonly number[], pceSvn: number): readonly Uint8Array[] => [
  ...svns.map((svn, at) => member(`2.${at + 1}`, integer(svn))),
  member("2.17", integer(pceSvn)),
  member("2.18", octetString(hex(CPU_SVN))),
];

export const sgxMembers = {
  ppid: member("1", octetString(hex(PPID))),
  tcb: member("2", sequence(...tcbMembers(SGX_TCB, PCE_SVN))),
  pceId: member("3", octetString(hex(PCE_ID))),
  fmspc: member("4", octetString(hex(FMSPC))),
  sgxType: member("5", enumerated(1)),
  platformInstanceId: member("6", octetString(hex("11".repeat(16)))),
  configuration: member(
    "7",
    sequence(member("7.1", boolean(true)), member("7.2", boolean(true)), member("7.3", boolean(false))),
  ),
};

export const sgxExtension = (members: readonly Uint8Array[]): Uint8Array => extension(sgx, false, sequence(...members));

/** What to mint differently; everything else is right. */
export interface IntelChange extends QuoteChange {
  readonly authority?: "Platform" | "Processor";
  readonly root?: Partial<CertificateSpec>;
  readonly intermediate?: Partial<CertificateSpec>;
  readonly pck?: Partial<CertificateSpec>;
  readonly sgx?: Partial<typeof sgxMembers>;
  readonly signing?: Partial<CertificateSpec>;
  readonly rootCrl?: Partial<CrlSpec>;
  readonly pckCrl?: Partial<CrlSpec>;
  readonly tcbInfo?: (right: TcbInfoText) => unknown;
  readonly qeIdentity?: (right: QeIdentityText) => unknown;
  /** Changes the whole answer after it was signed. */
  readonly tcbInfoAnswer?: (text: string) => string;
  readonly qeIdentityAnswer?: (text: string) => string;
  /** Who signs both texts; the certificate stays the right one. */
  readonly textKeys?: CurveKeys;
  /** What the quote carries, of leaf, intermediate and root. */
  readonly chain?: (leaf: Uint8Array, intermediate: Uint8Array, root: Uint8Array) => Uint8Array;
  readonly endorsements?: (right: Record<string, string | null>) => JsonValue;
}

/** Keys are made once, so that a part that is not changed keeps its key. */
export const keys = {
  root: curveKeys("P-256"),
  intermediate: curveKeys("P-256"),
  signing: curveKeys("P-256"),
  other: curveKeys("P-256"),
};

export const SERIALS = { root: "01", intermediate: "40a1", pck: "00b2c3", signing: "33" } as const;

function identity(change: Partial<CertificateSpec> = {}, spec: Parameters<typeof certificate>[0]): Identity {
  const whole = { ...spec, ...change };
  return { keys: whole.keys, subject: whole.subject, der: certificate(whole) };
}

const rootName = { subject: name("Intel SGX Root CA"), keys: keys.root };
const rightRoot: Identity = identity(undefined, {
  ...rootName,
  issuer: rootName,
  serial: SERIALS.root,
  extensions: [basicConstraints(true, 1), caUsage],
});

export const fakeRootSha256: string = createHash("sha256").update(rightRoot.der).digest("hex");

export interface FakeIntel {
  readonly root: Identity;
  readonly intermediate: Identity;
  readonly pck: Identity;
  readonly signing: Identity;
}

export function mintCertificates(change: IntelChange): FakeIntel {
  const root =
    change.root === undefined
      ? rightRoot
      : identity(change.root, { ...rootName, issuer: rootName, extensions: [basicConstraints(true, 1), caUsage] });
  const intermediate = identity(change.intermediate, {
    subject: name(`Intel SGX PCK ${change.authority ?? "Platform"} CA`),
    issuer: root,
    serial: SERIALS.intermediate,
    extensions: [basicConstraints(true, 0), caUsage],
    keys: keys.intermediate,
  });
  const pck = identity(change.pck, {
    subject: name("Intel SGX PCK Certificate"),
    issuer: intermediate,
    serial: SERIALS.pck,
    extensions: [leafUsage, basicConstraints(false), sgxExtension(Object.values({ ...sgxMembers, ...change.sgx }))],
    keys: pckKeys,
  });
  const signing = identity(change.signing, {
    subject: name("Intel SGX TCB Signing"),
    issuer: root,
    serial: SERIALS.signing,
    extensions: [leafUsage, basicConstraints(false)],
    keys: keys.signing,
  });
  return { root, intermediate, pck, signing };
}

/** `{ "<member>": <text>, "signature": "<hex>" }`, signed over the text as it is. */
export function signedAnswer(name: string, text: string, { privateKey }: CurveKeys): string {
  const signature = Buffer.from(rawSignature(privateKey, Buffer.from(text))).toString("hex");
  return `{"${name}":${text},"signature":"${signature}"}`;
}

/** A quote with its Endorsements, right but for `change`. */
export function mintEvidence(change: IntelChange = {}): { bytes: Uint8Array; endorsements: JsonValue } {
  const { root, intermediate, pck, signing } = mintCertificates(change);
  const chain = (change.chain ?? chainBytes)(pck.der, intermediate.der, root.der);
  const signer = change.textKeys ?? keys.signing;
  const tcbInfo = JSON.stringify((change.tcbInfo ?? same)(rightTcbInfo()));
  const qeIdentity = JSON.stringify((change.qeIdentity ?? same)(rightQeIdentity()));
  const right = {
    pckCrl: base64url(crl({ issuer: intermediate, ...change.pckCrl })),
    pckCrlIssuerChain: pem(intermediate.der) + pem(root.der),
    qeIdentity: (change.qeIdentityAnswer ?? same)(signedAnswer("enclaveIdentity", qeIdentity, signer)),
    qeIdentityIssuerChain: pem(signing.der) + pem(root.der),
    rootCaCrl: base64url(crl({ issuer: root, ...change.rootCrl })),
    tcbInfo: (change.tcbInfoAnswer ?? same)(signedAnswer("tcbInfo", tcbInfo, signer)),
    tcbInfoIssuerChain: pem(signing.der) + pem(root.der),
  };
  return { bytes: mintQuote(change, chain), endorsements: (change.endorsements ?? same)(right) };
}

const same = <T>(right: T): T => right;

export { NOW, element };
