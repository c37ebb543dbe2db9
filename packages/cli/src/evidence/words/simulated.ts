/** A simulated report in words (the byte layout is in attestation/src/simulated/layout.ts). */
import { parseSimulatedReport } from "@blindbox/attestation";
import { toHex } from "@blindbox/encoding";
import type { Inspection, SectionWords, Show } from "../inspection.ts";
import { sectionsOf } from "../inspection.ts";
import { line } from "./values.ts";

/** Everything that a report of the simulator says. @throws EncodingError where it is none. */
export function inspectSimulatedReport(bytes: Uint8Array): Inspection {
  const { debug, tcb, measurement, binding, chipId } = parseSimulatedReport(bytes);
  const facts = {
    simulated: true,
    measurement: toHex(measurement),
    binding: toHex(binding),
    debug,
    tcb: String(tcb),
    chipId: toHex(chipId),
  };
  return {
    kind: "simulated-report",
    title: "report of the simulated TEE, version 1",
    sections: sectionsOf(facts, [rows]),
    inside: [],
  };
}

const debug: Show = (value) => (value === true ? [line("on", "bad")] : [line("off", "good")]);

const rows: SectionWords = {
  title: "the report",
  rows: [
    [
      "simulated",
      "protection",
      "A simulator exercises everything but the silicon. For development only.",
      () => [line("none: whoever runs the simulator reads and changes all that is in the box", "bad")],
    ],
    [
      "measurement",
      "measurement",
      "SHA-384 over the image's configuration digest and layers, as the simulated device recomputes them.",
    ],
    ["binding", "binding", "SHA-512 of the Statement, as real hardware would carry it."],
    ["debug", "debug", "The one flag that there is.", debug],
    ["tcb", "TCB version", "Stands for the security version of a platform."],
    ["chipId", "chip id", "SHA-256 of the simulated device's key."],
  ],
};
