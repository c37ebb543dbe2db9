/** What a TD's Evidence is verified with: the pinned root, and what was verified and read before. */
import { INTEL_SGX_ROOT_SHA256, pinRoot, type RootPin } from "./roots.ts";
import { rememberSignatures, verifyRawSignature, type SignatureCheck } from "../x509/index.ts";
import { attestationKeyOf, type AttestationKey } from "./attestation-key.ts";
import { collateralReader, type CollateralReader } from "./collateral.ts";
import { rememberReading } from "./memory.ts";
import { parsePckChain, pckChainText, type PckChain } from "./pck-chain.ts";

/** One for each {@link Tee} that is made: nothing is shared between two of them. */
export interface TrustAnchor {
  readonly isRoot: RootPin;
  /** Of certificates and CRLs. */
  readonly verifySignature: SignatureCheck;
  /** Of Intel's texts and of quoting enclaves' reports: r and s, big-endian. */
  readonly verifyRawSignature: SignatureCheck;
  /** Of quotes. Apart from the others: many boxes' quotes must not make it forget Intel's signatures. */
  readonly verifyQuoteSignature: SignatureCheck;
  readonly readAttestationKey: (hashed: string) => AttestationKey;
  /** Reads the chain inside a quote. */
  readonly readPckChain: (pem: Uint8Array) => PckChain;
  readonly readCollateral: CollateralReader;
}

/** An anchor at the root with this SHA-256, in lower-case hex: Intel's, but for tests and conformance cases. */
export function trustAnchor(rootSha256: string = INTEL_SGX_ROOT_SHA256): TrustAnchor {
  const readChain = rememberReading(parsePckChain);
  return {
    isRoot: pinRoot(rootSha256),
    verifySignature: rememberSignatures(),
    verifyRawSignature: rememberSignatures(verifyRawSignature),
    verifyQuoteSignature: rememberSignatures(verifyRawSignature),
    readAttestationKey: rememberReading(attestationKeyOf),
    readPckChain: (pem) => readChain(pckChainText(pem)),
    readCollateral: collateralReader(),
  };
}
