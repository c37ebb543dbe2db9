import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AnswerReader } from "../src/transport/answer.ts";
import { type AnswerCheck, AnswerError } from "../src/transport/answer-error.ts";

const mediaType = "application/vnd.blindbox.evidence+json";
const good = `HTTP/1.1 200 OK\r\nContent-Type: ${mediaType}\r\nContent-Length: 5\r\nKeep-Alive: timeout=65\r\n\r\n{"a"}`;

function bytes(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

function read(answer: string, chunkLength = answer.length): string | null {
  const reader = new AnswerReader();
  let body: Uint8Array | null = null;
  for (let at = 0; at < answer.length; at += chunkLength) body = reader.push(bytes(answer.slice(at, at + chunkLength)));
  return body === null ? null : Buffer.from(body).toString("latin1");
}

function refusal(answer: string): AnswerCheck | "accepted" | "waiting" {
  try {
    return read(answer) === null ? "waiting" : "accepted";
  } catch (error) {
    if (error instanceof AnswerError) return error.check;
    throw error;
  }
}

function head(...lines: string[]): string {
  return `${lines.join("\r\n")}\r\n\r\n`;
}

const ok = "HTTP/1.1 200 OK";
const type = `content-type: ${mediaType}`;
const length = "content-length: 2";

describe("the reader of the attestation answer", () => {
  test("reads a plain answer, whole and byte by byte", () => {
    expect(read(good)).toBe('{"a"}');
    expect(read(good, 1)).toBe('{"a"}');
  });

  test("reads an empty body as empty, for the document's parser to refuse", () => {
    expect(read(head(ok, type, "content-length: 0"))).toBe("");
  });

  test("accepts no answer that is cut off, at any length", () => {
    for (let cut = 0; cut < good.length; cut += 1) expect(refusal(good.slice(0, cut))).toBe("waiting");
  });

  test("never accepts another body than the one that was sent, whichever bit is flipped", () => {
    for (let bit = 0; bit < good.length * 8; bit += 1) {
      const flipped = Buffer.from(good, "latin1");
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const outcome = refusal(flipped.toString("latin1"));
      const inBody = bit >> 3 >= good.length - 5;
      if (inBody) expect(outcome).toBe("accepted");
      else if (outcome === "accepted") expect(read(flipped.toString("latin1"))).toBe('{"a"}');
    }
  });

  test("reads the same however the answer is cut into chunks", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (lengths) => {
        const reader = new AnswerReader();
        let body: Uint8Array | null = null;
        let at = 0;
        for (let turn = 0; at < good.length; turn += 1) {
          const next = at + (lengths[turn % lengths.length] ?? 1);
          body = reader.push(bytes(good.slice(at, next)));
          at = next;
        }
        expect(body === null ? null : Buffer.from(body).toString()).toBe('{"a"}');
      }),
    );
  });

  test("answers any bytes with a body, with patience or with an AnswerError", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (noise, afterStatus) => {
        const answer = afterStatus
          ? `${ok}\r\n${Buffer.from(noise).toString("latin1")}`
          : Buffer.from(noise).toString("latin1");
        expect(["waiting", "accepted"].includes(refusal(answer)) || refusal(answer).startsWith("answer-")).toBe(true);
      }),
    );
  });

  test.each<[string, string, AnswerCheck]>([
    ["a bare line feed", `${ok}\n${type}\n${length}\r\n\r\n{}`, "answer-head"],
    ["HTTP/1.0", head("HTTP/1.0 200 OK", type, length), "answer-head"],
    ["HTTP/2", head("HTTP/2 200 OK", type, length), "answer-head"],
    ["a status line without its space", head("HTTP/1.1 200", type, length), "answer-head"],
    ["a folded line", head(ok, type, " folded", length), "answer-head"],
    ["a space before the colon", head(ok, `content-type : ${mediaType}`, length), "answer-head"],
    ["a line without a colon", head(ok, type, "nonsense", length), "answer-head"],
    ["a byte above ASCII", head(ok, type, "x: \xe9", length), "answer-head"],
    ["a NUL", head(ok, type, "x: \0", length), "answer-head"],
    ["65 lines", head(ok, type, length, ...Array.from({ length: 63 }, () => "a: b")), "answer-head"],
    ["an endless head", `${ok}\r\n${"a: b\r\n".repeat(2000)}`, "answer-head-size"],
    ["an endless status line", `HTTP/1.1 200 ${"O".repeat(9000)}`, "answer-head-size"],
    ["an informational answer", head("HTTP/1.1 100 Continue"), "answer-status"],
    ["201", head("HTTP/1.1 201 Created", type, length), "answer-status"],
    ["204", head("HTTP/1.1 204 No Content", type, length), "answer-status"],
    ["a redirect", head("HTTP/1.1 307 Temporary Redirect", "location: https://evil.example/", length), "answer-status"],
    ["404", head("HTTP/1.1 404 Not Found", "content-type: text/html", length), "answer-status"],
    ["HTML", head(ok, "content-type: text/html", length), "answer-media-type"],
    ["plain JSON", head(ok, "content-type: application/json", length), "answer-media-type"],
    ["the media type with a parameter", head(ok, `${type};charset=utf-8`, length), "answer-media-type"],
    ["no media type", head(ok, length), "answer-media-type"],
    ["the media type twice", head(ok, type, type, length), "answer-media-type"],
    ["no length", head(ok, type), "answer-length"],
    ["two equal lengths", head(ok, type, length, length), "answer-length"],
    ["a list of lengths", head(ok, type, "content-length: 2, 2"), "answer-length"],
    ["a signed length", head(ok, type, "content-length: +2"), "answer-length"],
    ["a length with a leading zero", head(ok, type, "content-length: 02"), "answer-length"],
    ["a hexadecimal length", head(ok, type, "content-length: 0x2"), "answer-length"],
    ["one byte over 5 MiB", head(ok, type, "content-length: 5242881"), "answer-length"],
    ["10 MB", head(ok, type, "content-length: 10000000"), "answer-length"],
    ["chunks", head(ok, type, "transfer-encoding: chunked"), "answer-coding"],
    ["chunks beside a length", head(ok, type, length, "transfer-encoding: chunked"), "answer-coding"],
    ["compression", head(ok, type, length, "content-encoding: gzip"), "answer-coding"],
    ["a connection that is about to close", head(ok, type, length, "connection: close"), "answer-persistence"],
    ["an upgrade", head(ok, type, length, "connection: upgrade", "upgrade: h2c"), "answer-persistence"],
    ["a byte behind the body", `${head(ok, type, length)}{}\n`, "answer-trailing-bytes"],
    ["a second answer behind the body", `${good}${good}`, "answer-trailing-bytes"],
  ])("refuses %s", (_, answer, check) => {
    expect(refusal(answer)).toBe(check);
  });

  test("refuses a byte that comes after the body in a chunk of its own", () => {
    const reader = new AnswerReader();
    expect(reader.push(bytes(good))).not.toBeNull();
    expect(() => reader.push(bytes("x"))).toThrow(AnswerError);
  });

  test("accepts exactly 1 MiB", () => {
    const body = "x".repeat(1024 * 1024);
    expect(read(`${head(ok, type, `content-length: ${body.length}`)}${body}`)).toBe(body);
  });

  test("repeats nothing that the peer sent in its message, but numbers", () => {
    expect.assertions(1);
    try {
      read(head("HTTP/1.1 500 secret-word", "x-secret: secret-word"));
    } catch (error) {
      expect(String(error)).not.toContain("secret");
    }
  });
});
