/**
 * A real TPM: what the box reads from one, and what tpm2-tools have it sign, is accepted as it is, and refused with one thing
 * changed. The report of the paravisor around its key is a fake's.
 */
import { createHash, createPublicKey } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type JsonValue } from "@blindbox/encoding";
import { createAzureVtpmDevice } from "../../../enclave/src/attester/providers/vtpm/azure-vtpm.ts";
import { hasSwtpm, startSwtpm, type SoftwareTpm } from "../../../enclave/test/fixtures-attester/swtpm.ts";
import { parseTpmQuote } from "../../src/azure-vtpm/tpm-quote.ts";
import { appraise, refusalsOf } from "./appraise.ts";
import { fakeTee, mintEvidence, rightRuntimeData, type AzureDocument } from "./vendor.ts";

const binding = Uint8Array.from({ length: 64 }, (_, at) => at);
/** The most that libtpms keeps in an NV index; older machines of Azure have as many bytes. */
const nvIndexLength = 2048;

/** A TPM whose key a fake paravisor vouches for. */
interface Machine {
  readonly tpm: SoftwareTpm;
  readonly folder: string;
  readonly endorsements: JsonValue;
}

async function startMachine(): Promise<Machine> {
  const folder = mkdtempSync(join(tmpdir(), "blindbox-tpm-"));
  const tpm = await startSwtpm(folder, new Uint8Array(nvIndexLength), "ownerread|ownerwrite");
  const { n } = createPublicKey(tpm.ak).export({ format: "jwk" });
  const [key] = rightRuntimeData.keys;
  const { bytes, endorsements } = mintEvidence({
    runtimeData: (right) => ({ ...right, keys: [{ ...key, n }] }),
    hclReport: (report) => report.slice(0, nvIndexLength),
  });
  writeFileSync(join(folder, "hcl"), Buffer.from(documentIn(bytes).hclReport, "base64url"));
  tpm.tool("tpm2_nvwrite", "-C", "o", "0x01400001", "-i", "hcl");
  return { tpm, folder, endorsements };
}

function documentIn(bytes: Uint8Array): AzureDocument {
  return JSON.parse(Buffer.from(bytes).toString()) as AzureDocument;
}

/** What the box reads for that binding, by its own provider. */
async function read({ tpm }: Machine, bound = binding): Promise<Uint8Array> {
  const { withTpm } = tpm;
  const getTdQuote = (): Promise<Uint8Array> => Promise.reject(new Error("no TD quote was due"));
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  return (await createAzureVtpmDevice({ withTpm, getTdQuote, sleep, readProduct: async () => "milan" }).read(bound))
    .evidence;
}

describe.skipIf(!hasSwtpm)("a real TPM", () => {
  let started: readonly Machine[] = [];
  const machine = (at = 0): Machine => {
    const one = started[at];
    if (one === undefined) throw new Error("swtpm does not run");
    return one;
  };
  beforeAll(async () => {
    started = [await startMachine(), await startMachine()];
    machine().tpm.tool("tpm2_pcrextend", `4:sha256=${"ab".repeat(32)}`);
  });
  afterAll(async () => {
    for (const { tpm, folder } of started) {
      await tpm.stop();
      rmSync(folder, { recursive: true });
    }
  });

  const refusalOf = (change: (right: AzureDocument, other: AzureDocument) => Partial<AzureDocument>) => async () => {
    const right = documentIn(await read(machine()));
    const other = documentIn(await read(machine(1)));
    const document = Buffer.from(JSON.stringify({ ...right, ...change(right, other) }));
    return refusalsOf(fakeTee(), new Uint8Array(document), machine().endorsements);
  };

  test("gives Evidence that is accepted, bound to what it was asked for, over its PCRs as they are", async () => {
    const bytes = await read(machine());
    expect(await refusalsOf(fakeTee(), bytes, machine().endorsements)).toEqual([]);
    const { bound } = fakeTee().parseEvidence(bytes);
    expect(bound).toEqual(await fakeTee().boundForm(binding));
    const { registers } = await appraise(fakeTee(), bytes, machine().endorsements);
    const extended = createHash("sha256").update(Buffer.alloc(32)).update(Buffer.alloc(32, 0xab)).digest("hex");
    expect([registers["pcr4"], registers["pcr17"]]).toEqual([extended, "ff".repeat(32)]);
  });

  test("is refused with the signature of another TPM", async () => {
    const refusal = await refusalOf((_right, { signature }) => ({ signature }))();
    expect(refusal).toEqual(["tpm-quote-signature: bad-quote-signature"]);
  });

  test("is refused with the whole quote of another TPM", async () => {
    const refusal = await refusalOf((_right, { quote, signature, pcrs }) => ({ quote, signature, pcrs }))();
    expect(refusal).toEqual(["tpm-quote-signature: bad-quote-signature"]);
  });

  test("is refused with the HCL report of another TPM's machine", async () => {
    const refusal = await refusalOf((_right, { hclReport }) => ({ hclReport }))();
    expect(refusal).toEqual(["tpm-quote-signature: bad-quote-signature"]);
  });

  test("is refused with the PCRs of another TPM", async () => {
    expect(await refusalOf((_right, { pcrs }) => ({ pcrs }))()).toEqual(["pcr-digest: pcr-mismatch"]);
  });

  test("is refused with a PCR as it was before it was extended", async () => {
    const before = documentIn(await read(machine()));
    machine().tpm.tool("tpm2_pcrextend", `11:sha256=${"cd".repeat(32)}`);
    expect(await refusalOf(() => ({ pcrs: before.pcrs }))()).toEqual(["pcr-digest: pcr-mismatch"]);
  });

  test("is refused with one bit of quote or signature changed", async () => {
    for (const part of ["quote", "signature"] as const) {
      const refusal = await refusalOf((right) => {
        const bytes = Buffer.from(right[part], "base64url");
        bytes[60] = (bytes[60] ?? 0) ^ 1;
        return { [part]: bytes.toString("base64url") };
      })();
      expect(refusal).toContain("tpm-quote-signature: bad-quote-signature");
    }
  });

  test("quotes another nonce for another binding", async () => {
    const { bound } = fakeTee().parseEvidence(await read(machine(), new Uint8Array(64)));
    expect(bound).not.toEqual(await fakeTee().boundForm(binding));
  });

  const quoted = (selection: string): Partial<AzureDocument> => {
    const { tpm, folder } = machine();
    const output = ["-m", "message", "-s", "signature", "-f", "plain"];
    tpm.tool("tpm2_quote", "-c", "0x81000003", "-l", selection, "-q", "00".repeat(32), ...output);
    const part = (name: string): string => readFileSync(join(folder, name)).toString("base64url");
    return { quote: part("message"), signature: part("signature") };
  };

  test("has tpm2-tools quote some PCRs, and only these are attested", async () => {
    const right = documentIn(await read(machine()));
    const document = Buffer.from(JSON.stringify({ ...right, ...quoted("sha256:4,7,11") }));
    const { findings, facts } = await appraise(fakeTee(), new Uint8Array(document), machine().endorsements);
    expect(findings.filter(({ status }) => status !== "passed")).toEqual([]);
    expect([facts["pcrSelection"], facts["nonce"]]).toEqual([[4, 7, 11], "00".repeat(32)]);
  });

  test("has tpm2-tools quote another bank, or two, and neither is read", () => {
    const bankOf = (selection: string) => (): unknown =>
      parseTpmQuote(new Uint8Array(Buffer.from(quoted(selection).quote ?? "", "base64url")));
    expect(bankOf("sha384:4")).toThrow(/bank: expected 0xb, got 0xc/);
    expect(bankOf("sha256:4+sha384:4")).toThrow(/banks: expected 0x1, got 0x2/);
  });
});
