export { type Callers, createCallers } from "./callers.ts";
export { type ClientCertificate, clientCertificateOf } from "./client-certificate.ts";
export { type Presented, type PresentedFault, readPresented } from "./presented.ts";
export { createTokenVerifier, maxKnownTokens, type TokenVerifier } from "./token-verifier.ts";
