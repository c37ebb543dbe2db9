/** The root of all TDX Evidence: "Intel SGX Root CA", by the SHA-256 of its certificate in DER. */
import { digest, equalBytes, toHex } from "@blindbox/encoding";

/** Valid from 2018-05-21 to 2049-12-31. */
export const INTEL_SGX_ROOT_SHA256 = "44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3";

/** Whether a certificate in DER is the pinned root. */
export type RootPin = (der: Uint8Array) => Promise<boolean>;

/** The pin of one root, by lower-case hex. It keeps the root itself once it saw it: comparing is cheaper than hashing. */
export function pinRoot(sha256: string): RootPin {
  let known: Uint8Array | null = null;
  return async (der) => {
    if (known !== null && equalBytes(known, der)) return true;
    const holds = toHex(await digest("SHA-256", der)) === sha256;
    if (holds) known = der.slice();
    return holds;
  };
}
