/** Who is heard next: how a server's answer is told apart, and the name in a second ClientHello. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EgressError } from "../src/egress/errors.ts";
import { ClientHelloError } from "../src/egress/tls/client-hello.ts";
import { MAX_HELLO_BYTES } from "../src/egress/tls/hello-records.ts";
import { SecondHello } from "../src/egress/tls/second-hello.ts";
import { MAX_ANSWER_BYTES, ServerHello } from "../src/egress/tls/server-hello.ts";
import {
  helloFor,
  helloMessage,
  record,
  records,
  retryRandom,
  serverHelloMessage,
  serverName,
} from "./fixtures-egress/hello.ts";

interface Reader {
  push(chunk: Uint8Array): string | null;
}

/** What the reader answers, `null` while more is needed, or the code of what it throws. */
function read(reader: Reader, chunks: readonly Uint8Array[]): string | null {
  try {
    return chunks.reduce<string | null>((found, chunk) => found ?? reader.push(chunk), null);
  } catch (error) {
    if (error instanceof EgressError) return error.code;
    if (error instanceof ClientHelloError) return `refused: ${error.fault}`;
    throw error;
  }
}

const answer = (...chunks: readonly Uint8Array[]): string | null => read(new ServerHello(), chunks);
const second = (...chunks: readonly Uint8Array[]): string | null => read(new SecondHello(), chunks);
const bytesOf = (bytes: Buffer): readonly Buffer[] => [...bytes].map((byte) => Buffer.from([byte]));
const ones = (length: number): readonly number[] => Array.from({ length }, () => 1);

const hello = serverHelloMessage();
const retry = serverHelloMessage(retryRandom);
const warning = record(Buffer.from([1, 112]), 21, 0x0303);
const changeCipherSpec = record(Buffer.from([1]), 20, 0x0303);
const earlyData = record(Buffer.alloc(900, 1), 23, 0x0303);

describe("a server's answer", () => {
  it.each<[string, Buffer, string]>([
    ["a ServerHello", record(hello), "final"],
    ["a ServerHello with more behind it", Buffer.concat([record(hello), changeCipherSpec, earlyData]), "final"],
    ["a fatal alert", record(Buffer.from([2, 40]), 21), "final"],
    ["a HelloRetryRequest", record(retry), "retry"],
    ["a HelloRetryRequest with more behind it", Buffer.concat([record(retry), changeCipherSpec]), "retry"],
    ["a HelloRetryRequest behind a warning", Buffer.concat([warning, warning, record(retry)]), "retry"],
    ["a HelloRetryRequest in records of one byte", records(retry, ones(retry.length)), "retry"],
    ["HTTP", Buffer.from("HTTP/1.1 400 Bad Request\r\n"), "refused-no-tls"],
    ["SSH", Buffer.from("SSH-2.0-x\r\n"), "refused-no-tls"],
    ["application data", earlyData, "refused-no-tls"],
    ["a change of ciphers", changeCipherSpec, "refused-no-tls"],
    ["a ClientHello", helloFor("db.test"), "refused-tls-upstream"],
    ["a record without content", record(Buffer.alloc(0)), "refused-tls-upstream"],
    ["an alert that is too long", record(Buffer.from([1, 0, 0]), 21), "refused-tls-upstream"],
    [
      "an alert in the middle of a message",
      Buffer.concat([record(retry.subarray(0, 9)), warning, record(retry.subarray(9))]),
      "refused-tls-upstream",
    ],
    [
      "warnings without end",
      Buffer.concat(Array.from({ length: MAX_ANSWER_BYTES }, () => warning)),
      "refused-tls-upstream",
    ],
    [
      "a HelloRetryRequest without end",
      record(Buffer.concat([Buffer.from("02ffffff0303", "hex"), retryRandom, Buffer.alloc(16_000)])),
      "refused-tls-upstream",
    ],
  ])("that is %s is told, however it is cut", (_, bytes, expected) => {
    expect(answer(bytes)).toBe(expected);
    expect(answer(...bytesOf(bytes))).toBe(expected);
  });

  it("that asks for another ClientHello is never told before its last byte", () => {
    for (const whole of [record(retry), records(retry, [1, 3, 40])]) {
      for (let length = 0; length < whole.length; length += 1) expect(answer(whole.subarray(0, length))).toBeNull();
    }
  });

  it("with any bit of that random turned is final", () => {
    for (let bit = 0; bit < 256; bit += 1) {
      const random = Buffer.from(retryRandom);
      random[bit >> 3] = (random[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(answer(record(serverHelloMessage(random)))).toBe("final");
    }
  });

  it("of noise never asks for another ClientHello", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
        for (const bytes of [noise, record(Buffer.from(noise)), record(Buffer.from([2, 0, 0, 90, ...noise]))]) {
          expect(answer(bytes)).not.toBe("retry");
        }
      }),
    );
  });
});

describe("the name in a second ClientHello", () => {
  it.each<[string, Buffer]>([
    ["as it is", helloFor("db.test")],
    ["behind a change of ciphers", Buffer.concat([changeCipherSpec, helloFor("db.test")])],
    ["behind early data", Buffer.concat([changeCipherSpec, earlyData, earlyData, helloFor("db.test")])],
    ["before anything else", Buffer.concat([helloFor("db.test"), earlyData, helloFor("other.test")])],
    ["from many records", records(helloMessage({ extensions: [serverName([0, "db.test"])] }), [1, 9, 20])],
  ])("is read %s, however it is cut", (_, bytes) => {
    expect(second(bytes)).toBe("db.test");
    expect(second(...bytesOf(bytes))).toBe("db.test");
  });

  it.each<[string, Buffer]>([
    ["behind an alert", Buffer.concat([record(Buffer.from([1, 0]), 21), helloFor("db.test")])],
    ["behind a record without content", Buffer.concat([record(Buffer.alloc(0), 23), helloFor("db.test")])],
    ["behind too much", Buffer.concat([...Array.from({ length: 50 }, () => earlyData), helloFor("db.test")])],
    [
      "where a change of ciphers cuts it",
      Buffer.concat([
        record(helloMessage({ extensions: [serverName([0, "db.test"])] }).subarray(0, 20)),
        changeCipherSpec,
      ]),
    ],
  ])("is refused %s", (_, bytes) => {
    expect(second(bytes)).toBe("refused: malformed");
    expect(second(...bytesOf(bytes))).toBe("refused: malformed");
  });

  it("is not looked for in more bytes than a first may have", () => {
    const long = record(Buffer.alloc(16_000), 23);
    expect(long.length * 3).toBeGreaterThan(MAX_HELLO_BYTES);
    expect(second(long, long)).toBeNull();
    expect(second(long, long, long)).toBe("refused: malformed");
  });
});
