/** What a document says, by name: its registers, and every field. */
import { toHex, type JsonValue } from "@blindbox/encoding";
import { CODE_PCRS, type NitroDocument } from "./evidence.ts";

/** Every PCR, as `pcr0` to `pcr31`. */
export function registersOf({ pcrs }: NitroDocument): Readonly<Record<string, string>> {
  return Object.fromEntries([...pcrs].map(([index, pcr]) => [`pcr${index}`, toHex(pcr)]));
}

/**
 * Every field. `pcrs` holds those of the code, and of the others what is not all zero; `pcrCount` counts all of them.
 * `timestamp` is in milliseconds.
 */
export function factsOf(document: NitroDocument): Readonly<Record<string, JsonValue>> {
  const { moduleId, timestamp, pcrs } = document;
  const shown = [...pcrs].filter(([index, pcr]) => isCodePcr(index) || pcr.some((byte) => byte !== 0));
  return {
    moduleId,
    digest: "SHA384",
    timestamp,
    pcrs: Object.fromEntries(shown.map(([index, pcr]) => [String(index), toHex(pcr)])),
    pcrCount: pcrs.size,
    publicKey: hexOrNull(document.publicKey),
    userData: hexOrNull(document.userData),
    nonce: hexOrNull(document.nonce),
  };
}

function isCodePcr(index: number): boolean {
  return CODE_PCRS.some((each) => each === index);
}

function hexOrNull(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : toHex(bytes);
}
