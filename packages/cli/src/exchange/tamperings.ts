/** What a self-test alters in a copy of an exchange: one thing at a time, for each of the Verifier's steps. */
import {
  formatEvidenceDocument,
  formatStatement,
  parseEvidenceDocument,
  parseStatement,
  strictPolicy,
  type EvidenceDocument,
  type Step,
  type VerificationInput,
} from "@blindbox/attestation";
import type { VerifyOptions } from "@blindbox/client";
import type { JsonValue } from "@blindbox/encoding";
import { formatRelease, parseRelease } from "@blindbox/release";
import { evidenceParts, flipped, turnedCharacter, type EvidenceParts } from "./evidence-parts.ts";

/** An exchange, and what it is judged by. */
export interface Judged {
  readonly exchange: VerificationInput;
  readonly options: VerifyOptions;
}

/** One attempt to deceive. */
export interface Tampering {
  /** The step that has to notice. */
  readonly step: Step;
  /** What was altered, in words. */
  readonly what: string;
  /** The altered copy; `null` where this exchange has no such thing. */
  readonly alter: (judged: Judged) => Judged | null;
}

type DocumentChange = (document: EvidenceDocument) => EvidenceDocument | null;

/** Changed in one member and written again, so that only that member is at fault. */
function inDocument(change: DocumentChange): Tampering["alter"] {
  return ({ exchange, options }) => {
    const changed = change(parseEvidenceDocument(exchange.document));
    return changed === null ? null : { exchange: { ...exchange, document: formatEvidenceDocument(changed) }, options };
  };
}

function inEvidence(part: keyof EvidenceParts): Tampering["alter"] {
  return inDocument((document) => {
    const evidence = evidenceParts[document.tee][part]?.(document.evidence) ?? null;
    return evidence === null ? null : { ...document, evidence };
  });
}

function inExchange(change: (exchange: VerificationInput) => VerificationInput | null): Tampering["alter"] {
  return ({ exchange, options }) => {
    const changed = change(exchange);
    return changed === null ? null : { exchange: changed, options };
  };
}

function inOptions(change: (judged: Judged) => VerifyOptions | null): Tampering["alter"] {
  return (judged) => {
    const options = change(judged);
    return options === null ? null : { exchange: judged.exchange, options };
  };
}

function textOf(document: VerificationInput["document"]): string {
  return typeof document === "string" ? document : new TextDecoder().decode(document);
}

/** Shorter texts name things; longer ones are certificates, lists and signed texts, which end with their signature. */
const shortest = 100;
const beforeEnd = 24;

/** The first long text in the Endorsements turned by one character; `null` where there is none. */
function turnedEndorsements(value: JsonValue): JsonValue | null {
  if (typeof value === "string")
    return value.length < shortest ? null : turnedCharacter(value, value.length - beforeEnd);
  if (typeof value !== "object" || value === null) return null;
  for (const [name, each] of Object.entries(value)) {
    const turned = turnedEndorsements(each);
    if (turned === null) continue;
    return Array.isArray(value) ? value.with(Number(name), turned) : Object.assign({}, value, { [name]: turned });
  }
  return null;
}

function withOtherRegisters({ options }: Judged): VerifyOptions {
  const given = options.release;
  const releases = Array.isArray(given) ? (given as readonly string[]) : [given as string];
  const turned = (value: string): string => (/^[0-9a-f]{8,}$/.test(value) ? turnedDigit(value) : value);
  const others = releases.map((text) => {
    const release = parseRelease(text);
    const referenceValues = release.referenceValues.map(({ tee, registers }) => ({
      tee,
      registers: Object.fromEntries(Object.entries(registers).map(([name, value]) => [name, turned(value)])),
    }));
    return formatRelease({ ...release, referenceValues });
  });
  return { ...options, release: others };
}

function turnedDigit(hex: string): string {
  return (Number.parseInt(hex.charAt(0), 16) ^ 1).toString(16) + hex.slice(1);
}

/** One second beyond what the policy takes of a clock that is off. */
function tooLate({ exchange, options }: Judged): VerifyOptions {
  const { statement } = parseEvidenceDocument(exchange.document);
  const { maxClockSkew } = options.policy ?? strictPolicy;
  const late = new Date((parseStatement(statement).time + maxClockSkew + 1) * 1000);
  return { ...options, now: () => late };
}

function otherManifest({ options }: Judged): VerifyOptions | null {
  const { require } = options;
  if (!("manifest" in require)) return null;
  return { ...options, require: { manifest: `sha256:${turnedDigit(require.manifest.slice("sha256:".length))}` } };
}

/** Of a single asker the proof has no path: there it is made one of two. */
function otherProof({ proof, ...document }: EvidenceDocument): EvidenceDocument | null {
  if (proof === null) return null;
  const [first, ...others] = proof.path;
  if (first === undefined) return { ...document, proof: { index: 0, size: 2, path: [new Uint8Array(32)] } };
  const node = flipped(first, 0);
  return node === null ? null : { ...document, proof: { ...proof, path: [node, ...others] } };
}

function otherNonce(exchange: VerificationInput): VerificationInput | null {
  const nonce = exchange.nonce === null ? null : flipped(exchange.nonce, 0);
  return nonce === null ? null : { ...exchange, nonce };
}

function otherExporter(exchange: VerificationInput): VerificationInput | null {
  const { channel } = exchange;
  const exporter = channel.binding === "none" ? null : flipped(channel.exporter, 0);
  return exporter === null ? null : { ...exchange, channel: { binding: "tls-exporter", exporter } };
}

function otherKey(exchange: VerificationInput): VerificationInput | null {
  const tlsSpki = exchange.peerKey === null ? null : flipped(exchange.peerKey.tlsSpki, -1);
  return tlsSpki === null ? null : { ...exchange, peerKey: { tlsSpki } };
}

function laterStatement(document: EvidenceDocument): EvidenceDocument {
  const statement = parseStatement(document.statement);
  return { ...document, statement: formatStatement({ ...statement, time: statement.time + 1 }) };
}

function otherText(name: "manifest" | "selfTest"): DocumentChange {
  return (document) => {
    const text =
      name === "selfTest" ? document.selfTest.replace('"denied"', '"allowed"') : turnedCharacter(document.manifest, 0);
    return text === null || text === document[name] ? null : { ...document, [name]: text };
  };
}

/** In the order of the steps. */
export const tamperings: readonly Tampering[] = [
  {
    step: "parse",
    what: "one space behind the document",
    alter: inExchange((exchange) => ({ ...exchange, document: `${textOf(exchange.document)} ` })),
  },
  {
    step: "parse",
    what: "the last byte of the Evidence cut off",
    alter: inDocument((document) => ({ ...document, evidence: document.evidence.slice(0, -1) })),
  },
  { step: "authenticate", what: "one bit of the Evidence's signature", alter: inEvidence("signature") },
  { step: "authenticate", what: "one bit of a certificate inside the Evidence", alter: inEvidence("certificate") },
  {
    step: "authenticate",
    what: "one character of the Endorsements",
    alter: inDocument((document) => {
      const endorsements = turnedEndorsements(document.endorsements);
      return endorsements === null ? null : { ...document, endorsements };
    }),
  },
  { step: "platform", what: "debug mode turned on", alter: inEvidence("debug") },
  { step: "measurement", what: "one digit of the release's registers", alter: inOptions(withOtherRegisters) },
  { step: "binding", what: "the Statement's time, by one second", alter: inDocument(laterStatement) },
  { step: "freshness", what: "one bit of the nonce", alter: inExchange(otherNonce) },
  { step: "freshness", what: "one bit of the connection's TLS exporter", alter: inExchange(otherExporter) },
  { step: "freshness", what: "one node of the proof", alter: inDocument(otherProof) },
  { step: "freshness", what: "a clock one second beyond what the policy accepts", alter: inOptions(tooLate) },
  { step: "channel", what: "one bit of the connection's TLS key", alter: inExchange(otherKey) },
  { step: "manifest", what: "one character of the Manifest", alter: inDocument(otherText("manifest")) },
  { step: "manifest", what: "one digit of the Manifest that is required", alter: inOptions(otherManifest) },
  { step: "sandbox", what: "a way out that was open", alter: inDocument(otherText("selfTest")) },
];
