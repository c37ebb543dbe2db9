import { fromUtf8 } from "../bytes/text.ts";
import { EncodingError } from "../encoding-error.ts";
import { derExpect, type DerElement } from "./element.ts";
import { DER_TAG } from "./tags.ts";

const printable = /^[A-Za-z0-9 '()+,\-./:=?]*$/;
const ascii = /^[\x00-\x7f]*$/;

function alphabetOf(tag: number | undefined): RegExp | null {
  if (tag === DER_TAG.printableString) return printable;
  return tag === DER_TAG.ia5String ? ascii : null;
}

/**
 * The text of a UTF8String, PrintableString or IA5String. Other string types are refused: no vendor needs them.
 *
 * @throws EncodingError for another type, or for characters that the type does not have.
 */
export function derText(element: DerElement | undefined, field: string = "der"): string {
  const alphabet = alphabetOf(element?.tag);
  const tag = alphabet === null || element === undefined ? DER_TAG.utf8String : element.tag;
  const text = fromUtf8(derExpect(element, tag, field).contents, field);
  if (alphabet === null || alphabet.test(text)) return text;
  throw new EncodingError("bad-encoding", field, "characters of its string type", "others");
}
