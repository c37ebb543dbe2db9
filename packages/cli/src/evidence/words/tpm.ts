/** A TPM quote in words (TPM 2.0 Library, part 2: TPMS_ATTEST; PCRs by the TCG PC Client profile and Linux practice). */
import { parseTpmQuote, type TpmQuote } from "@blindbox/attestation";
import { toHex } from "@blindbox/encoding";
import type { Facts, Inspection, Row, SectionWords, Show } from "../inspection.ts";
import { sectionsOf } from "../inspection.ts";
import { line, numbers, plain } from "./values.ts";

/** Everything that a quote says. `pcrs` are values that came beside it: the quote holds a hash of them only. */
export function inspectTpmQuote(bytes: Uint8Array, pcrs: readonly (string | null)[]): Inspection {
  const quote = parseTpmQuote(bytes);
  const values = pcrFacts(quote, pcrs);
  return {
    kind: "tpm-quote",
    title: "TPM quote over PCRs of the SHA-256 bank",
    sections: [...sectionsOf(quoteFacts(quote), [quoteWords]), ...sectionsOf(values, [pcrWords])],
    inside: [],
  };
}

function quoteFacts({ qualifiedSigner, extraData, clock, firmwareVersion, selection, pcrDigest }: TpmQuote): Facts {
  return {
    extraData: toHex(extraData),
    pcrSelection: [...selection],
    pcrDigest: toHex(pcrDigest),
    qualifiedSigner: toHex(qualifiedSigner),
    tpmClock: clock.milliseconds.toString(16).padStart(16, "0"),
    tpmResetCount: clock.resetCount,
    tpmRestartCount: clock.restartCount,
    tpmClockSafe: clock.safe,
    tpmFirmwareVersion: firmwareVersion.toString(16).padStart(16, "0"),
  };
}

/** A PCR that was not quoted is nobody's word, so it is not shown. */
function pcrFacts({ selection }: TpmQuote, pcrs: readonly (string | null)[]): Facts {
  return Object.fromEntries(
    selection.flatMap((number) => {
      const value = pcrs[number];
      return value === null || value === undefined ? [] : [[`pcr${number}`, value]];
    }),
  );
}

const hours: Show = (value) => {
  const seconds = BigInt(`0x${plain(value)}`) / 1000n;
  return [
    line(`${seconds / 86_400n} days, ${(seconds / 3600n) % 24n} hours and ${(seconds / 60n) % 60n} minutes of running`),
  ];
};

const quoteWords: SectionWords = {
  title: "the quote",
  rows: [
    [
      "extraData",
      "extraData",
      "Bytes of whoever asked. In a box: SHA-256 of the hash of the Statement. Without it this is a recording.",
    ],
    [
      "pcrSelection",
      "selected PCRs",
      "Which registers the quote covers. What is not among them is not attested.",
      numbers,
    ],
    [
      "pcrDigest",
      "pcrDigest",
      "SHA-256 over their values, in order: values beside the quote count only where they have this hash.",
    ],
    ["qualifiedSigner", "qualifiedSigner", "Name, by the TPM, of the key that signed, and of those above it."],
    ["tpmClock", "clock", "How long the TPM has been running. A virtual one begins with its machine.", hours],
    ["tpmResetCount", "resetCount", "How often the machine was started."],
    ["tpmRestartCount", "restartCount", "How often it was woken since."],
    ["tpmClockSafe", "clock safe", "Whether the clock can only have gone forward."],
    ["tpmFirmwareVersion", "firmwareVersion", "Of the TPM, as its maker counts."],
  ],
};

const pcrMeanings: readonly (readonly [number, string])[] = [
  [0, "Firmware code."],
  [1, "Firmware configuration."],
  [2, "Drivers from option ROMs."],
  [3, "Their configuration."],
  [4, "What the firmware started: boot loader, or a unified kernel image with kernel, command line and initrd in it."],
  [5, "Configuration of the boot loader, and the partition table."],
  [6, "Events of the machine's maker."],
  [7, "Secure Boot: whether it is on, its keys, and what verified the boot loader."],
  [8, "Commands of the boot loader, and the kernel's command line (GRUB)."],
  [9, "Files that the boot loader read: kernel, initrd (GRUB)."],
  [10, "Files that Linux IMA measured while it ran."],
  [11, "Parts of a unified kernel image, and how far the start has come (systemd)."],
  [12, "Command lines, credentials and extensions that were added (systemd)."],
  [13, "System extensions (systemd)."],
  [14, "Keys of the machine's owner (shim)."],
  [15, "Identity of the machine, root file system (systemd)."],
  [16, "For debugging: anybody resets it."],
  [23, "For applications: anybody resets it."],
];

const pcrWords: SectionWords = {
  title: "what was started, register by register (values beside the quote)",
  rows: Array.from({ length: 24 }, (_, number): Row => {
    const [, means] = pcrMeanings.find(([at]) => at === number) ?? [
      number,
      "For dynamic launches, which virtual machines do not use.",
    ];
    return [`pcr${number}`, `PCR${number}`, means];
  }),
};
