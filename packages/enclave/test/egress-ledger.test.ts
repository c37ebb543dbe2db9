/** The box's ledger: what it keeps, what it sums up, and what it never loses. */
import { type LedgerEntry, type LedgerDocument, parseLedger, verifyLedger } from "@blindbox/attestation";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createLedger, type LedgerLimits, ledgerLimits } from "../src/egress/ledger.ts";

const minute = 60_000;

function entryOf(change: Partial<LedgerEntry> = {}): LedgerEntry {
  const facts = { rule: 0, host: "api.example.com", port: 443, mode: "verified", peer: null } as const;
  return { verdict: "closed", ...facts, sent: 1, received: 2, ...change };
}

const small: LedgerLimits = {
  records: 64,
  budgets: {
    connections: { burst: 8, perMinute: 6 },
    requests: { burst: 4, perMinute: 6 },
    refusals: { burst: 4, perMinute: 6 },
    summaries: { burst: 8, perMinute: 6 },
  },
  pools: { withPeer: 4, withRule: 8 },
};

function box(limits: LedgerLimits = small) {
  const clock = { now: 1_790_000_000_000 };
  const ledger = createLedger({ now: () => clock.now, monotonic: () => clock.now, limits });
  return { clock, ledger, read: (): LedgerDocument => parseLedger(ledger.document()) };
}

function boxWithHostClock() {
  const clock = { now: 1_790_000_000_000 };
  const ledger = createLedger({ now: () => clock.now, monotonic: () => 0, limits: small });
  return { clock, ledger, read: (): LedgerDocument => parseLedger(ledger.document()) };
}

function repeat(times: number, work: (index: number) => void): void {
  for (let index = 0; index < times; index += 1) work(index);
}

describe("the ledger", () => {
  test("of a box that decided nothing has the head that every ledger begins with", async () => {
    const { ledger, read } = box();
    expect(read()).toEqual({ first: 0, start: ledger.head(), head: ledger.head(), records: [] });
    expect(await verifyLedger(read(), ledger.head())).toEqual([]);
  });

  test("holds every decision with the box's time in whole seconds", () => {
    const { ledger, clock, read } = box();
    ledger.record(entryOf({ verdict: "connected" }));
    clock.now += 1999;
    ledger.record(entryOf({ sent: 7 }));
    expect(read().records).toEqual([
      { seq: 0, time: 1_790_000_000, count: 1, ...entryOf({ verdict: "connected" }) },
      { seq: 1, time: 1_790_000_001, count: 1, ...entryOf({ sent: 7 }) },
    ]);
  });

  test("gives nothing up because the host turned the clock", () => {
    const { clock, ledger, read } = boxWithHostClock();
    ledger.record(entryOf({ verdict: "refused-address-not-public" }));
    repeat(50, () => {
      clock.now += 3 * 3_600_000;
      repeat(100, () => ledger.record(entryOf({ verdict: "refused-name", rule: null, host: null, mode: null })));
    });
    const { first, records } = read();
    expect(first).toBe(0);
    expect(records[0]?.verdict).toBe("refused-address-not-public");
  });

  test("has the first of each kind in its head at once, whatever came before", () => {
    const { ledger } = box();
    repeat(1000, () => ledger.record(entryOf({ verdict: "refused-name", rule: null, host: null, mode: null })));
    const before = ledger.head();
    ledger.record(entryOf({ verdict: "refused-address-not-public" }));
    expect(ledger.head()).not.toBe(before);
  });

  test("is one chain with all heads that it ever had, whatever is recorded and whenever it is read", async () => {
    const verdict = fc.constantFrom("closed", "connected", "request-allowed", "refused-name") as fc.Arbitrary<
      LedgerEntry["verdict"]
    >;
    const step = fc.record({
      entry: fc.constantFrom(0, 1, 2),
      verdict,
      wait: fc.nat({ max: 20_000 }),
      read: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { ledger, clock, read } = box();
        const heads = new Set([ledger.head()]);
        for (const { entry, verdict, wait, read: reads } of steps) {
          clock.now += wait;
          ledger.record(entryOf({ verdict, rule: entry }));
          heads.add(ledger.head());
          if (reads) expect(read().first).toBe(0);
        }
        const document = read();
        for (const head of heads) expect(await verifyLedger(document, head)).toEqual([]);
        const counted = document.records.reduce((sum, { count }) => sum + count, 0);
        expect(counted).toBe(steps.length);
      }),
      { numRuns: 40 },
    );
  });
});

describe("a flood", () => {
  test("of like decisions takes few records, and loses neither their number nor their bytes", () => {
    const { ledger, read } = box();
    repeat(100_000, () => ledger.record(entryOf()));
    const { records, first } = read();
    expect(first).toBe(0);
    expect(records.length).toBeLessThanOrEqual(1 + 8 + 8 + 1);
    expect(records.reduce((sum, { count }) => sum + count, 0)).toBe(100_000);
    expect(records.reduce((sum, { sent }) => sum + sent, 0)).toBe(100_000);
    expect(records.reduce((sum, { received }) => sum + received, 0)).toBe(200_000);
  });

  test("of any kinds, at the true limits, takes nothing of what was written before it", () => {
    const { ledger, read } = box(ledgerLimits);
    const leak = entryOf({ sent: 4242 });
    ledger.record(leak);
    repeat(40_000, (index) => {
      const peer = `sha256:${(index % 5000).toString(16).padStart(64, "0")}`;
      ledger.record(entryOf({ verdict: index % 2 === 0 ? "refused-certificate-name" : "closed", peer }));
      ledger.record(entryOf({ verdict: "request-allowed", rule: index % 40, port: 1 + (index % 64) }));
    });
    const { first, records } = read();
    expect(first).toBe(0);
    expect(records[0]?.sent).toBe(4242);
    expect(records.reduce((sum, { count }) => sum + count, 0)).toBe(80_001);
  });

  test("shows in the head again and again, without anyone reading", () => {
    const { ledger } = box();
    const heads = new Set<string>();
    repeat(1000, () => {
      ledger.record(entryOf());
      heads.add(ledger.head());
    });
    // The first, eight of the budget, and one each time that the sum has doubled.
    expect(heads.size).toBe(1 + 8 + 6);
  });

  test("after a day of silence gets no more single records than one budget holds", () => {
    const { ledger, clock, read } = box();
    repeat(9, () => ledger.record(entryOf()));
    clock.now += 1440 * minute;
    repeat(100, () => ledger.record(entryOf({ sent: 3 })));
    expect(read().records.filter(({ count, sent }) => count === 1 && sent === 3)).toHaveLength(8);
  });

  test("of one kind leaves the others their own budget", () => {
    const { ledger, read } = box();
    repeat(1000, () => ledger.record(entryOf({ verdict: "refused-name" })));
    repeat(9, (index) => ledger.record(entryOf({ sent: index })));
    expect(
      read()
        .records.filter(({ verdict }) => verdict === "closed")
        .map(({ sent }) => sent),
    ).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test("that is over is followed by single records again", () => {
    const { ledger, clock, read } = box();
    repeat(1000, () => ledger.record(entryOf()));
    clock.now += 5 * minute;
    read();
    repeat(3, () => ledger.record(entryOf({ sent: 5 })));
    expect(
      read()
        .records.slice(-3)
        .map(({ count, sent }) => [count, sent]),
    ).toEqual([
      [1, 5],
      [1, 5],
      [1, 5],
    ]);
  });

  test("of other certificates costs the record its peer, and then its rule, but never its verdict", () => {
    const { ledger, read } = box({ ...small, records: 1000 });
    const peerOf = (index: number): string => `sha256:${index.toString(16).padStart(64, "0")}`;
    repeat(20, (index) => ledger.record(entryOf({ verdict: "refused-certificate-name", peer: peerOf(index) })));
    repeat(20, (index) => ledger.record(entryOf({ verdict: "refused-unreachable", rule: index })));
    const { records } = read();
    expect(records.filter(({ peer }) => peer !== null)).toHaveLength(4);
    const unreachable = records.filter(({ verdict }) => verdict === "refused-unreachable");
    expect(unreachable.reduce((sum, { count }) => sum + count, 0)).toBe(20);
    expect(
      unreachable.some(({ rule, host, port, mode }) => [rule, host, port, mode].every((each) => each === null)),
    ).toBe(true);
  });

  test("while the clock goes backwards gains and costs nothing", () => {
    const { ledger, clock, read } = box();
    repeat(100, () => {
      clock.now -= minute;
      ledger.record(entryOf());
    });
    const { records } = read();
    expect(records.reduce((sum, { count }) => sum + count, 0)).toBe(100);
    expect(records.length).toBeLessThanOrEqual(1 + 8 + 8 + 1);
    expect(records.filter(({ count }) => count === 1)).toHaveLength(1 + 8);
    clock.now = -1;
    ledger.record(entryOf({ verdict: "connected" }));
    expect(read().records.at(-1)?.time).toBe(0);
  });
});

test("an hour of the worst flood leaves what was written before it", () => {
  const { ledger, clock, read } = box(ledgerLimits);
  ledger.record(entryOf({ sent: 4242 }));
  repeat(3600, (second) => {
    clock.now += 1000;
    repeat(20, (index) => {
      const peer = `sha256:${((second * 20 + index) % 4000).toString(16).padStart(64, "0")}`;
      const verdict = (["closed", "refused-certificate-name", "request-allowed"] as const)[index % 3] ?? "closed";
      ledger.record(entryOf({ verdict, peer }));
    });
  });
  const { first, records } = read();
  expect(first).toBe(0);
  expect(records[0]?.sent).toBe(4242);
});

describe("a ledger that is full", () => {
  test("gives up its oldest records, says how many, and still verifies from the head that they led to", async () => {
    const { ledger, clock, read } = box();
    const heads: string[] = [];
    repeat(100, (index) => {
      clock.now += minute;
      ledger.record(entryOf({ sent: index }));
      heads.push(ledger.head());
    });
    const document = read();
    expect(document.first).toBe(36);
    expect(document.records).toHaveLength(64);
    expect(document.start).toBe(heads[35]);
    expect(await verifyLedger(document, heads[35] ?? "")).toEqual([]);
    expect((await verifyLedger(document, heads[34] ?? "")).map(({ code }) => code)).toEqual(["ledger-statement"]);
  });

  test("sums no further than canonical JSON can say", () => {
    const { ledger, read } = box();
    repeat(100, () => ledger.record(entryOf({ sent: Number.MAX_SAFE_INTEGER })));
    expect(read().records.every(({ sent }) => sent === Number.MAX_SAFE_INTEGER)).toBe(true);
  });
});
