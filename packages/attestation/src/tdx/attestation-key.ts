/** The key that signs quotes: made by the quoting enclave when the platform starts, and then the same in every quote. */
import { concatBytes, digest, fromHex } from "@blindbox/encoding";
import { p256, type PublicKey } from "../x509/index.ts";

/** The key, with what the quoting enclave has to say of it. */
export interface AttestationKey {
  readonly key: PublicKey;
  /** 64 bytes of the quoting enclave's report: the digest of key and authentication data, then zeros. */
  readonly bound: Promise<Uint8Array>;
}

const coordinates = 64;

/** The key of `x ‖ y ‖ authentication data`, in hex. That it is a point of the curve is for WebCrypto to say. */
export function attestationKeyOf(hashed: string): AttestationKey {
  const bytes = fromHex(hashed);
  const point = concatBytes(Uint8Array.of(4), bytes.subarray(0, coordinates));
  return { key: { kind: "ec", curve: p256, point }, bound: boundOf(bytes) };
}

async function boundOf(bytes: Uint8Array): Promise<Uint8Array> {
  return concatBytes(await digest("SHA-256", bytes), new Uint8Array(32));
}
