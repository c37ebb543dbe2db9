/** The access log's document: what is read, what is refused, and that it is a chain of its own kind. */
import { createHash } from "node:crypto";
import { canonicalJson, EncodingError, type JsonValue } from "@blindbox/encoding";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  ACCESS_LOG_MEDIA_TYPE,
  ACCESS_LOG_PATH,
  type AccessLogDocument,
  type AccessRecord,
  formatAccessLog,
  parseAccessLog,
  parseLedger,
  verifyAccessLog,
} from "@blindbox/attestation";

function recordOf(seq: number, change: Partial<AccessRecord> = {}): AccessRecord {
  return {
    seq,
    time: 1_790_000_000 + seq,
    principal: "acme-batch",
    rule: 0,
    method: "POST",
    path: "/v1/**",
    outcome: "answered",
    status: 200,
    received: 10,
    sent: 20,
    ...change,
  };
}

const sha256 = (...parts: readonly (string | Buffer)[]): Buffer => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** A chain by the words of the contract alone: nothing of the code under test. */
function documentOf(all: readonly AccessRecord[], given = 0): AccessLogDocument {
  const heads = [sha256("blindbox-access-log/1")];
  for (const record of all) {
    const members = Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
    heads.push(sha256(heads.at(-1) ?? "", JSON.stringify(Object.fromEntries(members))));
  }
  const named = (at: number): string => `sha256:${heads[at]?.toString("hex") ?? ""}`;
  return { start: named(given), first: given, records: all.slice(given), head: named(all.length) };
}

const four = [0, 1, 2, 3].map((seq) => recordOf(seq));
const whole = documentOf(four);
const text = formatAccessLog(whole);
const codes = async (document: AccessLogDocument, statement: string | null): Promise<readonly string[]> =>
  (await verifyAccessLog(document, statement)).map(({ code }) => code);

/** The document with one record, some of whose members are others; `undefined` leaves one out. */
function withRecord(change: Readonly<Record<string, JsonValue | undefined>>): string {
  const members = Object.entries({ ...recordOf(0), ...change });
  const record = Object.fromEntries(members.filter(([, value]) => value !== undefined)) as Record<string, JsonValue>;
  const { start, head } = whole;
  return canonicalJson({ type: "blindbox-access-log/1", start, first: 0, records: [record], head });
}

describe("an access log's document", () => {
  test("has the names of the contract on the wire", () => {
    expect(ACCESS_LOG_PATH).toBe("/.well-known/blindbox/access-log");
    expect(ACCESS_LOG_MEDIA_TYPE).toBe("application/vnd.blindbox.access-log+json");
  });

  test("is read back as it was formatted, whole and with its oldest records given up", () => {
    for (const document of [whole, documentOf(four, 2), documentOf([]), documentOf([recordOf(0, { status: null })])])
      expect(parseAccessLog(formatAccessLog(document))).toEqual(document);
  });

  test("is no ledger, nor the other way round", () => {
    expect(() => parseLedger(text)).toThrow(EncodingError);
    const type = text.replace("blindbox-access-log/1", "blindbox-ledger/1");
    expect(() => parseAccessLog(type)).toThrow(EncodingError);
  });

  test("is refused when it is cut anywhere", () => {
    for (let length = 0; length < text.length; length += 1)
      expect(() => parseAccessLog(text.slice(0, length))).toThrow(EncodingError);
  });

  test("with any bit turned is refused, or no longer verifies", async () => {
    const bytes = Buffer.from(text);
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 8 * bytes.length - 1 }), async (bit) => {
        const turned = Buffer.from(bytes);
        turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const read = attempt(() => parseAccessLog(turned));
        if (read instanceof Error) expect(read).toBeInstanceOf(EncodingError);
        else expect(await codes(read, whole.head)).not.toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  const wrong: readonly (readonly [string, Readonly<Record<string, JsonValue | undefined>>])[] = [
    ["a negative sequence", { seq: -1 }],
    ["a time of text", { time: "now" }],
    ["a caller that would write on a terminal", { principal: "\u001b[2J" }],
    ["a caller without a name", { principal: "" }],
    ["a rule that is no index", { rule: -1 }],
    ["a method in small letters", { method: "get" }],
    ["a path that is none", { path: "v1" }],
    ["a path that turns the direction of text", { path: "/\u202eevil" }],
    ["a path of two lines", { path: "/a\u2028b" }],
    ["an outcome in capitals", { outcome: "Answered" }],
    ["a status that is none", { status: 99 }],
    ["a status of text", { status: "200" }],
    ["fewer bytes than none", { sent: -1 }],
    ["a fraction of a byte", { received: 0.5 }],
    ["a member more", { query: "q" }],
    ...Object.keys(recordOf(0)).map((name) => [`no ${name}`, { [name]: undefined }] as const),
  ];

  test.each(wrong)("with %s in a record is refused", (_name, change) => {
    expect(() => parseAccessLog(withRecord({}))).not.toThrow();
    expect(() => parseAccessLog(withRecord(change))).toThrow(EncodingError);
  });

  test("says in its refusals nothing of what stood there", () => {
    const refused = attempt(() => parseAccessLog(withRecord({ outcome: "App-Chosen" })));
    expect(refused).toBeInstanceOf(EncodingError);
    expect(refused instanceof Error && refused.message).not.toContain("App-Chosen");
  });
});

describe("verifying an access log", () => {
  test("finds nothing where the Statement's head is any head of the chain", async () => {
    for (const seen of [0, 1, 4]) expect(await codes(whole, documentOf(four.slice(0, seen)).head)).toEqual([]);
  });

  test("tells of another log, of records that were given up, and that no Statement stands behind it", async () => {
    expect(await codes(whole, documentOf([recordOf(0, { sent: 21 })]).head)).toEqual(["access-log-statement"]);
    expect(await codes(documentOf(four, 3), documentOf(four.slice(0, 2)).head)).toEqual(["access-log-statement"]);
    expect(await codes(whole, null)).toEqual(["access-log-unattested"]);
  });

  test("tells of a record altered, held back, left out, and of another origin", async () => {
    const others: readonly (readonly [AccessLogDocument, readonly string[]])[] = [
      [{ ...whole, records: four.map((each) => ({ ...each, principal: "other" })) }, ["access-log-head"]],
      [{ ...whole, records: four.slice(0, 3) }, ["access-log-head"]],
      [{ ...whole, records: four.filter(({ seq }) => seq !== 1) }, ["access-log-sequence", "access-log-head"]],
      [{ ...whole, start: `sha256:${"00".repeat(32)}` }, ["access-log-origin", "access-log-head"]],
    ];
    for (const [document, expected] of others) {
      const found = await codes(document, whole.head);
      expect(found.filter((code) => code !== "access-log-statement")).toEqual(expected);
    }
  });
});

function attempt<T>(work: () => T): T | Error {
  try {
    return work();
  } catch (error) {
    return error as Error;
  }
}
