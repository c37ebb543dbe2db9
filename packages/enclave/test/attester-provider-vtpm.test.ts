/** Azure's virtual TPM, over a TPM that can be told to misbehave. */
import { constants, createHash, verify } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AZURE_EVIDENCE_TYPE, azureVtpm, sevSnp, tdx } from "@blindbox/attestation";
import { fromBase64url, parseCanonicalJson } from "@blindbox/encoding";
import { describe, expect, it } from "vitest";
import { type Body, rightBody } from "../../attestation/test/tdx/quote.ts";
import {
  type AzureVtpmAccess,
  azureVtpmProbe,
  createAzureVtpmDevice,
} from "../src/attester/providers/vtpm/azure-vtpm.ts";
import { createTdQuoteSource, TD_QUOTE_URL, type PostJson } from "../src/attester/providers/vtpm/td-quote.ts";
import { tpmAt } from "../src/attester/providers/vtpm/tpm-transport.ts";
import { fakeTdQuote, fakeTdReport } from "./fixtures-attester/fake-td.ts";
import { fakeAk, fakeTpm, type FakeTpm, hclReport, snpReport } from "./fixtures-attester/fake-tpm.ts";
import { noVectors, recorded } from "./fixtures-attester/recorded.ts";
import { temporaryFolder } from "./oci-image.ts";

const binding = Uint8Array.from({ length: 64 }, (_, index) => index);
const sleep = async (): Promise<void> => undefined;
const noQuote = (): Promise<Uint8Array> => Promise.reject(new Error("no TD quote was due"));
const snpHcl = hclReport("sev-snp", snpReport());

function access(tpm: FakeTpm, more: Partial<AzureVtpmAccess> = {}): AzureVtpmAccess {
  return { withTpm: tpm.withTpm, getTdQuote: noQuote, sleep, readProduct: async () => null, ...more };
}

const read = (tpm: FakeTpm, more: Partial<AzureVtpmAccess> = {}) =>
  createAzureVtpmDevice(access(tpm, more)).read(binding);

interface AzureEvidence {
  readonly hclReport: string;
  readonly pcrs: readonly string[];
  readonly quote: string;
  readonly signature: string;
  readonly tdQuote: string | null;
  readonly type: string;
}

const parse = (evidence: Uint8Array): AzureEvidence => parseCanonicalJson(evidence) as unknown as AzureEvidence;

describe("the virtual TPM of a confidential VM", () => {
  it("gives HCL report, PCRs and a quote over them that holds SHA-256 of the binding", async () => {
    const { evidence, subject, given } = await read(fakeTpm({ hclReport: snpHcl }));
    const { type, tdQuote, pcrs, ...parts } = parse(evidence);
    expect([type, tdQuote]).toEqual([AZURE_EVIDENCE_TYPE, null]);
    expect(Buffer.from(fromBase64url(parts.hclReport)).equals(snpHcl)).toBe(true);
    const quote = fromBase64url(parts.quote);
    const rsa = { key: fakeAk, padding: constants.RSA_PKCS1_PADDING };
    expect(verify("sha256", quote, rsa, fromBase64url(parts.signature))).toBe(true);
    expect(Buffer.from(quote).includes(createHash("sha256").update(binding).digest())).toBe(true);
    const digest = createHash("sha256")
      .update(Buffer.from(pcrs.join(""), "hex"))
      .digest();
    expect(Buffer.from(quote).subarray(-32).equals(digest)).toBe(true);
    expect(pcrs).toHaveLength(24);
    expect(subject).toMatchObject({ tee: "sev-snp", product: "milan" });
    expect(given).toEqual({ ek: null, uvm: null });
  });

  it("is read as the owner, or by the index itself where the owner may not", async () => {
    expect((await read(fakeTpm({ hclReport: snpHcl, attributes: 0x4_0000 }))).subject.tee).toBe("sev-snp");
    await expect(read(fakeTpm({ hclReport: snpHcl, attributes: 0x8_0000 }))).rejects.toMatchObject({ code: "denied" });
  });

  it.each([0x922, 0x908, 0x909, 0x90a, 0x920, 0x923])("is asked again after 0x%s", async (code) => {
    const tpm = fakeTpm({ hclReport: snpHcl, first: { 0x158: [code], 0x14e: [code] } });
    expect((await read(tpm)).subject.tee).toBe("sev-snp");
    expect(tpm.opened).toBe(1);
    const forEver = fakeTpm({ hclReport: snpHcl, first: { 0x158: Array.from({ length: 99 }, () => code) } });
    await expect(read(forEver)).rejects.toMatchObject({
      code: "busy",
      message: expect.stringMatching(/TPM_RC_\w+, 7 times/),
    });
  });

  it("is asked again, for all of it, where a PCR changed meanwhile", async () => {
    const tpm = fakeTpm({ hclReport: snpHcl, extended: 2 });
    const { pcrs } = parse((await read(tpm)).evidence);
    expect(tpm.commands.filter((code) => code === 0x158)).toHaveLength(3);
    const twice = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest();
    expect(pcrs[10]).toBe(twice(twice(new Uint8Array(32).fill(10))).toString("hex"));
    await expect(read(fakeTpm({ hclReport: snpHcl, extended: 99 }))).rejects.toMatchObject({ code: "busy" });
  });

  it.each([
    [0x101, "TPM_RC_FAILURE"],
    [0x921, "TPM_RC_LOCKOUT"],
    [0x9a2, "TPM_RC_BAD_AUTH"],
    [0x98e, "TPM_RC_AUTH_FAIL"],
    [0x2d2, "TPM_RC_SCHEME"],
    [0x18b, "TPM_RC_HANDLE"],
  ])("says what error 0x%s is", async (code, name) => {
    const tpm = fakeTpm({ hclReport: snpHcl, first: { 0x158: [code] } });
    await expect(read(tpm)).rejects.toMatchObject({ code: "failed", message: expect.stringContaining(name) });
  });

  const head = (tag: number, size: number, code = 0): Uint8Array => {
    const bytes = Buffer.alloc(10);
    bytes.writeUInt16BE(tag, 0);
    bytes.writeUInt32BE(size, 2);
    bytes.writeUInt32BE(code, 6);
    return bytes;
  };

  it.each([
    ["an empty answer", 0x169, new Uint8Array()],
    ["an answer that announces more", 0x169, head(0x8001, 11)],
    ["an answer that announces less", 0x169, head(0x8001, 9)],
    ["an answer with sessions where none were", 0x169, head(0x8002, 10)],
    ["an answer without the session that was", 0x158, head(0x8001, 10)],
    ["an answer without parameters", 0x17e, head(0x8001, 10)],
    ["less of the index than there is", 0x14e, Buffer.concat([head(0x8002, 17), Buffer.from("00000003000141", "hex")])],
    [
      "no PCR at all",
      0x17e,
      Buffer.concat([head(0x8001, 28), Buffer.from("0000000000000001000b0300000000000000", "hex")]),
    ],
    [
      "a PCR of another bank",
      0x17e,
      Buffer.concat([head(0x8001, 28), Buffer.from("0000000000000001000c0300000000000000", "hex")]),
    ],
  ])("refuses %s", async (_, command, answer) => {
    const tpm = fakeTpm({ hclReport: snpHcl, first: { [command]: [answer] } });
    await expect(read(tpm)).rejects.toThrow(
      expect.objectContaining({ name: expect.stringMatching(/DeviceFault|EncodingError/) }),
    );
  });

  it.each([
    ["another nonce", { extraData: new Uint8Array(32) }],
    ["the nonce and more", { extraData: new Uint8Array(33) }],
    ["something that no TPM made", { magic: 0 }],
    ["a certification in place of a quote", { type: 0x8017 }],
    ["fewer PCRs", { selection: Buffer.from("00000001000b03ffff7f", "hex") }],
    ["another bank", { selection: Buffer.from("00000001000403ffffff", "hex") }],
    ["no PCR at all", { selection: Buffer.from("00000001000b03000000", "hex") }],
  ])("refuses a quote with %s", async (_, fields) => {
    const tpm = fakeTpm({ hclReport: snpHcl, forge: (attest) => void Object.assign(attest, fields) });
    await expect(read(tpm)).rejects.toMatchObject({ code: "malformed" });
  });

  it("asks the machine for its processor only where an old report does not say", async () => {
    const old = snpReport();
    old.set([2]);
    old.fill(0, 0x188, 0x18a);
    const tpm = fakeTpm({ hclReport: hclReport("sev-snp", old) });
    expect((await read(tpm, { readProduct: async () => "genoa" })).subject).toMatchObject({ product: "genoa" });
    await expect(read(fakeTpm({ hclReport: hclReport("sev-snp", old) }))).rejects.toMatchObject({ code: "missing" });
  });
});

describe("looking for the virtual TPM", () => {
  const look = (tpm: FakeTpm) => azureVtpmProbe(access(tpm)).look();

  it("finds one with HCL report and key, without a quote", async () => {
    const tpm = fakeTpm({ hclReport: snpHcl });
    expect((await look(tpm)).report).toEqual({ device: "vtpm", present: true, usable: true, reason: "azure-vtpm" });
    expect(tpm.commands).not.toContain(0x158);
  });

  it.each([
    ["no HCL report", { hclReport: null }, /without the HCL report and key/],
    ["no key", { hclReport: snpHcl, keyType: null }, /without the HCL report and key/],
    ["a key of another kind", { hclReport: snpHcl, keyType: 0x23 }, /expected RSA/],
    ["something else in the index", { hclReport: new Uint8Array(2600) }, /expected an HCL report: hclReport.magic/],
    ["an HCL report of no confidential VM", { hclReport: snpHcl.with(1224, 0) }, /hclReport.reportType/],
    ["too small an index", { hclReport: snpHcl.slice(0, 1220) }, /truncated/],
    ["a TPM that fails", { hclReport: snpHcl, first: { 0x169: [0x101] } }, /TPM_RC_FAILURE/],
  ])("passes over a TPM with %s", async (_, options, reason) => {
    const { report, found } = await look(fakeTpm(options));
    expect(report).toMatchObject({ present: true, usable: false, reason: expect.stringMatching(reason) });
    expect(found).toBeNull();
  });

  it("says that there is none", async () => {
    const withTpm = tpmAt(join(await temporaryFolder(), "none"));
    const { report } = await azureVtpmProbe({ ...access(fakeTpm({ hclReport: null })), withTpm }).look();
    expect(report).toMatchObject({ device: "vtpm", present: false, usable: false });
  });

  it("writes each command at once to the device, and reads one answer", async () => {
    const path = join(await temporaryFolder(), "device");
    writeFileSync(path, "");
    const answer = await tpmAt(path)((tpm) => tpm.exchange(Uint8Array.of(1, 2, 3)));
    expect(readFileSync(path)).toEqual(Buffer.of(1, 2, 3));
    expect(answer).toEqual(new Uint8Array());
  });
});

describe("the TD quote of the metadata service", () => {
  const tdReport = fakeTdReport();
  const ofThisTd = fakeTdQuote();
  /** In a longer buffer, as the service hands it out. */
  const filledUp = new Uint8Array([...ofThisTd, ...new Uint8Array(70)]);
  const answer = (quote: Uint8Array, encoding: "base64" | "base64url" = "base64url") => ({
    status: 200,
    text: JSON.stringify({ quote: Buffer.from(quote).toString(encoding) }),
  });
  const post = (...answers: readonly ({ readonly status: number; readonly text: string } | Error)[]) => {
    const left = [...answers];
    const asked: string[] = [];
    const send: PostJson = async (url, body) => {
      asked.push(`${url} ${body}`);
      const next = left.length > 1 ? left.shift() : left[0];
      if (next === undefined || next instanceof Error) throw next ?? new Error("none");
      return next;
    };
    return { send, asked };
  };

  it.each(["base64", "base64url"] as const)("is asked for once a TDREPORT, and read in %s", async (encoding) => {
    const { send, asked } = post(answer(filledUp, encoding));
    const get = createTdQuoteSource(send, sleep);
    expect(Buffer.from(await get(tdReport)).equals(ofThisTd)).toBe(true);
    await get(tdReport);
    expect(asked).toEqual([`${TD_QUOTE_URL} {"report":"${Buffer.from(tdReport).toString("base64url")}"}`]);
  });

  it("is asked for again where the service is busy or out of reach", async () => {
    const { send, asked } = post(
      new TypeError("fetch failed"),
      { status: 429, text: "" },
      { status: 503, text: "" },
      answer(filledUp),
    );
    await createTdQuoteSource(send, sleep)(tdReport);
    expect(asked).toHaveLength(4);
    const down = createTdQuoteSource(post(new TypeError("fetch failed")).send, sleep);
    await expect(down(tdReport)).rejects.toMatchObject({
      code: "busy",
      message: expect.stringMatching(/no whole answer/),
    });
  });

  it.each([
    ["status 400", { status: 400, text: "" }, "failed"],
    ["a redirect", { status: 302, text: "" }, "failed"],
    ["no JSON", { status: 200, text: "<html>" }, "malformed"],
    ["no object", { status: 200, text: "null" }, "malformed"],
    ["no quote", { status: 200, text: "{}" }, "malformed"],
    ["a number", { status: 200, text: '{"quote":1}' }, "malformed"],
    ["no base64", { status: 200, text: '{"quote":"%"}' }, "malformed"],
    ["nothing in it", { status: 200, text: '{"quote":""}' }, "malformed"],
    ["a short one", answer(new Uint8Array(600)), "malformed"],
    ["one with something behind it", answer(new Uint8Array([...filledUp, 1])), "malformed"],
    ["one cut off behind its report data", answer(ofThisTd.slice(0, 700)), "malformed"],
    ["one with nothing but its report data", answer(onlyReportData()), "malformed"],
  ])("is refused with %s", async (_, reply, code) => {
    await expect(createTdQuoteSource(post(reply).send, sleep)(tdReport)).rejects.toMatchObject({ code });
  });

  function onlyReportData(): Uint8Array {
    const bytes = new Uint8Array(700);
    bytes[0] = 4;
    bytes.set(rightBody.reportData, 568);
    return bytes;
  }

  it.each([
    ["v4", "mrtd"],
    ["v4", "mrconfigid"],
    ["v4", "mrowner"],
    ["v4", "mrownerconfig"],
    ["v4", "rtmrs"],
    ["v4", "tdAttributes"],
    ["v4", "xfam"],
    ["v4", "reportData"],
    ["v4", "mrseam"],
    ["v5-1.5", "mrservicetd"],
    ["v5-1.5", "teeTcbSvn2"],
  ] as const)("of form %s is refused, and not kept, where it is of a TD of another %s", async (form, field) => {
    const other: Partial<Body> = { [field]: rightBody[field].map((byte) => byte ^ 1) };
    const right = fakeTdQuote({}, form);
    const { send, asked } = post(answer(fakeTdQuote(other, form)), answer(right));
    const get = createTdQuoteSource(send, sleep);
    const name = field === "rtmrs" ? "rtmr0" : field;
    await expect(get(tdReport)).rejects.toMatchObject({ code: "malformed", message: expect.stringContaining(name) });
    expect(await get(tdReport)).toEqual(right);
    expect(asked).toHaveLength(2);
  });

  it("is asked for again after one that was none", async () => {
    const { send, asked } = post(answer(onlyReportData()), answer(ofThisTd.slice(0, 700)), answer(filledUp));
    const get = createTdQuoteSource(send, sleep);
    await expect(get(tdReport)).rejects.toMatchObject({ code: "malformed" });
    await expect(get(tdReport)).rejects.toMatchObject({ code: "malformed" });
    expect(await get(tdReport)).toEqual(ofThisTd);
    expect(asked).toHaveLength(3);
  });

  it("of TDX 1.0 says nothing of what only TDX 1.5 quotes", async () => {
    const report = fakeTdReport({ mrservicetd: new Uint8Array(48).fill(1), teeTcbSvn2: new Uint8Array(16).fill(1) });
    expect(await createTdQuoteSource(post(answer(filledUp)).send, sleep)(report)).toEqual(ofThisTd);
  });

  it("is not asked for with what is no TDREPORT", async () => {
    const { send, asked } = post(answer(filledUp));
    await expect(createTdQuoteSource(send, sleep)(tdReport.with(0, 0))).rejects.toMatchObject({ code: "malformed" });
    expect(asked).toEqual([]);
  });

  it.skipIf(noVectors)("stands beside a real HCL report of TDX, and says whose it is", async () => {
    const hcl = recorded("azure/tdx-v1.hcl.bin");
    const quote = recorded("azure/tdx-v1.td-quote.bin");
    const { send } = post(answer(quote));
    const { evidence, subject } = await read(fakeTpm({ hclReport: hcl }), {
      getTdQuote: createTdQuoteSource(send, sleep),
    });
    const kept = fromBase64url(parse(evidence).tdQuote ?? "");
    expect(Buffer.from(kept).equals(quote.subarray(0, kept.length))).toBe(true);
    expect(quote.subarray(kept.length).every((byte) => byte === 0)).toBe(true);
    expect(subject).toMatchObject({ tee: "tdx", ca: "platform" });
    const { bound } = azureVtpm({ hardware: [sevSnp(), tdx()] }).parseEvidence(evidence);
    expect(Buffer.from(bound).equals(createHash("sha256").update(binding).digest())).toBe(true);
  });

  it.skipIf(noVectors)("is not asked for where the hardware is SEV-SNP", async () => {
    const tpm = fakeTpm({ hclReport: recorded("azure/snp-genoa.hcl.bin") });
    expect((await read(tpm, { readProduct: async () => "genoa" })).subject).toMatchObject({ product: "genoa" });
  });
});
