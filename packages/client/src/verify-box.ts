import type { AttestationResult } from "@blindbox/attestation";
import { pinnedTls } from "#pinned-tls";
import { createAppraiser } from "./appraisal/appraiser.ts";
import type { VerifyOptions } from "./options/options.ts";
import { readOrigin } from "./options/origin.ts";
import { readVerifyOptions } from "./options/read-options.ts";

/**
 * Attests one connection to the box at `url`, closes it, and returns the result whatever its status is; `isAccepted` says
 * whether a session with the same options would be opened on it. Sends nothing but the attestation request.
 *
 * Rejects with a TypeError for a wrong option, or a {@link ConnectionError} where there is no connection to judge.
 *
 * @example
 * const result = await verifyBox("https://box.example:8443", { release, tees: [simulated({ root })], require: { manifest } });
 */
export async function verifyBox(url: string | URL, options: VerifyOptions): Promise<AttestationResult> {
  const origin = readOrigin(url);
  const checked = readVerifyOptions(options);
  return pinnedTls.attestOnce({ ...checked, origin, appraiser: await createAppraiser(checked) });
}
