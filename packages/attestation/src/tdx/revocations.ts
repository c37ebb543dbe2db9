/** Both CRLs: the root's for the CA in the quote, that CA's for the platform. Without one there is no Finding here. */
import type { Finding } from "../types.ts";
import { ecdsaP256, verifyRevocation, type Crl } from "../x509/index.ts";
import { PCK_AUTHORITIES } from "./origin.ts";
import type { TdxQuestion } from "./question.ts";

/** The root's CRL, then the CA's. A CRL that did not come has been told of already. */
export async function revocationFindings(
  { quote: { pck }, anchor, policy, now }: TdxQuestion,
  rootCrl: Crl | null,
  pckCrl: Crl | null,
): Promise<readonly Finding[]> {
  const { verifySignature } = anchor;
  const context = { now, verifySignature, algorithms: [ecdsaP256] };
  const { maxEndorsementAge: maxAge, minCrlNumber } = policy;
  const ofIntermediate = {
    ...context,
    name: "intermediate",
    certificate: pck.intermediate,
    issuer: pck.root,
    kind: "intelRootCrl",
    maxAge: maxAge.intelRootCrl,
    minNumber: minCrlNumber.intelRoot,
  } as const;
  const ofPck = {
    ...context,
    name: "pck",
    certificate: pck.leaf,
    issuer: pck.intermediate,
    kind: "intelPckCrl",
    maxAge: maxAge.intelPckCrl,
    // A CA of another name has failed already.
    minNumber: minCrlNumber[PCK_AUTHORITIES.get(pck.intermediateName) ?? "intelPlatform"],
  } as const;
  const findings = await Promise.all([
    rootCrl === null ? [] : verifyRevocation({ ...ofIntermediate, crl: rootCrl }),
    pckCrl === null ? [] : verifyRevocation({ ...ofPck, crl: pckCrl }),
  ]);
  return findings.flat();
}
