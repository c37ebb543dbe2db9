/** Extended key usage (RFC 5280, 4.2.1.12): what a certificate is for, by its issuer's word. */
import { derOid, derRead, derSequence, EncodingError } from "@blindbox/encoding";
import { readAs } from "../evidence-error.ts";
import type { Certificate } from "../x509/index.ts";

/** Object identifier of the extension. */
export const extendedKeyUsage = "2.5.29.37";

/**
 * Every purpose that the certificate names; none where it has no such extension.
 *
 * @throws EvidenceError `bad-certificate` where the extension is not a list of object identifiers.
 */
export function purposesOf({ extensions }: Certificate): readonly string[] {
  const value = extensions.find(({ oid }) => oid === extendedKeyUsage)?.value;
  if (value === undefined) return [];
  const field = "uvm.extendedKeyUsage";
  return readAs("bad-certificate", () => {
    const purposes = derSequence(derRead(value, field), field).map((each) => derOid(each, field));
    if (purposes.length > 0) return purposes;
    throw new EncodingError("bad-encoding", field, "purposes", "none");
  });
}
