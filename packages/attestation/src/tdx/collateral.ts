/** Intel's Endorsements of a TD ("collateral"): read part by part, so that one bad part does not hide the others. No trust. */
import { EncodingError, fromBase64url, jsonObject, jsonString, parsePem, type JsonValue } from "@blindbox/encoding";
import { readAs } from "../evidence-error.ts";
import { commonNameOf, parseCertificate, parseCrl, type Certificate, type Crl } from "../x509/index.ts";
import { rememberReading } from "./memory.ts";

import { readQeIdentity, type QeIdentity } from "./qe-identity.ts";
import { parseSignedText, type SignedText } from "./signed-text.ts";
import { readTcbInfo, type TcbInfo } from "./tcb-info.ts";

/** A chain of two: who signed, and the root. */
export interface IssuerChain {
  readonly signer: Certificate;
  /** The signer's common name, `null` where there is no single one. */
  readonly signerName: string | null;
  readonly rootDer: Uint8Array;
}

/** The parts, by the names that the Endorsements give them. */
export interface Collateral {
  readonly pckCrl: Crl;
  readonly pckCrlIssuerChain: IssuerChain;
  readonly qeIdentity: SignedText<QeIdentity>;
  readonly qeIdentityIssuerChain: IssuerChain;
  readonly rootCaCrl: Crl;
  readonly tcbInfo: SignedText<TcbInfo>;
  readonly tcbInfoIssuerChain: IssuerChain;
}

/** Names of the parts, in the order in which they are looked at. */
export const COLLATERAL_PARTS: readonly CollateralPart[] = [
  "rootCaCrl",
  "pckCrl",
  "pckCrlIssuerChain",
  "tcbInfoIssuerChain",
  "qeIdentityIssuerChain",
  "tcbInfo",
  "qeIdentity",
];

/** One of {@link COLLATERAL_PARTS}. */
export type CollateralPart = keyof Collateral;

/** Each part: as it was read, why it could not be, or `null` where it did not come. */
export type CollateralReading = { readonly [Part in CollateralPart]: Collateral[Part] | EncodingError | null };

/** Reads the Endorsements of a TD. @throws EncodingError where they are no object with exactly these members. */
export type CollateralReader = (value: JsonValue) => CollateralReading;

/** A reader that reads each text once. */
export function collateralReader(): CollateralReader {
  const chain = rememberReading(parseIssuerChain);
  const readers: { readonly [Part in CollateralPart]: (text: string) => Collateral[Part] } = {
    rootCaCrl: rememberReading((text) => parseCrl(fromBase64url(text, "rootCaCrl"), "root's CRL")),
    pckCrl: rememberReading((text) => parseCrl(fromBase64url(text, "pckCrl"), "PCK CA's CRL")),
    pckCrlIssuerChain: chain,
    tcbInfoIssuerChain: chain,
    qeIdentityIssuerChain: chain,
    tcbInfo: rememberReading((text) => parseSignedText(text, "tcbInfo", readTcbInfo)),
    qeIdentity: rememberReading((text) => parseSignedText(text, "enclaveIdentity", readQeIdentity)),
  };
  return (value) => {
    const members = jsonObject(value, "endorsements", COLLATERAL_PARTS);
    const read = <T>(part: CollateralPart, reader: (text: string) => T): T | EncodingError | null =>
      readPart(members[part], `endorsements.${part}`, reader);
    return {
      rootCaCrl: read("rootCaCrl", readers.rootCaCrl),
      pckCrl: read("pckCrl", readers.pckCrl),
      pckCrlIssuerChain: read("pckCrlIssuerChain", readers.pckCrlIssuerChain),
      tcbInfoIssuerChain: read("tcbInfoIssuerChain", readers.tcbInfoIssuerChain),
      qeIdentityIssuerChain: read("qeIdentityIssuerChain", readers.qeIdentityIssuerChain),
      tcbInfo: read("tcbInfo", readers.tcbInfo),
      qeIdentity: read("qeIdentity", readers.qeIdentity),
    };
  };
}

function readPart<T>(value: JsonValue, path: string, read: (text: string) => T): T | EncodingError | null {
  if (value === null) return null;
  try {
    return read(jsonString(value, path));
  } catch (error) {
    if (error instanceof EncodingError) return error;
    throw error;
  }
}

function parseIssuerChain(pem: string): IssuerChain {
  return readAs("bad-certificate", () => {
    const [signerDer, rootDer, ...more] = parsePem(pem, "CERTIFICATE", "issuerChain");
    if (signerDer === undefined || rootDer === undefined || more.length > 0) {
      throw new EncodingError("bad-encoding", "issuerChain", "2 certificates", "another number");
    }
    const signer = parseCertificate(signerDer, "signing certificate");
    return { signer, signerName: commonNameOf(signer.subject), rootDer };
  });
}
