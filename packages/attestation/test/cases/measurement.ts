/** What runs on the wrong platform, runs the wrong code, or signed another Statement (steps 3 to 5). */
import { ChannelBindingError, DebugModeError, InvalidEnclaveCode, OutdatedPlatformError } from "@blindbox/attestation";
import { reference } from "../box.ts";
import { random, sha256Text } from "../vendor.ts";
import { otherDigest, refusals, type Refusal } from "./refusals.ts";

export const platformRefusals: readonly Refusal[] = [
  refusals("platform", DebugModeError, ["debug"], {
    "debug mode": { report: { debug: true } },
  }),
  refusals("platform", OutdatedPlatformError, ["tcb"], {
    "a TCB version below the floor": { report: { tcb: 0n } },
  }),
].flat();

const otherRelease = {
  ...reference,
  registers: { measurement: "cd".repeat(48) },
  manifest: otherDigest,
  release: "acme/other 2.0.0",
};

export const measurementRefusals: readonly Refusal[] = [
  refusals("measurement", InvalidEnclaveCode, ["reference-values"], {
    "another measurement": { report: { measurement: random(48) } },
    "a measurement that is all zero": { report: { measurement: new Uint8Array(48) } },
  }),
  refusals("measurement", InvalidEnclaveCode, ["statement-manifest"], {
    "the measurement of one Release with the Manifest of another": {
      referenceValues: [otherRelease, { ...reference, manifest: sha256Text("its own Manifest") }],
    },
    "a Manifest that is right for another accepted Release only": {
      statement: { manifest: otherDigest },
      referenceValues: [otherRelease, reference],
      document: (all) => ({ ...all, manifest: "other" }),
    },
  }),
  refusals("measurement", InvalidEnclaveCode, ["statement-runtime"], {
    "another runtime": { statement: { runtime: otherDigest } },
  }),
].flat();

export const bindingRefusals: readonly Refusal[] = [
  refusals("binding", ChannelBindingError, ["statement-binding"], {
    "a Statement that was not signed": {
      document: (all) => ({ ...all, statement: all.statement.replace('"audit":null', `"audit":"${otherDigest}"`) }),
    },
    "a report with a binding of zeros": { report: { binding: new Uint8Array(64) } },
  }),
].flat();
