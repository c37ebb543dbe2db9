/** The box's ledger: what it keeps, what it sums up, and what it never loses. */
import {
  LEDGER_VERDICTS,
  type LedgerEntry,
  type LedgerDocument,
  type LedgerVerdict,
  parseLedger,
  verifyLedger,
} from "@blindbox/attestation";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createLedger, type LedgerLimits, ledgerLimits } from "../src/egress/ledger.ts";

const minute = 60_000;

function entryOf(change: Partial<LedgerEntry> = {}): LedgerEntry {
  const facts = { rule: 0, host: "api.example.com", port: 443, mode: "verified", peer: null } as const;
  return { verdict: "closed", ...facts, sent: 1, received: 2, ...change };
}

const someKinds = { withPeer: 4, withRule: 8 };
const always = { burst: 64, perMinute: 0 };
const doubles = { burst: 8, perMinute: 6 };
const few = { firsts: always, singles: { burst: 4, perMinute: 6 }, doubles, reads: always };

const small: LedgerLimits = {
  records: 64,
  shares: {
    connections: { pools: someKinds, budgets: { ...few, singles: { burst: 8, perMinute: 6 } } },
    requests: { pools: someKinds, budgets: few },
    refusals: { pools: someKinds, budgets: few },
  },
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

function peerOf(index: number): string {
  return `sha256:${index.toString(16).padStart(64, "0")}`;
}

function ruleEntry(verdict: LedgerVerdict, rule: number, port: number): LedgerEntry {
  return entryOf({ verdict, rule, host: `h${rule}.example.com`, port });
}

const leaks: readonly LedgerVerdict[] = ["connected", "request-allowed", "closed"];

/** Refusals that an application brings about by itself. */
const own: readonly LedgerVerdict[] = [
  "refused-hello",
  "refused-server-name",
  "refused-encrypted-hello",
  "refused-tls-app",
  "refused-request-form",
  "refused-request-timeout",
  "refused-request-host",
  "refused-request-target",
  "refused-request-method",
  "refused-request-path",
  "refused-request-override",
  "refused-upgrade",
  "refused-connection-limit",
];

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

  test("of any kinds, at the true limits, takes nothing of what was written before it, and goes uncounted nowhere", () => {
    const { ledger, clock, read } = box(ledgerLimits);
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
    const counted = (): number => read().records.reduce((sum, { count }) => sum + count, 0);
    repeat(10, () => {
      clock.now += 60 * minute;
      ledger.document();
    });
    expect(counted()).toBe(80_001);
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

  test("of other certificates costs sums their peer, of other rules their rule, and neither costs the verdict", () => {
    const { ledger, read } = box({ ...small, records: 1000 });
    repeat(20, (index) => ledger.record(entryOf({ verdict: "refused-certificate-name", peer: peerOf(index) })));
    repeat(20, (index) => repeat(9, () => ledger.record(entryOf({ verdict: "refused-unreachable", rule: index }))));
    const { records } = read();
    const certificates = records.filter(({ verdict }) => verdict === "refused-certificate-name");
    expect(certificates.every(({ host, count, peer }) => host !== null && (count === 1 || peer === null))).toBe(true);
    const unreachable = records.filter(({ verdict }) => verdict === "refused-unreachable");
    expect(unreachable.reduce((sum, { count }) => sum + count, 0)).toBe(180);
    const lost = unreachable.filter((record) => record.count > 1 && record.rule === null);
    expect(lost.length).toBeGreaterThan(0);
    expect(lost.every(({ host, port, mode }) => [host, port, mode].every((each) => each === null))).toBe(true);
  });

  test("of refusals of every rule and port that an application makes alone costs no permission its host", () => {
    const { ledger, read } = box(ledgerLimits);
    repeat(64, (rule) =>
      repeat(64, (port) => own.forEach((verdict) => ledger.record(ruleEntry(verdict, rule, port + 1)))),
    );
    leaks.forEach((verdict) => repeat(3000, () => ledger.record(ruleEntry(verdict, 19, 443))));
    const { records } = read();
    const permissions = records.filter(({ verdict }) => leaks.includes(verdict));
    expect(permissions.some(({ count }) => count > 1)).toBe(true);
    expect(permissions.every(({ rule, host, port }) => rule === 19 && host === "h19.example.com" && port === 443)).toBe(
      true,
    );
  });

  test("of certificates, one for every connection, costs a permission at most its peer", () => {
    const { ledger, read } = box(ledgerLimits);
    repeat(10_000, (index) => ledger.record({ ...ruleEntry("closed", 3, 443), peer: peerOf(index) }));
    repeat(10, () => ledger.record({ ...ruleEntry("closed", 19, 443), sent: 5_000_000_000, peer: peerOf(77_777) }));
    const leak = read().records.filter(({ rule }) => rule === 19);
    expect(leak.every(({ host, port }) => host === "h19.example.com" && port === 443)).toBe(true);
    expect(leak.reduce((sum, { sent }) => sum + sent, 0)).toBe(50_000_000_000);
  });

  test("that has used up every kind of refusal leaves a single one all its facts", () => {
    const { ledger, clock, read } = box();
    repeat(100, (index) => ledger.record(ruleEntry("refused-unreachable", index, 443)));
    read();
    clock.now += minute;
    const { records } = (ledger.record(ruleEntry("refused-hello", 500, 8443)), read());
    expect(records.at(-1)).toMatchObject({ verdict: "refused-hello", rule: 500, port: 8443, count: 1 });
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

describe("an hour", () => {
  test("has fewer grants for records than are kept", () => {
    const budgets = Object.values(ledgerLimits.shares).flatMap((share) => Object.values(share.budgets));
    const most = budgets.reduce((sum, { burst, perMinute }) => sum + burst + 60 * perMinute, 0);
    expect(most).toBeLessThan(ledgerLimits.records);
  });

  // More kinds than are told apart, more certificates, and every grant taken as soon as it is there.
  test("of every decision there is, with a reader who never rests, leaves what was written before it", () => {
    const { ledger, clock, read } = box(ledgerLimits);
    ledger.record({ ...ruleEntry("closed", 0, 443), sent: 5_000_000_000 });
    repeat(60, (passed) => {
      clock.now += minute;
      LEDGER_VERDICTS.forEach((verdict) =>
        repeat(100, (index) => {
          const at = passed * 47 + index;
          const peer = index % 2 === 0 ? peerOf(at) : null;
          ledger.record({ ...ruleEntry(verdict, at % 64, 1 + (at % 61)), peer });
        }),
      );
      ledger.document();
    });
    const { first, records } = read();
    expect(first).toBe(0);
    expect(records.length).toBeGreaterThan(ledgerLimits.records * 0.9);
    expect(records[0]).toMatchObject({ verdict: "closed", host: "h0.example.com", sent: 5_000_000_000 });
  });

  test("of a reader twice a minute, while an application repeats 130 refusals, takes nothing", () => {
    const { ledger, clock, read } = box(ledgerLimits);
    ledger.record({ ...ruleEntry("closed", 0, 443), sent: 5_000_000_000 });
    repeat(120, () => {
      clock.now += minute / 2;
      repeat(3, () => own.forEach((verdict) => repeat(10, (kind) => ledger.record(ruleEntry(verdict, kind, 443)))));
      ledger.document();
    });
    expect(read().first).toBe(0);
  });

  test("is kept of every record, in whatever order and pace it is decided and read", () => {
    const rare = (burst: number): { burst: number; perMinute: number } => ({ burst, perMinute: 0.05 });
    const budgets = { firsts: { burst: 2, perMinute: 0 }, singles: rare(3), doubles: rare(2), reads: rare(2) };
    const share = { pools: someKinds, budgets };
    const limits = { records: 64, shares: { connections: share, requests: share, refusals: share } };
    const step = fc.record({
      verdict: fc.constantFrom<LedgerVerdict>("closed", "request-allowed", "refused-name"),
      rule: fc.nat({ max: 12 }),
      times: fc.integer({ min: 1, max: 20 }),
      wait: fc.nat({ max: 10 * minute }),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 100, maxLength: 200 }), (steps) => {
        const { ledger, clock, read } = box(limits);
        let before = read();
        for (const { verdict, rule, times, wait } of steps) {
          clock.now += wait;
          ledger.document();
          repeat(times, () => ledger.record(ruleEntry(verdict, rule, 443)));
          const after = read();
          const lost = before.records.filter(({ seq }) => seq < after.first);
          expect(lost.every(({ time }) => time < Math.floor(clock.now / 1000) - 3600)).toBe(true);
          before = after;
        }
      }),
      { numRuns: 10 },
    );
  });

  test("brings what waits into the document of a reader, the oldest first, however much comes behind it", () => {
    const none = { burst: 0, perMinute: 0 };
    const budgets = { firsts: always, singles: none, doubles: none, reads: { burst: 2, perMinute: 2 } };
    const share = { pools: { withPeer: 4, withRule: 64 }, budgets };
    const { ledger, clock, read } = box({
      records: 64,
      shares: { connections: share, requests: share, refusals: share },
    });
    const others = (): void => repeat(8, (rule) => ledger.record(ruleEntry("closed", rule, 443)));
    repeat(2, others);
    repeat(2, (index) => ledger.record({ ...ruleEntry("closed", 8, 443), sent: index * 4242 }));
    repeat(5, () => {
      clock.now += minute;
      others();
      ledger.document();
    });
    expect(read().records.some(({ sent }) => sent === 4242)).toBe(true);
  });
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
