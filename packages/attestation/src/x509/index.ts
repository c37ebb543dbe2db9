export { ecdsaP256, ecdsaP384, type Curve, type SignatureAlgorithm } from "./algorithms.ts";
export { parseCertificate, type Certificate } from "./certificate.ts";
export { verifyChain, type Chain, type Link } from "./chain.ts";
export { parseCrl, type Crl } from "./crl.ts";
export { verifyDerSignature, verifyRawSignature, type PublicKey } from "./signature.ts";
export { rememberSignatures, type SignatureCheck } from "./known-signatures.ts";
