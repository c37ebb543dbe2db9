/** Statement, Evidence document, request, self-test and report layout: one form each. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bindingOf,
  encodeSimulatedReportBody,
  EVIDENCE_MEDIA_TYPE,
  EVIDENCE_PATH,
  EXPORTER_LABEL,
  formatAttestationRequest,
  formatEvidenceDocument,
  formatSelfTest,
  formatStatement,
  leafHash,
  parseAttestationRequest,
  parseEvidenceDocument,
  parseSelfTest,
  parseSimulatedReport,
  parseStatement,
  SELF_TEST_PROBES,
  SIMULATED_BODY_LENGTH,
  SIMULATED_REPORT_LENGTH,
  type BindingMode,
  type EvidenceDocument,
  type Statement,
} from "@blindbox/attestation";
import { EncodingError } from "@blindbox/encoding";
import { exchange, selfTest, statementOf } from "./box.ts";
import { base64url, random, sha256Text } from "./vendor.ts";

const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
const text = "sha256:0";

describe("the names on the wire", () => {
  test("are those of the design", () => {
    expect(EXPORTER_LABEL).toBe("EXPORTER-Channel-Binding");
    expect(EVIDENCE_PATH).toBe("/.well-known/blindbox/attestation");
    expect(EVIDENCE_MEDIA_TYPE).toBe("application/vnd.blindbox.evidence+json");
  });
});

describe("a Statement", () => {
  const right = statementOf(random(32));

  test("is read back as it was formatted", () => {
    const full: Statement = {
      ...right,
      channel: base64url(random(40)),
      ledger: sha256Text("l"),
      audit: sha256Text("a"),
    };
    for (const statement of [right, full]) expect(parseStatement(formatStatement(statement))).toEqual(statement);
  });

  test("is hashed to 64 bytes of SHA-512 over its text", async () => {
    const statement = formatStatement(right);
    expect(Buffer.from(await bindingOf(statement))).toEqual(createHash("sha512").update(statement).digest());
  });

  const wrong: Readonly<Record<string, unknown>> = {
    type: "blindbox-statement/2",
    tee: "sgx",
    time: -1,
    runtime: text,
    manifest: null,
    tls: sha256Text("x").toUpperCase(),
    channel: "===",
    sandbox: { driver: "Rooted!", selfTest: sha256Text("x") },
    ledger: text,
    audit: "",
    challenge: base64url(random(33)),
  };

  test.each(Object.entries(wrong))("with another %s is neither made nor read", (member, value) => {
    const statement = { ...right, [member]: value } as unknown as Statement;
    expect(() => formatStatement(statement)).toThrow(EncodingError);
    const sorted = Object.fromEntries(Object.entries(statement).sort(([a], [b]) => (a < b ? -1 : 1)));
    expect(() => parseStatement(JSON.stringify(sorted))).toThrow(EncodingError);
  });

  test.each(Object.keys(wrong))("without %s is neither made nor read", (member) => {
    const { [member]: _gone, ...rest } = right as unknown as Record<string, unknown>;
    expect(() => formatStatement(rest as unknown as Statement)).toThrow(EncodingError);
    expect(() => parseStatement(JSON.stringify(rest))).toThrow(EncodingError);
  });

  test("above 8 KiB is not read", () => {
    expect(() => formatStatement({ ...right, channel: base64url(random(8000)) })).toThrow(/limit-exceeded/);
  });
});

describe("a leaf hash", () => {
  const nonce = Uint8Array.from({ length: 32 }, (_, at) => at);
  const exporter = new Uint8Array(32).fill(7);

  test("is SHA-256 over 66 bytes: zero, mode, nonce, exporter or zeros", async () => {
    const expected = (mode: number, bound: Uint8Array): Buffer =>
      createHash("sha256")
        .update(Buffer.concat([Buffer.of(0, mode), nonce, bound]))
        .digest();
    expect(Buffer.from(await leafHash("tls-exporter", nonce, exporter))).toEqual(expected(1, exporter));
    expect(Buffer.from(await leafHash("none", nonce, undefined))).toEqual(expected(0, new Uint8Array(32)));
  });

  const wrong: readonly (readonly [string, unknown, unknown, unknown])[] = [
    ["no exporter", "tls-exporter", nonce, undefined],
    ["null for an exporter", "tls-exporter", nonce, null],
    ["an exporter of zeros", "tls-exporter", nonce, new Uint8Array(32)],
    ["an exporter of 31 bytes", "tls-exporter", nonce, exporter.subarray(1)],
    ["an exporter of 33 bytes", "tls-exporter", nonce, new Uint8Array(33).fill(1)],
    ["an exporter as text", "tls-exporter", nonce, "x".repeat(32)],
    ["mode none and an exporter", "none", nonce, exporter],
    ["mode none and an exporter of zeros", "none", nonce, new Uint8Array(32)],
    ["an unknown mode", "tls-unique", nonce, undefined],
    ["no mode", undefined, nonce, undefined],
    ["a nonce of 31 bytes", "none", nonce.subarray(1), undefined],
    ["no nonce", "none", undefined, undefined],
  ];

  test.each(wrong)("is refused for %s", async (_name, mode, given, bound) => {
    const made = async (): Promise<Uint8Array> =>
      leafHash(mode as BindingMode, given as Uint8Array, bound as Uint8Array);
    await expect(made()).rejects.toThrow(TypeError);
  });
});

describe("an attestation request", () => {
  test("is read back as it was formatted", () => {
    fc.assert(
      fc.property(bytes(32), fc.constantFrom<BindingMode>("tls-exporter", "none"), (nonce, binding) => {
        expect(parseAttestationRequest(formatAttestationRequest({ binding, nonce }))).toEqual({ binding, nonce });
      }),
    );
  });

  const nonce = base64url(random(32));
  const wrong: readonly string[] = [
    "",
    "{}",
    `{"nonce":"${nonce}"}`,
    `{"binding":"none"}`,
    `{"binding":null,"nonce":"${nonce}"}`,
    `{"binding":"tls-unique","nonce":"${nonce}"}`,
    `{"binding":"none","nonce":"${nonce.slice(1)}"}`,
    `{"binding":"none","nonce":"${base64url(random(31))}"}`,
    `{"binding":"none","nonce":"${base64url(random(33))}"}`,
    `{"binding":"none","nonce":"${nonce}="}`,
    `{"binding":"none","more":1,"nonce":"${nonce}"}`,
    `{"nonce":"${nonce}","binding":"none"}`,
    `{"binding": "none","nonce":"${nonce}"}`,
    `{"binding":"none","binding":"none","nonce":"${nonce}"}`,
    `{"binding":"none","nonce":"${nonce}"}${" ".repeat(1024)}`,
  ];

  test.each(wrong)("is refused as %s", (body) => {
    expect(() => parseAttestationRequest(body)).toThrow(EncodingError);
  });

  test("cut at any length is refused", () => {
    const right = formatAttestationRequest({ binding: "none", nonce: random(32) });
    for (let length = 0; length < right.length; length += 1) {
      expect(() => parseAttestationRequest(right.slice(0, length))).toThrow(EncodingError);
    }
  });
});

describe("an Evidence document", () => {
  const proofs = fc.integer({ min: 0, max: 12 }).chain((height) =>
    fc.record({
      index: fc.integer({ min: 0, max: 2 ** height - 1 }),
      size: fc.constant(2 ** height),
      path: fc.array(bytes(32), { minLength: height, maxLength: height }),
    }),
  );
  const documents: fc.Arbitrary<EvidenceDocument> = fc.record({
    tee: fc.constantFrom("sev-snp", "tdx", "nitro", "azure-vtpm", "simulated"),
    evidence: fc.uint8Array(),
    endorsements: fc.constantFrom(null, {}, { chain: ["AA"] }),
    statement: fc.string(),
    selfTest: fc.string(),
    proof: fc.option(proofs),
    manifest: fc.string({ unit: "grapheme" }),
    release: fc.constantFrom(null, { type: "blindbox-release/1" }),
  });

  test("is read back as it was formatted, as text and as bytes", () => {
    fc.assert(
      fc.property(documents, (document) => {
        const body = formatEvidenceDocument(document);
        expect(parseEvidenceDocument(body)).toEqual(document);
        expect(parseEvidenceDocument(Buffer.from(body))).toEqual(document);
      }),
    );
  });

  test("with a path of 13 nodes, a node of 31 bytes or an index of 4096 is not made", async () => {
    const { document } = await exchange();
    const proof = { index: 0, size: 4096, path: Array.from({ length: 12 }, () => random(32)) };
    expect(parseEvidenceDocument(formatEvidenceDocument({ ...document, proof })).proof).toEqual(proof);
    for (const wrong of [{ path: [...proof.path, random(32)] }, { path: [random(31)] }, { index: 4096 }, { size: 0 }]) {
      const made = (): string => formatEvidenceDocument({ ...document, proof: { ...proof, ...wrong } });
      expect(made).toThrow(EncodingError);
    }
  });
});

describe("a self-test", () => {
  test("is read back as it was formatted", () => {
    const outcomes = parseSelfTest(selfTest, SELF_TEST_PROBES);
    expect(Object.keys(outcomes)).toEqual(SELF_TEST_PROBES);
    expect(new Set(Object.values(outcomes))).toEqual(new Set(["denied"]));
    expect(formatSelfTest(outcomes)).toBe(selfTest);
  });

  test("names each of its twenty-two probes once", () => {
    expect(new Set(SELF_TEST_PROBES).size).toBe(22);
    expect(SELF_TEST_PROBES).toHaveLength(22);
  });
});

describe("a simulated report", () => {
  const bodies = fc.record({
    debug: fc.boolean(),
    tcb: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    measurement: bytes(48),
    binding: bytes(64),
    chipId: bytes(32),
  });

  test("is read back as it was encoded", () => {
    fc.assert(
      fc.property(bodies, bytes(96), (fields, signature) => {
        const body = encodeSimulatedReportBody(fields);
        expect(body).toHaveLength(SIMULATED_BODY_LENGTH);
        const report = Buffer.concat([body, signature]);
        expect(report).toHaveLength(SIMULATED_REPORT_LENGTH);
        const { signed, signature: read, ...rest } = parseSimulatedReport(report);
        expect(rest).toEqual(fields);
        expect(Buffer.from(signed)).toEqual(Buffer.from(body));
        expect(Buffer.from(read)).toEqual(Buffer.from(signature));
      }),
    );
  });

  const report = Buffer.concat([
    encodeSimulatedReportBody({
      debug: true,
      tcb: 1n,
      measurement: random(48),
      binding: random(64),
      chipId: random(32),
    }),
    random(96),
  ]);
  const refused = (change: Uint8Array): void => expect(() => parseSimulatedReport(change)).toThrow(EncodingError);

  test("has its fields where the layout says", () => {
    expect(report.subarray(0, 8)).toEqual(Buffer.from("BBSIM\0\u0001\0", "latin1"));
    expect(report.readUInt32LE(8)).toBe(1);
    expect(report.readBigUInt64LE(16)).toBe(1n);
  });

  test("with another magic, another version, an unknown flag or a reserved byte is refused, bit by bit", () => {
    const fixed = [...Array.from({ length: 8 }, (_, at) => at), 8, 9, 10, 11, 12, 13, 14, 15];
    const reserved = Array.from({ length: 24 }, (_, at) => 168 + at);
    for (const at of [...fixed, ...reserved]) {
      for (let bit = 0; bit < 8; bit += 1) {
        if (at === 8 && bit === 0) continue; // the debug flag
        refused(report.with(at, (report[at] ?? 0) ^ (1 << bit)));
      }
    }
  });

  test("of any other length is refused", () => {
    for (let length = 0; length < report.length; length += 1) refused(report.subarray(0, length));
    for (const more of [1, 24, 288]) refused(Buffer.concat([report, random(more)]));
  });

  test("is not encoded from fields of other lengths", () => {
    const fields = { debug: false, tcb: 1n, measurement: random(48), binding: random(64), chipId: random(32) };
    for (const wrong of [{ measurement: random(47) }, { binding: random(32) }, { chipId: random(33) }]) {
      expect(() => encodeSimulatedReportBody({ ...fields, ...wrong })).toThrow(
        /^(measurement|binding|chipId): expected \d+ bytes/,
      );
    }
    expect(() => encodeSimulatedReportBody({ ...fields, tcb: 2n ** 64n })).toThrow(TypeError);
  });
});

test("no parser answers anything but a value or an EncodingError", () => {
  const parsers: readonly ((input: string) => unknown)[] = [
    parseStatement,
    parseEvidenceDocument,
    parseAttestationRequest,
    (input) => parseSelfTest(input, SELF_TEST_PROBES),
    (input) => parseSimulatedReport(Buffer.from(input)),
  ];
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.json()), (input) => {
      for (const parse of parsers) {
        try {
          parse(input);
          expect.unreachable("nothing that random is a document of ours");
        } catch (error) {
          expect(error).toBeInstanceOf(EncodingError);
        }
      }
    }),
  );
});
