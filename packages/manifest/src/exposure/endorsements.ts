/** What the box's own requests for Endorsements show. No rule of a Manifest is about them: without them nobody could verify it. */
import { ALWAYS, type Exposure, type ExposureTarget, type Sight } from "./sight.ts";

/** Whom a box asks for Endorsements, and what each learns from it. */
interface Asked {
  /** Names that are looked up and dialled on the machine's network. */
  readonly hosts: string;
  /** What the hardware vendor learns of the box. */
  readonly vendor: readonly string[];
  /** What the host alone learns: from services of its own, in plain text. */
  readonly host: readonly string[];
}

const WHEN =
  "at its start, unless it is given Endorsements as a file, and while it runs: about once a day, more often when they run out or the vendor failed";
const AMD = "kdsintf.amd.com";
const INTEL = "api.trustedservices.intel.com and certificates.trustedservices.intel.com";
const AMD_PRODUCT = "that a box of this product line asks for AMD's lists, from which address and when";
const INTEL_FAMILY = "the platform's family (FMSPC) and its kind of CA, from which address the box asks, and when";

/** Null: nobody is asked. Evidence of Nitro brings its certificates, and the simulated TEE has no vendor. */
const ASKED: Readonly<Record<ExposureTarget, Asked | null>> = {
  "sev-snp": {
    hosts: AMD,
    vendor: [
      AMD_PRODUCT,
      "the chip's id and its TCB, unless the cloud handed over the chip's certificate with the report",
    ],
    host: [],
  },
  tdx: { hosts: INTEL, vendor: [INTEL_FAMILY], host: [] },
  nitro: null,
  "azure-vtpm": {
    hosts: `${AMD} on AMD's chips, ${INTEL} on Intel's`,
    vendor: [`on AMD's chips: ${AMD_PRODUCT}`, `on Intel's chips: ${INTEL_FAMILY}`],
    host: [
      "what the box asks Azure's metadata service at 169.254.169.254, in plain HTTP: on AMD's chips for the certificates of this machine (THIM), on Intel's for a quote of its TDREPORT",
    ],
  },
  simulated: null,
};

/** What the hardware vendor sees of a box that asks it. */
export function vendorSights(target: ExposureTarget): readonly Sight[] {
  return (ASKED[target]?.vendor ?? []).map((what) => ({ what, because: ALWAYS }));
}

/** What the host sees of it. */
export function endorsementSights(target: ExposureTarget): readonly Sight[] {
  const asked = ASKED[target];
  if (asked === null) return [];
  return [
    {
      what: `packets to and from the hardware vendor, and the names that are looked up: ${asked.hosts}`,
      because: ALWAYS,
    },
    { what: `when the box asks for Endorsements: ${WHEN}`, because: ALWAYS },
    ...asked.host.map((what) => ({ what, because: ALWAYS })),
  ];
}

/** Everybody on the way between box and hardware vendor; null: there is no such way. */
export function vendorNetwork(target: ExposureTarget): Exposure | null {
  const asked = ASKED[target];
  if (asked === null) return null;
  return {
    observer: "network",
    who: "the network between box and hardware vendor, and the machine's resolvers",
    sees: [
      { what: `the names that are looked up and asked for in TLS (SNI): ${asked.hosts}`, because: ALWAYS },
      { what: `that the box asks for Endorsements, and when: ${WHEN}`, because: ALWAYS },
    ],
  };
}
