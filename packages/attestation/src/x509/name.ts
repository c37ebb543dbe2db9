/** Names: the one part of them that vendors' rules speak of. Whole names are compared byte by byte elsewhere. */
import { derChildren, derExpect, derOid, derRead, derSequence, derText, DER_TAG } from "@blindbox/encoding";

const commonNameOid = "2.5.4.3";

/**
 * The one common name of a DER Name; `null` where it has none, or several.
 *
 * @throws EncodingError where it is no Name of one-byte tags and known text types.
 */
export function commonNameOf(name: Uint8Array): string | null {
  const attributes = derSequence(derRead(name, "name"), "name").flatMap((set) =>
    derChildren(derExpect(set, DER_TAG.set, "name"), "name"),
  );
  const values = attributes.flatMap((attribute) => {
    const [type, value] = derSequence(attribute, "name");
    return derOid(type, "name") === commonNameOid ? [derText(value, "name")] : [];
  });
  return values.length === 1 ? (values[0] ?? null) : null;
}
