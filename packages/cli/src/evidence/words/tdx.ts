/** A TD quote in words (Intel TDX DCAP quote format, TDX module ABI, SGX PCK certificate profile). */
import { tdx, tdxQuoteOf } from "@blindbox/attestation";
import type { Facts, Inspection, Section, SectionWords, Show } from "../inspection.ts";
import { sectionsOf } from "../inspection.ts";
import { bitLines, littleEndian, type Bit } from "./bits.ts";
import { certificateSection, pemCertificatesIn } from "./certificate.ts";
import { abridged, isZero, line, named, numbers, textOf, unlessZero, plain } from "./values.ts";

/** Everything that a quote says, and the certificates in it. @throws EncodingError where it is none. */
export function inspectTdQuote(bytes: Uint8Array): Inspection {
  const whole = tdxQuoteOf(bytes);
  const padding = bytes.length - whole.length;
  const { facts: read, debug } = tdx().parseEvidence(whole);
  const facts: Facts = { ...read, ...(padding === 0 ? {} : { padding }) };
  const module = facts["bodyType"] === 3 ? "TDX 1.5" : "TDX 1.0";
  return {
    kind: "td-quote",
    title: `Intel TDX quote, version ${plain(facts["version"])}, ${module}${debug ? ", of a TD with DEBUG on" : ""}`,
    sections: [
      ...sectionsOf(facts, [quote, ...tdSections, quotingEnclave, platform]),
      certificateSection("the certificates in the quote, the PCK's first", pemCertificatesIn(bytes)),
    ],
    inside: [],
  };
}

/** What a TD says of itself, from facts: a TDREPORT has the same. */
export function tdSectionsOf(facts: Facts): readonly Section[] {
  return sectionsOf(facts, tdSections);
}

const attributeBits: readonly Bit[] = [
  [
    0,
    "DEBUG",
    ["bad", "ON: the host reads and writes the TD's memory and registers; nothing in it is protected"],
    ["good", "the host cannot debug the TD"],
  ],
  [
    27,
    "LASS",
    ["plain", "user and kernel addresses are kept apart"],
    ["plain", "addresses are not kept apart by the CPU"],
  ],
  [
    28,
    "SEPT_VE_DISABLE",
    ["good", "the host cannot make the kernel take an exception by unmapping its pages"],
    ["careful", "by unmapping its pages the host can make the kernel take an exception at any instruction"],
  ],
  [
    29,
    "MIGRATABLE",
    ["bad", "ON: a migration TD may take this TD to a platform that nobody verified"],
    ["good", "the TD stays where it was started"],
  ],
  [30, "PKS", ["plain", "protection keys for kernel pages"], ["plain", "no protection keys for kernel pages"]],
  [31, "KL", ["plain", "may use Key Locker"], ["plain", "no Key Locker"]],
  [
    63,
    "PERFMON",
    ["careful", "may use performance counters, which the host multiplexes"],
    ["plain", "no performance counters"],
  ],
];

const attributes: Show = (value) => [line(plain(value)), ...bitLines(littleEndian(plain(value)), attributeBits)];

const features: readonly (readonly [at: number, name: string])[] = [
  [0, "x87"],
  [1, "SSE"],
  [2, "AVX"],
  [5, "AVX-512 masks"],
  [6, "AVX-512 high halves"],
  [7, "AVX-512 upper registers"],
  [8, "processor trace"],
  [9, "PKU"],
  [11, "CET user"],
  [12, "CET supervisor"],
  [14, "user interrupts"],
  [15, "LBR"],
  [17, "AMX tile configuration"],
  [18, "AMX tile data"],
];

const xfam: Show = (value) => {
  const bits = littleEndian(plain(value));
  const on = features.filter(([at]) => ((bits >> BigInt(at)) & 1n) === 1n);
  const named = on.reduce((mask, [at]) => mask | (1n << BigInt(at)), 0n);
  const others = bits & ~named;
  const lines = [line(plain(value)), line(on.map(([, name]) => name).join(", "))];
  return others === 0n ? lines : [...lines, line(`and bits that no TD may have: 0x${others.toString(16)}`, "bad")];
};

const securityVersions: Show = (value) => {
  const [module = 0, major = 0, microcode = 0, ...rest] = plain(value).match(/../g) ?? [];
  const [a, b, c] = [module, major, microcode].map((byte) => Number.parseInt(String(byte), 16));
  const others = rest.some((byte) => byte !== "00") ? `, others ${rest.join("")}` : "";
  return [line(`TDX module ${a}, its major version ${b}, late microcode update ${c}${others}`), line(plain(value))];
};

const signer: Show = (value) =>
  isZero(value) ? [line("all zero: Intel", "good")] : [...textOf(value), line("not Intel", "bad")];

const seamAttributes: Show = (value) =>
  isZero(value)
    ? [line("all zero: a production module", "good")]
    : [...textOf(value), line("not a production module", "bad")];

const serviceTd: Show = (value) => {
  if (value === null) return [line("no such field in TDX 1.0")];
  return isZero(value) ? [line("all zero: none is bound", "good")] : [...textOf(value), line("bound", "careful")];
};

const notInTdx10: Show = (value) => (value === null ? [line("no such field in TDX 1.0")] : securityVersions(value, {}));

const quote: SectionWords = {
  title: "the quote",
  rows: [
    [
      "padding",
      "behind the quote",
      "Nothing signs what stands there. A verifier refuses it, but for the zeros that Azure's hosts add.",
      (value) => [line(`${plain(value)} zero bytes, the rest of the host's buffer`, "careful")],
    ],
    ["version", "version", "Layout of the quote: 4 carries a body of TDX 1.0, 5 either."],
    ["bodyType", "body type", "2: TDX 1.0, 3: TDX 1.5, which adds TEE_TCB_SVN_2 and MRSERVICETD."],
    [
      "attestationKeyType",
      "attestation key",
      "The algorithm of the key that signed.",
      named({ "2": line("ECDSA P-256") }),
    ],
    ["teeType", "TEE type", "What is attested.", named({ "129": line("0x81: a trust domain (TDX)") })],
    [
      "qeVendorId",
      "QE vendor",
      "Whose quoting enclave made the quote.",
      named({ "939a7233f79c4ca9940a0db3957f0607": line("939a7233-f79c-4ca9-940a-0db3957f0607: Intel", "good") }),
    ],
    [
      "userData",
      "user data",
      "Free for the quoting enclave; by convention it begins with the platform's QE id. Nothing is decided by it.",
    ],
  ],
};

/** A register that stayed zero vouches for nothing, and of most TDs that is a thing to know. */
const nothingExtended = unlessZero("nothing was measured into it; on Azure the virtual TPM's PCRs have it", "careful");

const measured = "SHA-384 that measured code extends while the TD starts.";

const tdSections: readonly SectionWords[] = [
  {
    title: "what was started",
    rows: [
      [
        "mrtd",
        "MRTD",
        "SHA-384 of what the TD was built from before it ran: the virtual firmware. It does not cover the kernel; the RTMRs do.",
      ],
      [
        "rtmr0",
        "RTMR0",
        `${measured} Here: the firmware's configuration, ACPI tables, Secure Boot variables.`,
        nothingExtended,
      ],
      ["rtmr1", "RTMR1", `${measured} Here: boot loader and kernel.`, nothingExtended],
      ["rtmr2", "RTMR2", `${measured} Here: command line and initrd.`, nothingExtended],
      [
        "rtmr3",
        "RTMR3",
        `${measured} Here: whatever the system adds while it runs; its meaning is the system's own.`,
        unlessZero("nothing was added"),
      ],
      [
        "mrconfigid",
        "MRCONFIGID",
        "48 bytes that the host gave at creation, for a configuration.",
        unlessZero("the host gave none"),
      ],
      [
        "mrowner",
        "MROWNER",
        "48 bytes that the host gave at creation, for an owner.",
        unlessZero("the host gave none"),
      ],
      ["mrownerconfig", "MROWNERCONFIG", "48 bytes that the host gave at creation.", unlessZero("the host gave none")],
    ],
  },
  {
    title: "how the TD may be treated",
    rows: [
      ["tdAttributes", "ATTRIBUTES", "Fixed at creation and enforced by the TDX module.", attributes],
      ["xfam", "XFAM", "Processor state that the TD may use.", xfam],
      [
        "mrservicetd",
        "MRSERVICETD",
        "Hash of the service TDs that are bound to this one, which may migrate it.",
        serviceTd,
      ],
    ],
  },
  {
    title: "what asked for it",
    rows: [
      [
        "reportData",
        "REPORTDATA",
        "64 bytes of whoever asked. In a box: SHA-512 of the Statement, which names keys, Manifest and challenge. On Azure: the paravisor's hash of the virtual TPM's keys.",
        unlessZero("whoever asked bound nothing to it", "careful"),
      ],
    ],
  },
  {
    title: "the TDX module",
    rows: [
      ["teeTcbSvn", "TEE_TCB_SVN", "Security versions of the module that created the TD.", securityVersions],
      [
        "teeTcbSvn2",
        "TEE_TCB_SVN_2",
        "The same of the module that runs now: it may have been updated since.",
        notInTdx10,
      ],
      ["mrseam", "MRSEAM", "SHA-384 of the TDX module, which keeps the host out of the TD."],
      ["mrsignerseam", "MRSIGNERSEAM", "Who signed the module.", signer],
      ["seamAttributes", "SEAMATTRIBUTES", "What kind of module it is.", seamAttributes],
    ],
  },
];

const enclaveFlags = [
  [0, "INIT"],
  [2, "MODE64BIT"],
  [4, "PROVISION_KEY"],
  [5, "EINITTOKEN_KEY"],
  [6, "CET"],
  [7, "KSS"],
  [10, "AEX_NOTIFY"],
] as const;

/** 8 bytes of flags (SGX: SECS.ATTRIBUTES), and 8 of XFRM. */
const enclaveAttributes: Show = (value) => {
  const flags = littleEndian(plain(value).slice(0, 16));
  const on = enclaveFlags.filter(([at]) => ((flags >> BigInt(at)) & 1n) === 1n).map(([, name]) => name);
  const debug =
    (flags & 2n) === 0n
      ? line("DEBUG off", "good")
      : line("DEBUG ON: the host reads the enclave's keys, and signs what it likes", "bad");
  return [line(plain(value)), line(on.join(", ") || "no flag that has a name here"), debug];
};

const quotingEnclave: SectionWords = {
  title: "the quoting enclave, which signed for the platform",
  rows: [
    ["attestationKey", "attestation key", "The enclave's key that signed this quote, P-256, x and y.", abridged],
    ["qeAuthData", "authentication data", "Hashed together with that key into the enclave's own report."],
    ["qeMrsigner", "MRSIGNER", "Who signed the enclave: has to be the one that Intel's QE identity names."],
    ["qeMrenclave", "MRENCLAVE", "Which build of the enclave it is."],
    ["qeIsvProdId", "ISVPRODID", "Which of its signer's enclaves it is: 2 is the one for TDX."],
    ["qeIsvSvn", "ISVSVN", "Its security version, which Intel's QE identity has levels for."],
    [
      "qeAttributes",
      "ATTRIBUTES",
      "A quoting enclave under debug shows its keys to its host. Intel's QE identity says what they have to be.",
      enclaveAttributes,
    ],
    ["qeMiscselect", "MISCSELECT", "Extra state that is saved: Intel's QE identity says what it has to be."],
    ["qeCpuSvn", "CPUSVN", "Security version of the CPU that ran it."],
  ],
};

const yesNo =
  (yes: string, no: string): Show =>
  (value) =>
    value === null ? [line("not said")] : [line(value === true ? yes : no)];

const platform: SectionWords = {
  title: "the machine, by the PCK certificate in the quote",
  rows: [
    [
      "pckAuthority",
      "issued by",
      "Platform CA for machines that registered with Intel, Processor CA for single sockets.",
    ],
    ["fmspc", "FMSPC", "Family, model, stepping, platform type and SKU: which TCB info of Intel's counts."],
    ["ppid", "PPID", "Identity of the processor, or of the platform behind one name."],
    ["pceId", "PCEID", "Which provisioning enclave certified the key.", (value) => [line(plain(value))]],
    ["pcesvn", "PCESVN", "Its security version."],
    [
      "pckSgxTcb",
      "SGX TCB",
      "Security versions of the 16 components that the key was certified for: compared with Intel's levels.",
      numbers,
    ],
    ["cpusvn", "CPUSVN", "The same in the CPU's own form."],
    [
      "sgxType",
      "SGX type",
      "How the memory is protected.",
      named({
        "0": line("standard"),
        "1": line("scalable: many sockets, no integrity tree"),
        "2": line("scalable with integrity"),
        null: line("not said"),
      }),
    ],
    ["platformInstanceId", "platform instance", "Identity of a machine of several sockets."],
    [
      "dynamicPlatform",
      "dynamic platform",
      "Whether sockets may be added.",
      yesNo("sockets may be added", "its sockets are fixed"),
    ],
    [
      "cachedKeys",
      "cached keys",
      "Whether Intel keeps the platform's root keys.",
      yesNo("Intel keeps them", "Intel does not keep them"),
    ],
    ["smtEnabled", "SMT", "Whether cores run two threads.", yesNo("cores run two threads", "cores run one thread")],
  ],
};
