/** The parsers of what a hostile host sends: any input ends in a record or in an EncodingError. */
import { EncodingError } from "@blindbox/encoding";
import fc from "fast-check";
import { expect, test } from "vitest";
import { collateralReader } from "../../src/tdx/collateral.ts";
import { parseQuote, tdxQuoteOf, tdxReportOf } from "../../src/tdx/evidence.ts";
import { parsePckChain, pckChainText } from "../../src/tdx/pck-chain.ts";
import { readQeIdentity } from "../../src/tdx/qe-identity.ts";
import { parseSgxExtension } from "../../src/tdx/sgx-extension.ts";
import { readTcbInfo } from "../../src/tdx/tcb-info.ts";
import { TCB_STATUSES, worstOf } from "../../src/tdx/tcb-status.ts";
import { sequence } from "../der.ts";
import { rightQeIdentity, rightTcbInfo } from "./intel-texts.ts";
import { mintEvidence, PPID, sgxMembers } from "./vendor.ts";

const readChain = (pem: Uint8Array): ReturnType<typeof parsePckChain> => parsePckChain(pckChainText(pem));

/** Whether it was read; throws what is no refusal. */
function readable(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (error instanceof EncodingError) return false;
    throw error;
  }
}

const { bytes } = mintEvidence({ form: "v5-1.5" });

test("any bytes in the place of a quote, whole or behind a right beginning", () => {
  const anywhere = fc.tuple(fc.nat({ max: bytes.length }), fc.uint8Array({ maxLength: 200 }));
  fc.assert(
    fc.property(anywhere, ([at, more]) => {
      const changed = new Uint8Array([...bytes.subarray(0, at), ...more, ...bytes.subarray(at + more.length)]);
      readable(() => parseQuote(changed, readChain));
      readable(() => parseQuote(more, readChain));
    }),
    { numRuns: 300 },
  );
});

test("a quote that is read is read whole: its parts put together are its bytes", () => {
  const quote = parseQuote(bytes, readChain);
  expect(quote.signed).toEqual(bytes.subarray(0, 48 + 6 + 648));
  expect(Buffer.concat([quote.signature, quote.attestationKey])).toEqual(Buffer.from(bytes.subarray(706, 834)));
  expect(quote.qe.signed).toEqual(bytes.subarray(840, 1224));
  expect(quote.td.mrservicetd).toHaveLength(48);
});

test("the quote alone is taken out of a buffer that zero bytes fill up, and out of no other", () => {
  const filled = (more: readonly number[]): Uint8Array => new Uint8Array([...bytes, ...more]);
  expect(tdxQuoteOf(bytes)).toEqual(bytes);
  expect(tdxQuoteOf(filled([0]))).toEqual(bytes);
  expect(tdxQuoteOf(filled(Array<number>(3000).fill(0)))).toEqual(bytes);
  for (const other of [filled([1]), filled([0, 0, 10]), bytes.subarray(1), bytes.subarray(0, -1), new Uint8Array()]) {
    expect(readable(() => tdxQuoteOf(other))).toBe(false);
  }
});

test.each(["v4", "v5-1.0", "v5-1.5"] as const)(
  "what a quote of form %s says of its TD is told of the buffer too",
  (form) => {
    const quote = mintEvidence({ form }).bytes;
    const expected = parseQuote(quote, readChain).td;
    expect(tdxReportOf(new Uint8Array([...quote, 0, 0]))).toEqual(expected);
    expect(expected.mrservicetd === null).toBe(form !== "v5-1.5");
    expect(readable(() => tdxReportOf(quote.subarray(0, 700)))).toBe(false);
  },
);

const sgx = sequence(...Object.values(sgxMembers));

test("any DER in the place of Intel's extension", () => {
  expect(parseSgxExtension(sgx).ppid).toBe(PPID);
  fc.assert(
    fc.property(fc.nat({ max: sgx.length - 1 }), fc.nat({ max: 255 }), (at, value) => {
      const changed = sgx.with(at, value);
      // What is read has all of its parts.
      if (readable(() => parseSgxExtension(changed))) expect(parseSgxExtension(changed).sgxTcb).toHaveLength(16);
    }),
    { numRuns: 500 },
  );
});

test("every length of Intel's extension but its own is refused", () => {
  for (let length = 0; length < sgx.length; length += 1) {
    expect(readable(() => parseSgxExtension(sgx.subarray(0, length)))).toBe(false);
  }
});

const anyJson = fc.jsonValue({ maxDepth: 3 }).filter((value) => !JSON.stringify(value).includes("__proto__"));

test.each([
  ["TCB info", readTcbInfo, rightTcbInfo()],
  ["a QE identity", readQeIdentity, rightQeIdentity()],
])("any JSON in the place of any part of %s", (_name, read, right) => {
  expect(readable(() => read(right as never))).toBe(true);
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(right)), anyJson, (member, value) => {
      readable(() => read({ ...right, [member]: value } as never));
      readable(() => read(value as never));
      // No member may be missing but the one that Intel added later.
      const without: Record<string, unknown> = { ...right };
      delete without[member];
      expect([member, readable(() => read(without as never))]).toEqual([member, member === "tdxModuleIdentities"]);
    }),
    { numRuns: 200 },
  );
});

test("any Endorsements at all are read part by part, or not", () => {
  const read = collateralReader();
  const parts = [
    "pckCrl",
    "pckCrlIssuerChain",
    "qeIdentity",
    "qeIdentityIssuerChain",
    "rootCaCrl",
    "tcbInfo",
    "tcbInfoIssuerChain",
  ];
  const part = fc.oneof(fc.string({ maxLength: 50 }), fc.constant(null), fc.jsonValue({ maxDepth: 2 }));
  const endorsements = fc
    .tuple(...parts.map(() => part))
    .map((values) => Object.fromEntries(values.map((value, at) => [parts[at], value])));
  fc.assert(
    fc.property(fc.oneof(endorsements, anyJson), (value) => {
      readable(() => read(value as never));
    }),
    { numRuns: 200 },
  );
});

test("the status of a whole does not hang on the order of its parts, and is never better than one of them", () => {
  const statuses = fc.array(fc.constantFrom(...TCB_STATUSES), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(statuses, fc.constantFrom(...TCB_STATUSES), (parts, more) => {
      const whole = worstOf(parts);
      expect(worstOf(parts.toReversed())).toBe(whole);
      expect(worstOf([whole, ...parts])).toBe(whole);
      expect(worstOf([more, whole])).toBe(worstOf([more, ...parts]));
      if (whole === "UpToDate") expect(new Set(parts)).toEqual(new Set(["UpToDate"]));
      if (parts.includes("Revoked")) expect(whole).toBe("Revoked");
    }),
  );
});
