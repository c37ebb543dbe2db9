/** What a box answers, in words: the Statement, the self-test, the proof, the Manifest, and what comes beside them. */
import { createHash } from "node:crypto";
import { type EvidenceDocument, parseStatement } from "@blindbox/attestation";
import { EncodingError, toHex, type JsonValue } from "@blindbox/encoding";
import { parseManifest } from "@blindbox/manifest";
import type { Facts, Inspection, Line, SectionWords, Show } from "../inspection.ts";
import { sectionsOf } from "../inspection.ts";
import { abridged, instant, line, textOf, plain } from "./values.ts";

/** Everything that a document says but for its Evidence, which is `inside`. */
export function inspectDocument(document: EvidenceDocument, inside: readonly Inspection[]): Inspection {
  const sections = [
    ...sectionsOf(documentFacts(document), [documentWords]),
    ...sectionsOf(statementFacts(document.statement), [statementWords]),
  ];
  return { kind: "evidence-document", title: `what a box answered, on ${document.tee}`, sections, inside };
}

function documentFacts({ tee, proof, selfTest, manifest, release, endorsements }: EvidenceDocument): Facts {
  return {
    tee,
    proof: proof === null ? null : { index: proof.index, size: proof.size, path: proof.path.map(toHex) },
    selfTest,
    manifest,
    endorsements,
    release,
  };
}

/** What cannot be read is said, and the rest is shown all the same. */
function readable<T>(read: () => T): T | string {
  try {
    return read();
  } catch (error) {
    if (error instanceof EncodingError)
      return `not readable: ${error.field}: expected ${error.expected}, got ${error.actual}`;
    if (error instanceof Error && error.name === "ManifestError") return "not readable: no Manifest that a box accepts";
    throw error;
  }
}

function statementFacts(text: string): Facts {
  const statement = readable(() => parseStatement(text));
  if (typeof statement === "string") return { unread: statement };
  const { runtime, tls, channel, ledger, audit, challenge, time, sandbox } = statement;
  return {
    time,
    runtime,
    tls,
    channel,
    ledger,
    audit,
    challenge,
    driver: sandbox.driver,
    selfTestDigest: sandbox.selfTest,
  };
}

const tee: Show = (value) =>
  value === "simulated" ? [line("simulated: no hardware, and no protection", "bad")] : [line(plain(value))];

const proof: Show = (value) => {
  if (value === null) return [line("none: made for nobody's nonce, as for GET and at boot", "careful")];
  const { index, size } = value as { readonly index: number; readonly size: number };
  return [line(`leaf ${index} of ${size} who asked at once`)];
};

const selfTest: Show = (value) => {
  const outcomes = parsed(value);
  if (outcomes === null) return [line("not readable", "bad")];
  const open = Object.entries(outcomes).filter(([, outcome]) => outcome !== "denied");
  const all = Object.keys(outcomes).length;
  if (open.length === 0) return [line(`${all} ways out tried, all denied`, "good")];
  return open.map(([probe, outcome]) => line(`${probe}: ${String(outcome)}`, "bad"));
};

function parsed(value: JsonValue): Readonly<Record<string, unknown>> | null {
  try {
    const outcomes = JSON.parse(plain(value)) as unknown;
    return typeof outcomes === "object" && outcomes !== null ? (outcomes as Readonly<Record<string, unknown>>) : null;
  } catch {
    return null;
  }
}

const manifest: Show = (value) => {
  const text = plain(value);
  const digest = `sha256:${createHash("sha256").update(text).digest("hex")}`;
  const read = readable(() => parseManifest(text));
  return [line(digest), typeof read === "string" ? line(read, "bad") : line(manifestWords(read))];
};

function manifestWords({ name, egress, access, logs }: ReturnType<typeof parseManifest>): string {
  const ways = egress.length === 0 ? "no way out" : `${egress.length} ways out`;
  return `"${name}": ${access.rules.length} access rules, ${ways}, logs ${logs}`;
}

const endorsements: Show = (value) => {
  if (typeof value !== "object" || value === null) return textOf(value);
  const names = Object.entries(value).map(
    ([name, part]): Line => line(`${name} (${JSON.stringify(part).length} characters)`),
  );
  return names.length === 0 ? [line("none: what this kind of TEE needs is inside the Evidence")] : names;
};

const release: Show = (value) => [
  line(value === null ? "none came along" : `${JSON.stringify(value).length} characters came along`),
];

const documentWords: SectionWords = {
  title: "the document",
  rows: [
    ["tee", "TEE", "The kind of hardware, by the box's own word: the Evidence below has to be of it.", tee],
    [
      "proof",
      "proof",
      "Leads from one asker's nonce and connection to the challenge. Only that asker can check it.",
      proof,
    ],
    ["selfTest", "self-test", "What the box tried from inside its sandbox before it started.", selfTest],
    [
      "manifest",
      "Manifest",
      "What the box enforces, and the digest of this very text. `blindbox policy show` explains a Manifest.",
      manifest,
    ],
    [
      "endorsements",
      "Endorsements",
      "What vendors publish about the machine, as the box stapled it. `blindbox endorsements show` explains it.",
      endorsements,
    ],
    ["release", "release", "What a box shows of its own release counts for nothing: you bring yours.", release],
  ],
};

const clock = instant("s");

const statementWords: SectionWords = {
  title: "the Statement, whose hash the hardware has to have signed",
  rows: [
    [
      "unread",
      "Statement",
      "Without it nothing ties the Evidence to keys or Manifest.",
      (value) => [line(plain(value), "bad")],
    ],
    ["time", "time", "The box's clock, which is its host's. A verifier compares it with its own.", clock],
    ["runtime", "runtime", "Digest of the description of what runs beside the application: has to be the release's."],
    ["tls", "TLS key", "The key at which a connection has to end: SHA-256 of its SubjectPublicKeyInfo."],
    ["channel", "channel key", "To which whole messages are encrypted where TLS ends before the box.", abridged],
    ["driver", "sandbox driver", "What holds the application."],
    ["selfTestDigest", "self-test", "SHA-256 of the self-test's text above."],
    ["ledger", "egress ledger", "Head of the record of what left the box."],
    ["audit", "access log", "Head of the record of who called."],
    [
      "challenge",
      "challenge",
      "Root over the nonces and connections of everybody who asked at once: this is what makes it fresh.",
    ],
  ],
};
