/** The floor: the signature checks alone, on node:crypto, with every key imported and every byte string cut out before. */
import { constants, createHash, createPublicKey, verify, X509Certificate, type KeyObject } from "node:crypto";
import type { OpenCase } from "../../conformance/case.ts";

/** One pass over the checks; throws where one does not hold, so that nothing is measured that does not verify. */
export type Pass = () => void;

/** The parts of a signed DER structure: what is signed, and the signature. */
interface SignedDer {
  readonly signed: Buffer;
  readonly signature: Buffer;
}

function elementLength(der: Buffer, at: number): { readonly header: number; readonly length: number } {
  const first = der[at + 1] ?? 0;
  if (first < 0x80) return { header: 2, length: first };
  const count = first & 0x7f;
  return { header: 2 + count, length: der.readUIntBE(at + 2, count) };
}

function splitSigned(der: Buffer): SignedDer {
  const start = elementLength(der, 0).header;
  const tbs = elementLength(der, start);
  const algorithmAt = start + tbs.header + tbs.length;
  const algorithm = elementLength(der, algorithmAt);
  const signatureAt = algorithmAt + algorithm.header + algorithm.length;
  const bits = elementLength(der, signatureAt);
  return {
    signed: der.subarray(start, algorithmAt),
    signature: der.subarray(signatureAt + bits.header + 1, signatureAt + bits.header + bits.length),
  };
}

function demand(holds: boolean): void {
  if (!holds) throw new Error("the floor does not verify");
}

const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 48 };

function rawEcdsa(key: KeyObject, hash: string, signed: Buffer, signature: Buffer): Pass {
  return () => demand(verify(hash, signed, { key, dsaEncoding: "ieee-p1363" }, signature));
}

function derEcdsa(key: KeyObject, hash: string, { signed, signature }: SignedDer): Pass {
  return () => demand(verify(hash, signed, key, signature));
}

/** VCEK by the pinned ASK (RSA-PSS 4096), report by the VCEK (P-384). */
export function snpFloor({ evidence, endorsements, bytes }: OpenCase): Pass {
  const report = Buffer.from(bytes(evidence["file"] ?? ""));
  const ek = splitSigned(Buffer.from(bytes(endorsements.ek ?? "")));
  const ask = new X509Certificate(bytes(endorsements.issuers?.[0] ?? "")).publicKey;
  const vcek = new X509Certificate(bytes(endorsements.ek ?? "")).publicKey;
  const r = Buffer.from(report.subarray(0x2a0, 0x2a0 + 48)).reverse();
  const s = Buffer.from(report.subarray(0x2e8, 0x2e8 + 48)).reverse();
  const signature = Buffer.concat([r, s]);
  const checkReport = rawEcdsa(vcek, "sha384", report.subarray(0, 0x2a0), signature);
  return () => {
    demand(verify("sha384", ek.signed, { key: ask, ...pss }, ek.signature));
    checkReport();
  };
}

function p256(point: Buffer): KeyObject {
  const [x, y] = [point.subarray(0, 32), point.subarray(32)].map((half) => half.toString("base64url"));
  return createPublicKey({ key: { kty: "EC", crv: "P-256", x: x ?? "", y: y ?? "" }, format: "jwk" });
}

function pemChain(text: string): X509Certificate[] {
  return (text.match(/-----BEGIN[\s\S]+?END CERTIFICATE-----/g) ?? []).map((pem) => new X509Certificate(pem));
}

/** The exact text of the value of one member, behind `"name":` and before `,"signature"`. */
function signedText(json: Buffer, name: string): { readonly text: Buffer; readonly signature: Buffer } {
  const whole = json.toString("utf8");
  const start = whole.indexOf(`"${name}":`) + name.length + 3;
  const end = whole.lastIndexOf(',"signature"');
  const { signature } = JSON.parse(whole) as { signature: string };
  return { text: Buffer.from(whole.slice(start, end)), signature: Buffer.from(signature, "hex") };
}

function quoteChecks(quote: Buffer): readonly [readonly Pass[], readonly X509Certificate[]] {
  const qe = 770;
  const authLength = quote.readUInt16LE(qe + 448);
  const pem = quote.subarray(qe + 450 + authLength + 6).toString("latin1");
  const chain = pemChain(pem);
  const [leaf] = chain;
  if (leaf === undefined) throw new Error("no chain in the quote");
  const attestationKey = quote.subarray(700, 764);
  const expected = createHash("sha256")
    .update(attestationKey)
    .update(quote.subarray(qe + 450, qe + 450 + authLength))
    .digest();
  demand(expected.equals(quote.subarray(qe + 320, qe + 352)));
  return [
    [
      rawEcdsa(p256(attestationKey), "sha256", quote.subarray(0, 632), quote.subarray(636, 700)),
      rawEcdsa(leaf.publicKey, "sha256", quote.subarray(qe, qe + 384), quote.subarray(qe + 384, qe + 448)),
    ],
    chain,
  ];
}

/** Quote, QE report, PCK leaf and CA, TCB signing certificate, TCB info, QE identity, both CRLs: nine of P-256. */
export function tdxFloor({ evidence, endorsements, bytes }: OpenCase): Pass {
  const { collateral = {}, issuers = [] } = endorsements;
  const part = (name: string): Buffer => Buffer.from(bytes(collateral[name] ?? ""));
  const [checks, chain] = quoteChecks(Buffer.from(bytes(evidence["file"] ?? "")));
  const root = new X509Certificate(bytes(issuers[0] ?? "")).publicKey;
  const [leaf, ca] = chain;
  const [signer] = pemChain(decodeURIComponent(part("tcbInfoIssuerChain").toString("latin1")));
  if (leaf === undefined || ca === undefined || signer === undefined) throw new Error("no chain");
  const tcbInfo = signedText(part("tcbInfo"), "tcbInfo");
  const identity = signedText(part("qeIdentity"), "enclaveIdentity");
  return inTurn([
    ...checks,
    derEcdsa(ca.publicKey, "sha256", splitSigned(leaf.raw)),
    derEcdsa(root, "sha256", splitSigned(ca.raw)),
    derEcdsa(root, "sha256", splitSigned(signer.raw)),
    rawEcdsa(signer.publicKey, "sha256", tcbInfo.text, tcbInfo.signature),
    rawEcdsa(signer.publicKey, "sha256", identity.text, identity.signature),
    derEcdsa(ca.publicKey, "sha256", splitSigned(part("pckCrl"))),
    derEcdsa(root, "sha256", splitSigned(part("rootCaCrl"))),
  ]);
}

function inTurn(checks: readonly Pass[]): Pass {
  return () => checks.forEach((check) => check());
}

/** What an attestation document is made of, cut out by a library so that nothing of ours is in the floor. */
export interface NitroParts {
  /** Root first, leaf last. */
  readonly chain: readonly Uint8Array[];
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
}

/** Four certificates and the document, all P-384. */
export function nitroFloor({ chain, signed, signature }: NitroParts): Pass {
  const certificates = chain.map((der) => new X509Certificate(der));
  const pairs = certificates.slice(1).map((certificate, at) => {
    const issuer = certificates[at];
    if (issuer === undefined) throw new Error("no issuer");
    return derEcdsa(issuer.publicKey, "sha384", splitSigned(certificate.raw));
  });
  const leaf = certificates.at(-1);
  if (leaf === undefined) throw new Error("no leaf");
  return inTurn([...pairs, rawEcdsa(leaf.publicKey, "sha384", Buffer.from(signed), Buffer.from(signature))]);
}
