/** A device and the Endorsements of its machine, as the attester takes them. */
import type { JsonValue } from "@blindbox/encoding";
import type { EvidenceProvider } from "../../parts.ts";
import type { TeeDevice } from "./device.ts";
import type { EndorsementSource } from "./endorsement-source.ts";

/** Evidence of `device`, with Endorsements of `source` beside it. */
export function createHardwareProvider(device: TeeDevice, source: EndorsementSource): EvidenceProvider {
  return {
    tee: device.tee,
    async getEvidence(binding) {
      const { evidence, subject, given } = await device.read(binding);
      const endorsements = await source.endorse(subject, given);
      return { evidence, endorsements: device.tee === "azure-vtpm" ? belowVtpm(endorsements) : endorsements };
    },
  };
}

/** The virtual TPM itself has none: they are those of the hardware below. */
function belowVtpm(hardware: JsonValue): JsonValue {
  return { hardware };
}
