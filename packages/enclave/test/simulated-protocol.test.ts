import { EncodingError } from "@blindbox/encoding";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  formatReply,
  formatRequest,
  maxReplyBytes,
  maxRequestBytes,
  parseReply,
  parseRequest,
} from "../src/simulated/protocol.ts";

const line = (text: string): string => text.slice(0, -1);

describe("the protocol between box and simulated device", () => {
  it("carries any binding and any evidence", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 64, maxLength: 64 }),
        fc.uint8Array({ maxLength: 500 }),
        (binding, evidence) => {
          expect([...parseRequest(line(formatRequest(binding)))]).toEqual([...binding]);
          const endorsements = { chain: ["a"], crls: [] };
          const reply = parseReply(line(formatReply({ evidence, endorsements })));
          expect([[...reply.evidence], { ...(reply.endorsements as object) }]).toEqual([[...evidence], endorsements]);
        },
      ),
    );
  });

  it("fits its bounds", () => {
    expect(formatRequest(new Uint8Array(64)).length).toBeLessThanOrEqual(maxRequestBytes);
    const endorsements = { chain: ["x".repeat(4000)], crls: ["x".repeat(4000)] };
    expect(formatReply({ evidence: new Uint8Array(288), endorsements }).length).toBeLessThanOrEqual(maxReplyBytes);
  });

  const request = line(formatRequest(Uint8Array.from({ length: 64 }, (_, at) => at)));
  const reply = line(formatReply({ evidence: Uint8Array.of(1, 2, 3), endorsements: { chain: ["ab"], crls: [] } }));

  it.each([
    ["request", request, parseRequest],
    ["reply", reply, parseReply],
  ] as const)("refuses a %s that is cut at any length", (_, text, parse) => {
    for (let length = 0; length < text.length; length += 1) {
      expect(() => parse(text.slice(0, length))).toThrow(EncodingError);
    }
  });

  it("reads no other binding than the one that was sent, whatever bit of the request is another", () => {
    for (let at = 0; at < request.length * 8; at += 1) {
      const bytes = Buffer.from(request, "latin1");
      bytes[at >> 3] = (bytes[at >> 3] ?? 0) ^ (1 << (at & 7));
      const changed = bytes.toString("latin1");
      try {
        expect(line(formatRequest(parseRequest(changed)))).toBe(changed);
      } catch (error) {
        expect(error).toBeInstanceOf(EncodingError);
      }
    }
  });

  it("takes a fault for no evidence", () => {
    expect(() => parseReply('{"error":"failed"}')).toThrow(EncodingError);
  });
});
