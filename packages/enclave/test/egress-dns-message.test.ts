/** DNS messages: one form is read, everything else is refused. */
import { EncodingError } from "@blindbox/encoding";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatAnswer, formatMalformed, MAX_MESSAGE_BYTES, parseQuery } from "../src/egress/dns/message.ts";
import { nameBytes, opt, queryBytes, queryWithOptions, words } from "./fixtures-egress/dns-message.ts";

const long = "a".repeat(63);

describe("a query", () => {
  test("is read as it was sent, mixed case and all", () => {
    const query = parseQuery(queryBytes({ name: ["aPi", "eXAMple", "cOm"], type: 28 }));
    expect(query).toMatchObject({ id: 0x1234, name: "aPi.eXAMple.cOm", type: 28, class: 1, hasOptions: false });
    expect(query.recursionDesired).toBe(true);
    expect(Buffer.from(query.question)).toEqual(Buffer.concat([nameBytes(["aPi", "eXAMple", "cOm"]), words(28, 1)]));
  });

  test("may come with an OPT record and the wishes of resolvers", () => {
    const cookie = Buffer.concat([words(10, 8), Buffer.alloc(8, 7)]);
    expect(parseQuery(queryWithOptions(opt({ data: cookie }))).hasOptions).toBe(true);
    expect(parseQuery(queryBytes({ flags: 0x0120 })).recursionDesired).toBe(true);
    expect(parseQuery(queryBytes({ flags: 0x0010 })).recursionDesired).toBe(false);
  });

  test("may have the longest name that there is, and up to 1232 bytes with options", () => {
    const name = [long, long, long, "a".repeat(61)];
    expect(parseQuery(queryBytes({ name })).name).toBe(name.join("."));
    const size = MAX_MESSAGE_BYTES - queryWithOptions(opt({ data: words(12, 0) })).length;
    const padding = opt({ data: Buffer.concat([words(12, size), Buffer.alloc(size)]) });
    expect(queryWithOptions(padding)).toHaveLength(MAX_MESSAGE_BYTES);
    expect(parseQuery(queryWithOptions(padding)).hasOptions).toBe(true);
  });

  test.each([
    ["a dot inside of a label", ["api.example", "com"]],
    ["a zero byte", ["api\0", "example", "com"]],
    ["letters of no host name", ["api", "ex\u00e4mple", "com"]],
    ["a space", ["api example", "com"]],
  ])("whose name has %s names nothing", (_what, name) => {
    expect(parseQuery(queryBytes({ name })).name).toBeNull();
  });

  const refused: readonly (readonly [string, Buffer])[] = [
    ["an answer", queryBytes({ flags: 0x8100 })],
    ["another operation", queryBytes({ flags: 0x2800 })],
    ["a message that was cut", queryBytes({ flags: 0x0300 })],
    ["the reserved bit", queryBytes({ flags: 0x0140 })],
    ["a result", queryBytes({ flags: 0x0103 })],
    ["no question", Buffer.concat([words(1, 0x0100, 0, 0, 0, 0)])],
    ["two questions", queryBytes({ counts: [2, 0, 0, 0], rest: Buffer.concat([nameBytes(["a"]), words(1, 1)]) })],
    ["an answer beside the question", queryBytes({ counts: [1, 1, 0, 0], rest: opt() })],
    ["an authority beside the question", queryBytes({ counts: [1, 0, 1, 0], rest: opt() })],
    ["two additional records", queryBytes({ counts: [1, 0, 0, 2], rest: Buffer.concat([opt(), opt()]) })],
    ["a compressed name", queryBytes({ name: Buffer.of(0xc0, 0x0c) })],
    ["a name that points to itself", queryBytes({ name: Buffer.from([3, 97, 97, 97, 0xc0, 0x0c]) })],
    ["a label of the reserved kinds", queryBytes({ name: Buffer.from([0x41, 1, 0]) })],
    ["a label of 64 bytes", queryBytes({ name: [`${long}a`] })],
    ["a label of 192 bytes", queryBytes({ name: [long.repeat(4).slice(0, 192)] })],
    ["a name that is too long", queryBytes({ name: [long, long, long, "a".repeat(62)] })],
    ["a name of many labels that is too long", queryBytes({ name: Array.from({ length: 128 }, () => "a") })],
    [
      "a signature in place of options",
      queryBytes({ counts: [1, 0, 0, 1], rest: Buffer.concat([Buffer.of(0), words(250, 255, 0, 0, 0)]) }),
    ],
    ["options with a name", queryWithOptions(opt({ root: 1 }))],
    ["options of a later version", queryWithOptions(opt({ version: 1 }))],
    ["options that do not fill their record", queryWithOptions(opt({ data: words(10, 8, 0) }))],
    ["half an option", queryWithOptions(opt({ data: Buffer.of(0, 10, 0) }))],
    ["bytes behind it", Buffer.concat([queryBytes(), Buffer.of(0)])],
    ["more than 1232 bytes", queryWithOptions(opt({ data: Buffer.concat([words(12, 1300), Buffer.alloc(1300)]) }))],
    ["nothing", Buffer.alloc(0)],
  ];

  test.each(refused)("with %s is refused", (_what, bytes) => {
    expect(() => parseQuery(bytes)).toThrow(EncodingError);
  });

  test("is refused when it is cut anywhere", () => {
    for (const whole of [
      queryBytes(),
      queryWithOptions(opt({ data: Buffer.concat([words(10, 8), Buffer.alloc(8)]) })),
    ]) {
      for (let length = 0; length < whole.length; length += 1) {
        expect(() => parseQuery(whole.subarray(0, length))).toThrow(EncodingError);
      }
    }
  });

  test("with any bit turned is refused or is the query that it says", () => {
    const whole = queryWithOptions(opt({ data: Buffer.concat([words(10, 8), Buffer.alloc(8)]) }));
    for (let bit = 0; bit < 8 * whole.length; bit += 1) {
      const turned = Buffer.from(whole);
      turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const query = readOrNull(turned);
      if (query === null) continue;
      expect(query.id).toBe(turned.readUInt16BE(0));
      expect(Buffer.from(query.question)).toEqual(turned.subarray(12, 12 + query.question.length));
    }
  });

  test("never is anything that throws another error, whatever the bytes", () => {
    const like = fc.tuple(fc.uint8Array({ maxLength: 12 }), fc.uint8Array({ maxLength: 600 })).map(([head, tail]) => {
      const bytes = Buffer.concat([words(1, 0x0100, 1, 0, 0, 0), tail]);
      bytes.set(head.subarray(0, head.length >> 2), 2);
      return bytes;
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 1400 }), like), (bytes) => void readOrNull(bytes)),
      {
        numRuns: 5000,
      },
    );
  });

  test("leaves nothing of the asker's words in a refusal", () => {
    try {
      parseQuery(queryBytes({ name: ["secret", long, long, long, long] }));
    } catch (error) {
      expect(String(error)).not.toContain("secret");
    }
  });
});

describe("an answer", () => {
  const query = parseQuery(queryWithOptions());

  test("holds the question as it came, one address, and nothing else", () => {
    const answer = Buffer.from(
      formatAnswer(parseQuery(queryBytes()), { code: 0, address: { ipv4: "198.18.0.1", ttl: 60 } }),
    );
    const address = Buffer.concat([words(0xc00c, 1, 1, 0, 60, 4), Buffer.of(198, 18, 0, 1)]);
    expect(answer).toEqual(
      Buffer.concat([words(0x1234, 0x8580, 1, 1, 0, 0), nameBytes(["api", "example", "com"]), words(1, 1), address]),
    );
  });

  test("without an address echoes the question alone", () => {
    const answer = Buffer.from(formatAnswer(query, { code: 3, address: null }));
    expect(answer.subarray(0, 12)).toEqual(words(0x1234, 0x8583, 1, 0, 0, 1));
    expect(answer).toHaveLength(12 + query.question.length + 11);
  });

  test("to the longest question fits every datagram", () => {
    const longest = parseQuery(queryWithOptions(opt(), { name: [long, long, long, "a".repeat(61)] }));
    expect(formatAnswer(longest, { code: 0, address: { ipv4: "198.19.255.254", ttl: 60 } })).toHaveLength(298);
  });

  test("to what is malformed is its number alone; to an answer, or less than a head, silence", () => {
    expect(Buffer.from(formatMalformed(queryBytes({ flags: 0x2900 })) ?? [])).toEqual(
      words(0x1234, 0x8001, 0, 0, 0, 0),
    );
    expect(formatMalformed(queryBytes({ flags: 0x8100 }))).toBeNull();
    expect(formatMalformed(Buffer.alloc(11))).toBeNull();
  });
});

function readOrNull(bytes: Uint8Array) {
  try {
    return parseQuery(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(EncodingError);
    return null;
  }
}
