export {
  ecdsaP256,
  ecdsaP384,
  p256,
  rsaPkcs1Sha256,
  rsaPkcs1Sha384,
  rsaPssSha384,
  type Curve,
  type SignatureAlgorithm,
} from "./algorithms.ts";
export { parseCertificate, type Certificate } from "./certificate.ts";
export { verifyChain, type Chain, type Link } from "./chain.ts";
export { parseCrl, type Crl } from "./crl.ts";
export { commonNameOf } from "./name.ts";
export { rsaPublicKey, type EcPublicKey, type PublicKey, type RsaPublicKey } from "./public-key.ts";
export { verifyDerSignature, verifyRawSignature } from "./signature.ts";
export { certificateRevocation, verifyRevocation } from "./revocation.ts";
export { rememberSignatures, type SignatureCheck } from "./known-signatures.ts";
