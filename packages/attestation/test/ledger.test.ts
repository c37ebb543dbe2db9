/** The ledger's document and its chain. */
import { createHash } from "node:crypto";
import { canonicalJson, EncodingError } from "@blindbox/encoding";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  formatLedger,
  LEDGER_MEDIA_TYPE,
  LEDGER_PATH,
  LEDGER_VERDICTS,
  type LedgerDocument,
  ledgerHeadAfter,
  ledgerOrigin,
  type LedgerRecord,
  parseLedger,
  verifyLedger,
} from "@blindbox/attestation";

const hex = (bytes: Uint8Array): string => `sha256:${Buffer.from(bytes).toString("hex")}`;

function recordOf(seq: number, change: Partial<LedgerRecord> = {}): LedgerRecord {
  return {
    seq,
    time: 1_790_000_000 + seq,
    verdict: "closed",
    rule: 0,
    host: "*.example.com",
    port: 443,
    mode: "verified",
    sent: 10,
    received: 20,
    peer: hex(new Uint8Array(32).fill(seq)),
    count: 1,
    ...change,
  };
}

/** A chain by the words of the contract alone: nothing of the code under test. */
function documentOf(all: readonly LedgerRecord[], given = 0): LedgerDocument {
  let head = createHash("sha256").update("blindbox-ledger/1").digest();
  let start = head;
  for (const record of all) {
    if (record.seq === given) start = head;
    head = createHash("sha256")
      .update(head)
      .update(JSON.stringify(sorted(record)))
      .digest();
  }
  return { start: hex(start), first: given, records: all.slice(given), head: hex(head) };
}

function sorted(record: LedgerRecord): object {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const five = [0, 1, 2, 3, 4].map((seq) => recordOf(seq));
const whole = documentOf(five);
const codes = async (document: LedgerDocument, statement: string | null): Promise<readonly string[]> =>
  (await verifyLedger(document, statement)).map(({ code }) => code);

describe("the ledger's names on the wire", () => {
  test("are those of the contract", () => {
    expect(LEDGER_PATH).toBe("/.well-known/blindbox/ledger");
    expect(LEDGER_MEDIA_TYPE).toBe("application/vnd.blindbox.ledger+json");
  });

  test("tell refusals from what went through by their first word", () => {
    expect(new Set(LEDGER_VERDICTS).size).toBe(LEDGER_VERDICTS.length);
    const through = LEDGER_VERDICTS.filter((verdict) => !verdict.startsWith("refused-"));
    expect(through).toEqual(["name-assigned", "connected", "closed", "request-allowed", "keys-requested"]);
  });
});

describe("the head", () => {
  test("before any record is the hash of the document's type", async () => {
    expect(hex(await ledgerOrigin())).toBe(documentOf([]).head);
  });

  test("after a record is the hash of the head before it and the record's canonical text", async () => {
    expect(hex(await ledgerHeadAfter(await ledgerOrigin(), five[0] ?? recordOf(0)))).toBe(
      documentOf([recordOf(0)]).head,
    );
  });

  test("is never computed from a head of another length", () => {
    expect(() => ledgerHeadAfter(new Uint8Array(31), recordOf(0))).toThrow(TypeError);
  });
});

describe("a ledger's document", () => {
  const text = formatLedger(whole);

  test("is read back as it was formatted, whole and with its oldest records given up", () => {
    for (const document of [whole, documentOf(five, 2), documentOf([])]) {
      expect(parseLedger(formatLedger(document))).toEqual(document);
    }
  });

  test("is refused when it is cut anywhere", () => {
    for (let length = 0; length < text.length; length += 1) {
      expect(() => parseLedger(text.slice(0, length))).toThrow(EncodingError);
    }
  });

  test("with any bit turned is refused, or no longer verifies", async () => {
    const bytes = Buffer.from(text);
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 8 * bytes.length - 1 }), async (bit) => {
        const turned = Buffer.from(bytes);
        turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const read = attempt(() => parseLedger(turned));
        if (read instanceof Error) expect(read).toBeInstanceOf(EncodingError);
        else expect(await codes(read, whole.head)).not.toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  const wrong: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
    ["a negative sequence", { seq: -1 }],
    ["a time of text", { time: "now" }],
    ["an unknown verdict", { verdict: "refused-maybe" }],
    ["a verdict out of the prototype", { verdict: "constructor" }],
    ["a rule that is no index", { rule: -1 }],
    ["a host that would write on a terminal", { host: "\u001b[2Jexample.com" }],
    ["a host in other letters", { host: "Example.com" }],
    ["port 0", { port: 0 }],
    ["an unknown mode", { mode: "udp" }],
    ["fewer bytes than none", { sent: -1 }],
    ["a fraction of a byte", { received: 0.5 }],
    ["a peer in another form", { peer: "sha256:AB" }],
    ["a count of none", { count: 0 }],
    ["a member more", { note: 1 }],
    ["a member less", { count: undefined }],
  ];

  test.each(wrong)("with %s in a record is refused", (_name, change) => {
    const record = Object.fromEntries(
      Object.entries({ ...recordOf(0), ...change }).filter(([, value]) => value !== undefined),
    );
    const bad = JSON.stringify({
      first: 0,
      head: whole.head,
      records: [sorted(record as unknown as LedgerRecord)],
      start: whole.start,
      type: "blindbox-ledger/1",
    });
    expect(() => parseLedger(bad)).toThrow(EncodingError);
  });

  test.each([
    ["another version", { type: "blindbox-ledger/2" }],
    ["a head in another form", { head: "x" }],
    ["a start in another form", { start: null }],
    ["a first record before all", { first: -1 }],
    ["records that are none", { records: {} }],
    ["a member more", { more: 1 }],
  ])("with %s is refused", (_name, change) => {
    const { start, first, head } = whole;
    const bad = canonicalJson({ type: "blindbox-ledger/1", start, first, head, records: [], ...change });
    expect(() => parseLedger(bad)).toThrow(EncodingError);
  });

  test("says in its refusals nothing of what stood there", () => {
    const bad = text.replace('"verdict":"closed"', '"verdict":"app-chosen"');
    const refused = attempt(() => parseLedger(bad));
    expect(refused).toBeInstanceOf(EncodingError);
    expect(refused instanceof Error && refused.message).not.toContain("app-chosen");
  });
});

describe("verifying a ledger", () => {
  test("finds nothing where the Statement's head is any head of the chain", async () => {
    for (const seen of [0, 1, 5]) {
      expect(await codes(whole, documentOf(five.slice(0, seen)).head)).toEqual([]);
    }
    expect(await codes(documentOf(five, 3), documentOf(five.slice(0, 3)).head)).toEqual([]);
  });

  test("tells that the Statement speaks of another ledger, or of records that were given up", async () => {
    expect(await codes(whole, documentOf([recordOf(0, { sent: 11 })]).head)).toEqual(["ledger-statement"]);
    expect(await codes(documentOf(five, 3), documentOf(five.slice(0, 2)).head)).toEqual(["ledger-statement"]);
  });

  test("tells that no Statement stands behind the ledger: a missing head is no permission", async () => {
    expect(await codes(whole, null)).toEqual(["ledger-unattested"]);
  });

  const altered = (records: readonly LedgerRecord[]): LedgerDocument => ({ ...whole, records });
  const tampered: readonly (readonly [string, LedgerDocument, readonly string[]])[] = [
    ["a record altered", altered(five.map((each) => (each.seq === 1 ? { ...each, sent: 0 } : each))), ["ledger-head"]],
    ["the last record held back", altered(five.slice(0, 4)), ["ledger-head"]],
    ["a record left out", altered(five.filter(({ seq }) => seq !== 2)), ["ledger-sequence", "ledger-head"]],
    [
      "two records in another order",
      altered([1, 0, 2, 3, 4].map((seq) => recordOf(seq))),
      ["ledger-sequence", "ledger-head"],
    ],
    ["another origin", { ...whole, start: hex(new Uint8Array(32)) }, ["ledger-origin", "ledger-head"]],
    [
      "a later start that is said to be the first",
      { ...documentOf(five, 2), first: 0 },
      ["ledger-origin", "ledger-sequence"],
    ],
    ["more given up than there is", { ...documentOf(five, 2), first: 3 }, ["ledger-sequence"]],
  ];

  test.each(tampered)("tells of %s", async (_name, document, expected) => {
    const found = await codes(document, whole.head);
    expect(found.filter((code) => code !== "ledger-statement")).toEqual(expected);
  });
});

function attempt<T>(work: () => T): T | Error {
  try {
    return work();
  } catch (error) {
    return error as Error;
  }
}
