/** One attestation exchange kept, so that it can be judged again without a connection: by an auditor, or in a test. */
import type { AttestationResult, VerificationInput } from "@blindbox/attestation";
import { pinnedTls } from "#pinned-tls";
import { createAppraiser } from "./appraisal/appraiser.ts";
import type { VerifyOptions } from "./options/options.ts";
import { readOrigin } from "./options/origin.ts";
import { readVerifyOptions } from "./options/read-options.ts";
import type { Appraiser } from "./transport/transport.ts";

/** What a box answered, and what only the asker knew of the connection: all that a verification looks at. */
export type RecordedExchange = VerificationInput;

/** A result, and the exchange that it was made of; `exchange` is null where the peer gave no answer to judge. */
export interface RecordedVerification {
  readonly result: AttestationResult;
  /** Holds no credential: none is sent to attest. */
  readonly exchange: RecordedExchange | null;
}

/**
 * `verifyBox`, and the exchange beside its result. Same errors.
 *
 * @example const { result, exchange } = await recordBox("https://box.example:8443", options);
 */
export async function recordBox(url: string | URL, options: VerifyOptions): Promise<RecordedVerification> {
  const origin = readOrigin(url);
  const checked = readVerifyOptions(options);
  const plain = await createAppraiser(checked);
  let exchange: RecordedExchange | null = null;
  const appraiser: Appraiser = {
    refuse: (fault) => plain.refuse(fault),
    appraise(input) {
      exchange = input;
      return plain.appraise(input);
    },
  };
  const result = await pinnedTls.attestOnce({ ...checked, origin, appraiser });
  return { result, exchange };
}

/**
 * Judges a kept exchange as `verifyBox` judged it when it was new: the same code, the same findings. Nothing says that the
 * exchange took place as it is told: nonce, exporter and key are its keeper's word. `options.now` is the time to judge at.
 *
 * Rejects with a TypeError for a wrong option, or an exchange that is none.
 *
 * @example const result = await verifyRecorded(exchange, { ...options, now: () => new Date("2026-11-01T12:00:00Z") });
 */
export async function verifyRecorded(exchange: RecordedExchange, options: VerifyOptions): Promise<AttestationResult> {
  return (await createAppraiser(readVerifyOptions(options))).appraise(exchange);
}
