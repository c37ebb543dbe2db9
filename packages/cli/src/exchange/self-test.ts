/** Tampered copies of one real exchange, one for each step of the Verifier: each must be refused, and by that step. */
import type { AttestationResult, Step, VerificationInput } from "@blindbox/attestation";
import { verifyRecorded, type VerifyOptions } from "@blindbox/client";
import {
  canonicalJson,
  fromBase64url,
  fromUtf8,
  parseCanonicalJson,
  toBase64url,
  type JsonValue,
} from "@blindbox/encoding";

/** One attempt to deceive. */
interface Tampering {
  readonly step: Step;
  /** What was done, in words. */
  readonly what: string;
  readonly exchange: (exchange: VerificationInput) => VerificationInput;
  readonly options?: (options: VerifyOptions) => VerifyOptions;
}

/** How one attempt ended. */
export interface SelfTestOutcome {
  readonly step: Step;
  readonly what: string;
  /** Whether it was refused, and the step that has to notice was among those that did. */
  readonly refused: boolean;
  /** The checks of that step that failed, for people. */
  readonly checks: readonly string[];
}

type Members = Record<string, JsonValue>;

/** The document is canonical JSON: changed in one member and written again, so that only that member is at fault. */
function inDocument(change: (members: Members) => Members): Tampering["exchange"] {
  return (exchange) => {
    const { document } = exchange;
    const text = typeof document === "string" ? document : fromUtf8(document);
    const members = parseCanonicalJson(text, { maxBytes: text.length * 3, maxDepth: 12 }) as Members;
    return { ...exchange, document: canonicalJson(change(members)) };
  };
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : "";
}

function flippedText(value: JsonValue | undefined): JsonValue {
  const bytes = fromBase64url(textOf(value), "member").slice();
  const at = Math.floor(bytes.length / 2);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return toBase64url(bytes);
}

function flipped(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  copy[0] = (copy[0] ?? 0) ^ 1;
  return copy;
}

const anotherTime = (statement: string): string =>
  statement.replace(/"time":(\d+)/, (_all, time: string) => `"time":${Number(time) + 1}`);

const tamperings: readonly Tampering[] = [
  {
    step: "parse",
    what: "one unknown member in the document",
    exchange: inDocument((members) => ({ ...members, more: 1 })),
  },
  {
    step: "authenticate",
    what: "one bit of the Evidence",
    exchange: inDocument((members) => ({ ...members, evidence: flippedText(members["evidence"]) })),
  },
  {
    step: "measurement",
    what: "a release whose registers differ in one bit",
    exchange: (exchange) => exchange,
    options: (options) => ({ ...options, release: withOtherRegisters(options.release) }),
  },
  {
    step: "binding",
    what: "the Statement's time, one second later",
    exchange: inDocument((members) => ({ ...members, statement: anotherTime(textOf(members["statement"])) })),
  },
  {
    step: "freshness",
    what: "another nonce than the one that was sent",
    exchange: (exchange) => ({ ...exchange, nonce: flipped(exchange.nonce ?? new Uint8Array(32)) }),
  },
  {
    step: "freshness",
    what: "another connection: a relay that ends TLS",
    exchange: (exchange) => ({ ...exchange, channel: otherChannel(exchange.channel) }),
  },
  {
    step: "freshness",
    what: "the clock of the asker, a day later",
    exchange: (exchange) => exchange,
    options: (options) => ({ ...options, now: later(options.now) }),
  },
  {
    step: "channel",
    what: "another TLS key at the end of the connection",
    exchange: (exchange) => ({
      ...exchange,
      peerKey: { tlsSpki: flipped(exchange.peerKey?.tlsSpki ?? new Uint8Array(91)) },
    }),
  },
  {
    step: "manifest",
    what: "another Manifest than the one in force",
    exchange: inDocument((members) => ({ ...members, manifest: `${textOf(members["manifest"])} ` })),
  },
  {
    step: "sandbox",
    what: "a self-test in which one way out was open",
    exchange: inDocument((members) => ({
      ...members,
      selfTest: textOf(members["selfTest"]).replace('"denied"', '"allowed"'),
    })),
  },
];

function otherChannel(channel: VerificationInput["channel"]): VerificationInput["channel"] {
  const exporter = channel.binding === "tls-exporter" ? channel.exporter : new Uint8Array(32);
  return { binding: "tls-exporter", exporter: flipped(exporter) };
}

function later(now: VerifyOptions["now"]): () => Date {
  return () => new Date((now?.() ?? new Date()).getTime() + 86_400_000);
}

function withOtherRegisters(release: VerifyOptions["release"]): VerifyOptions["release"] {
  const all = (typeof release === "string" || !Array.isArray(release) ? [release] : release) as readonly string[];
  return all.map((text) => text.replace(/"registers":\{"[A-Za-z0-9]+":"([0-9a-f])/, turnedDigit));
}

/** One hex digit turned into another; a text that is no release stays what it is, and is accepted: the test then says so. */
function turnedDigit(match: string, digit: string): string {
  return `${match.slice(0, -1)}${(Number.parseInt(digit, 16) ^ 1).toString(16)}`;
}

/** Tries every tampering on an exchange; changes nothing else. */
export async function runSelfTest(
  exchange: VerificationInput,
  options: VerifyOptions,
): Promise<readonly SelfTestOutcome[]> {
  const outcomes: SelfTestOutcome[] = [];
  for (const { step, what, ...tampering } of tamperings) {
    const result = await verifyRecorded(
      tampering.exchange(exchange),
      tampering.options === undefined ? options : tampering.options(options),
    );
    const checks = failedChecks(result, step);
    outcomes.push({ step, what, refused: result.status === "contraindicated" && checks.length > 0, checks });
  }
  return outcomes;
}

function failedChecks({ findings }: AttestationResult, step: Step): readonly string[] {
  const failed = findings.filter((finding) => finding.step === step && finding.status === "failed");
  return [...new Set(failed.map(({ check }) => check))];
}
