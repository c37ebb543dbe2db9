/** An SEV-SNP report in words (AMD 56860, SEV Secure Nested Paging Firmware ABI, table ATTESTATION_REPORT). */
import { sevSnp } from "@blindbox/attestation";
import type { Facts, Inspection, SectionWords, Show } from "../inspection.ts";
import { sectionsOf } from "../inspection.ts";
import { bitLines, type Bit } from "./bits.ts";
import { amdTcb } from "./amd-tcb.ts";
import { bigOf, isZero, line, named, textOf, unlessZero, plain } from "./values.ts";

/** Everything that a report says. @throws EncodingError where it is none. */
export function inspectSevSnpReport(bytes: Uint8Array): Inspection {
  const { facts, debug } = sevSnp().parseEvidence(bytes);
  const title = `AMD SEV-SNP attestation report, version ${plain(facts["version"])}${debug ? ", of a guest with DEBUG on" : ""}`;
  return { kind: "sev-snp-report", title, sections: sevSnpSections(facts), inside: [] };
}

/** The same from facts: an HCL report holds one. */
export function sevSnpSections(facts: Facts): ReturnType<typeof sectionsOf> {
  const shown = Object.entries(facts).filter(([name]) => !shownAsBits.has(name));
  return sectionsOf(Object.fromEntries(shown), sections);
}

/** What stands in the bits of `policy` and `platformInfo`, which are shown one by one. */
const shownAsBits: ReadonlySet<string> = new Set(["policyFeatures", "policyAbi", "platformFeatures"]);

const policyBits: readonly Bit[] = [
  [
    19,
    "DEBUG",
    ["bad", "ON: the host reads and writes the guest's memory; nothing in it is protected"],
    ["good", "the firmware refuses the host's debugging commands"],
  ],
  [
    18,
    "MIGRATE_MA",
    ["bad", "ON: a migration agent may take the guest, with its memory, to a machine that nobody verified"],
    ["good", "no migration agent may be bound to the guest"],
  ],
  [17, "reserved", ["good", "one, as it has to be"], ["bad", "zero: the specification demands one"]],
  [16, "SMT", ["plain", "may run where cores run two threads"], ["good", "refuses to run where cores run two threads"]],
  [20, "SINGLE_SOCKET", ["plain", "runs on one socket only"], ["plain", "may run across sockets"]],
  [
    21,
    "CXL_ALLOW",
    ["careful", "may have its memory behind a CXL link, which others can reach"],
    ["good", "no memory behind a CXL link"],
  ],
  [
    22,
    "MEM_AES_256_XTS",
    ["good", "demands AES-256 for its memory"],
    ["plain", "takes whatever memory encryption the host set, AES-128 or 256"],
  ],
  [
    23,
    "RAPL_DIS",
    ["good", "demands that power readings are off, which leak by how much work is done"],
    ["plain", "does not demand that power readings are off"],
  ],
  [
    24,
    "CIPHERTEXT_HIDING",
    ["good", "demands that the host cannot read even the encrypted memory"],
    ["plain", "does not demand that: the host may see which blocks of encrypted memory are equal"],
  ],
  [25, "PAGE_SWAP_DISABLE", ["plain", "the host may not move or swap pages"], ["plain", "the host may move pages"]],
];

const policy: Show = (value) => {
  const bits = bigOf(value);
  const abi = `${(bits >> 8n) & 0xffn}.${bits & 0xffn}`;
  return [line(`0x${plain(value)}`), line(`firmware ABI ${abi} or later`), ...bitLines(bits, policyBits, 0xffffn)];
};

const platformBits: readonly Bit[] = [
  [0, "SMT_EN", ["plain", "cores run two threads"], ["good", "cores run one thread"]],
  [
    1,
    "TSME_EN",
    ["plain", "all of the machine's memory is encrypted, beside the guests'"],
    ["plain", "only guests' memory is encrypted"],
  ],
  [
    2,
    "ECC_EN",
    ["good", "memory with error correction"],
    ["careful", "no error correction, or firmware that does not say: without it bits of memory can be made to flip"],
  ],
  [3, "RAPL_DIS", ["good", "power readings are off"], ["plain", "the host can read how much power is drawn"]],
  [
    4,
    "CIPHERTEXT_HIDING_DRAM_EN",
    ["good", "the host cannot read the encrypted memory"],
    ["plain", "the host can read the encrypted memory, and see which blocks are equal"],
  ],
  [
    5,
    "ALIAS_CHECK_COMPLETE",
    ["good", "no memory module lies about its size (BadRAM, CVE-2024-21944)"],
    [
      "careful",
      "not confirmed: a memory module that lies about its size defeats the protection (BadRAM, CVE-2024-21944)",
    ],
  ],
  [6, "reserved", ["plain", "one, as Turin has it: its meaning is not published"], ["plain", "zero"]],
  [7, "TIO_EN", ["plain", "devices can be given to guests by trusted I/O"], ["plain", "no trusted I/O"]],
];

const platformInfo: Show = (value) => [line(`0x${plain(value)}`), ...bitLines(bigOf(value), platformBits)];

const chipId: Show = (value, { signingKey, product }) => {
  const hex = plain(value);
  if (product === "turin" && isZero(hex.slice(16)))
    return [line(hex.slice(0, 16)), line("and zeros: Turin has 8 of the 64 bytes")];
  if (!isZero(value)) return textOf(value);
  return signingKey === "vlek"
    ? [line("all zero: behind a VLEK no chip shows its identity")]
    : [line("all zero: the host masked it, so no chip's certificate can be matched with this report", "careful")];
};

const cpuid: Show = (value) => {
  const [family = "", model = "", stepping = ""] = plain(value).match(/../g) ?? [];
  return [line(`family 0x${family}, model 0x${model}, stepping 0x${stepping}`)];
};

const vmpl: Show = (value) => {
  if (value === 0) return [line("0: the most privileged level of the guest", "good")];
  if (value === 0xffffffff) return [line("0xffffffff: the host asked for this report, not the guest", "bad")];
  return [line(`${plain(value)}: code at a more privileged level reads and changes whatever asked`, "careful")];
};

const signingKeys: Show = named({
  vcek: line("VCEK: the chip's own key, derived from its secrets and its TCB"),
  vlek: line("VLEK: a key that AMD gave a cloud for all of its chips", "careful"),
  none: line("none: the report is not signed", "bad"),
  reserved: line("a reserved value", "bad"),
});

const mitigations: Show = (value) => [line(`0x${plain(value)}`)];

const sections: readonly SectionWords[] = [
  {
    title: "the report",
    rows: [
      [
        "version",
        "VERSION",
        "Layout of the report. Before 3 it does not say which product it is of, before 5 not which mitigations are on.",
      ],
      [
        "signingKey",
        "SIGNING_KEY",
        "Which key the firmware says that it signed with. The certificate has to be of the same kind.",
        signingKeys,
      ],
      ["authorKeyEnabled", "AUTHOR_KEY_EN", "Whether the ID key below was itself signed by an author key."],
      ["chipKeyMasked", "MASK_CHIP_KEY", "Whether the host hid the chip's own key; then nothing but a VLEK can sign."],
    ],
  },
  {
    title: "what was started",
    rows: [
      [
        "measurement",
        "MEASUREMENT",
        "SHA-384 of all that was in the guest before it ran: the firmware; kernel, command line and initrd only where the firmware carries their hashes. To be compared with the release's value.",
      ],
      [
        "hostData",
        "HOST_DATA",
        "32 bytes that the host gave at launch, for example the hash of a policy. Genuine, but the host's choice: worth something only where the measured code enforces it.",
        unlessZero("the host gave none"),
      ],
      ["guestSvn", "GUEST_SVN", "Version number that whoever signed the ID block gave the guest; 0 without one."],
      ["familyId", "FAMILY_ID", "Name that the ID block's signer gave this line of guests.", unlessZero("no ID block")],
      ["imageId", "IMAGE_ID", "Name that the ID block's signer gave this guest.", unlessZero("no ID block")],
      [
        "idKeyDigest",
        "ID_KEY_DIGEST",
        "SHA-384 of the key that signed the expected measurement, which the firmware checked at launch.",
        unlessZero("nobody signed the launch"),
      ],
      [
        "authorKeyDigest",
        "AUTHOR_KEY_DIGEST",
        "SHA-384 of the key that signed the ID key.",
        unlessZero("no author key"),
      ],
    ],
  },
  {
    title: "what the guest demanded of its host",
    rows: [["policy", "POLICY", "Fixed at launch and enforced by the firmware: the host cannot change it.", policy]],
  },
  {
    title: "what asked for the report",
    rows: [
      ["vmpl", "VMPL", "Privilege level, inside the guest, of whoever asked.", vmpl],
      [
        "reportData",
        "REPORT_DATA",
        "64 bytes of whoever asked. In a box: SHA-512 of the Statement, which names keys, Manifest and challenge. Without this nothing ties the report to a connection.",
        unlessZero("whoever asked bound nothing to it", "careful"),
      ],
      ["reportId", "REPORT_ID", "Random name of this guest, the same in all of its reports until it is restarted."],
      [
        "reportIdMa",
        "REPORT_ID_MA",
        "The same of its migration agent.",
        (value) => (/^f*$/.test(plain(value)) ? [line("all ones: there is none", "good")] : textOf(value)),
      ],
    ],
  },
  {
    title: "the machine",
    rows: [
      ["product", "product line", "Whose root certificate has to be at the end of the chain, by the CPUID below."],
      ["cpu", "CPU", "Which floor of the policy counts. Siena stands for Siena and Bergamo."],
      ["cpuid", "CPUID", "Which processor it is, as the firmware says.", cpuid],
      ["chipId", "CHIP_ID", "Identity of the chip; the certificate has to name the same.", chipId],
      [
        "platformInfo",
        "PLATFORM_INFO",
        "What is on and off in this machine; the firmware says it, not the host.",
        platformInfo,
      ],
      [
        "reportedTcb",
        "REPORTED_TCB",
        "The version that the signing key is derived from: a machine cannot claim a higher one than it has.",
        amdTcb,
      ],
      ["currentTcb", "CURRENT_TCB", "What runs now.", amdTcb],
      [
        "committedTcb",
        "COMMITTED_TCB",
        "What the machine can no longer be rolled back below. A policy's floor has to be reached here too.",
        amdTcb,
      ],
      ["launchTcb", "LAUNCH_TCB", "What ran when the guest was started, or imported.", amdTcb],
      ["currentBuild", "CURRENT version", "Firmware that runs now: major, minor and build."],
      ["committedBuild", "COMMITTED version", "Firmware below which it cannot be rolled back."],
      ["launchMitVector", "LAUNCH_MIT_VECTOR", "Mitigations that were on at launch, one bit each.", mitigations],
      ["currentMitVector", "CURRENT_MIT_VECTOR", "Mitigations that are on now.", mitigations],
    ],
  },
];
