/** An attestation document cut into what the floor needs, by the peer's CBOR library. */
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type { OpenCase } from "../../conformance/case.ts";
import type { NitroParts } from "./floor.ts";

interface Cbor {
  decode(bytes: Uint8Array): unknown;
  encode(value: unknown): Uint8Array;
}

/** Chain, signed bytes and signature of a document. */
export function nitroParts({ evidence, bytes }: OpenCase): NitroParts {
  const require = createRequire(fileURLToPath(new URL("x.cjs", import.meta.url)));
  const { decode, encode } = require("cborg") as Cbor;
  const [header, , payload, signature] = decode(bytes(evidence["file"] ?? "")) as readonly Uint8Array[];
  if (header === undefined || payload === undefined || signature === undefined) throw new Error("no COSE_Sign1");
  const { certificate, cabundle } = decode(payload) as { certificate: Uint8Array; cabundle: readonly Uint8Array[] };
  return {
    chain: [...cabundle, certificate],
    signed: encode(["Signature1", header, new Uint8Array(), payload]),
    signature,
  };
}
