import { vendorSights } from "./endorsements.ts";
import { ALWAYS, type Exposure, type ExposureTarget } from "./sight.ts";

interface Trusted {
  readonly who: string;
  readonly what: readonly string[];
}

/** Who must be trusted not to look, since the hardware alone does not keep them out. */
const TRUSTED: Readonly<Record<ExposureTarget, Trusted | null>> = {
  "sev-snp": {
    who: "AMD, who makes the chip",
    what: ["nothing of what the box holds, by design: its keys vouch for the box, its firmware isolates it"],
  },
  tdx: {
    who: "Intel, who makes the chip",
    what: ["nothing of what the box holds, by design: its keys vouch for the box, its module isolates it"],
  },
  nitro: {
    who: "Amazon Web Services, who make the hypervisor and vouch for the box",
    what: ["nothing by design, but the hypervisor isolates the box: no chip vendor checks it, and it can read memory"],
  },
  "azure-vtpm": {
    who: "Microsoft, whose paravisor runs inside the protected machine, and the chip vendor",
    what: [
      "memory, if it chose to: the paravisor is above the box's kernel, and measured only as far as Microsoft vouches",
    ],
  },
  simulated: null,
};

/** Who is trusted together with the box on that hardware; null: the simulator trusts the machine with everything. */
export function siliconExposure(target: ExposureTarget): Exposure | null {
  const trusted = TRUSTED[target];
  if (trusted === null) return null;
  const { who, what } = trusted;
  return {
    observer: "silicon",
    who,
    sees: [...what.map((each) => ({ what: each, because: ALWAYS })), ...vendorSights(target)],
  };
}
