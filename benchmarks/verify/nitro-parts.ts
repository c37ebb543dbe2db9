/** An attestation document cut into what the floor needs, by a CBOR library of others. */
import { decode, encode } from "cborg";
import type { OpenCase } from "../../conformance/case.ts";
import type { NitroParts } from "./floor.ts";

/** Chain, signed bytes and signature of a document. */
export function nitroParts({ evidence, bytes }: OpenCase): NitroParts {
  const [header, , payload, signature] = decode(bytes(evidence["file"] ?? "")) as readonly Uint8Array[];
  if (header === undefined || payload === undefined || signature === undefined) throw new Error("no COSE_Sign1");
  const members = decode(payload, { useMaps: true }) as ReadonlyMap<string, Uint8Array & readonly Uint8Array[]>;
  const [cabundle = [], certificate = new Uint8Array()] = [members.get("cabundle"), members.get("certificate")];
  return {
    chain: [...cabundle, certificate],
    signed: encode(["Signature1", header, new Uint8Array(), payload]),
    signature,
  };
}
