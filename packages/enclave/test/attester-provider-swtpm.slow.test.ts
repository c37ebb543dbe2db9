/** The whole flow over a real TPM 2.0, the software one, which tpm2-tools set up and nothing of ours touched. */
import { constants, createHash, verify } from "node:crypto";
import { fromBase64url, parseCanonicalJson } from "@blindbox/encoding";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { azureVtpmProbe, createAzureVtpmDevice } from "../src/attester/providers/vtpm/azure-vtpm.ts";
import { readPcrs } from "../src/attester/providers/vtpm/tpm.ts";
import { hclReport, snpReport } from "./fixtures-attester/fake-tpm.ts";
import { hasSwtpm, type SoftwareTpm, startSwtpm } from "./fixtures-attester/swtpm.ts";
import { temporaryFolder } from "./oci-image.ts";

const binding = Uint8Array.from({ length: 64 }, (_, index) => index);
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const getTdQuote = (): Promise<Uint8Array> => Promise.reject(new Error("no TD quote was due"));
// libtpms gives an index 2048 bytes; older machines of Azure have as many.
const report = hclReport("sev-snp", snpReport(), '{"keys":[]}', 2048);

interface Parts {
  readonly hclReport: string;
  readonly pcrs: readonly string[];
  readonly quote: string;
  readonly signature: string;
}

describe.skipIf(!hasSwtpm)("a real TPM", () => {
  let tpm: SoftwareTpm | null = null;
  const given = (): SoftwareTpm => {
    if (tpm === null) throw new Error("swtpm does not run");
    return tpm;
  };
  beforeAll(async () => {
    tpm = await startSwtpm(await temporaryFolder(), report, "ownerread|ownerwrite");
  });
  afterAll(() => tpm?.stop());

  const access = () => ({ withTpm: given().withTpm, getTdQuote, sleep, readProduct: async () => null });
  const read = async (bytes: Uint8Array): Promise<Parts> =>
    parseCanonicalJson((await createAzureVtpmDevice(access()).read(bytes)).evidence) as unknown as Parts;

  it("is found by its HCL report and key", async () => {
    expect((await azureVtpmProbe(access()).look()).report).toMatchObject({ usable: true, reason: "azure-vtpm" });
  });

  it("gives a quote that its key signed, over the binding and over PCRs as they are", async () => {
    given().tool("tpm2_pcrextend", `4:sha256=${"ab".repeat(32)}`);
    const { hclReport: hcl, pcrs, quote: attest, signature } = await read(binding);
    expect(Buffer.from(fromBase64url(hcl)).equals(report)).toBe(true);
    const quote = Buffer.from(fromBase64url(attest));
    const rsa = { key: given().ak, padding: constants.RSA_PKCS1_PADDING };
    expect(verify("sha256", quote, rsa, fromBase64url(signature))).toBe(true);
    expect(quote.readUInt32BE(0)).toBe(0xff54_4347);
    const nameLength = quote.readUInt16BE(6);
    const nonce = quote.subarray(8 + nameLength + 2, 8 + nameLength + 34);
    expect(quote.readUInt16BE(8 + nameLength)).toBe(32);
    expect(nonce.equals(createHash("sha256").update(binding).digest())).toBe(true);
    const digest = createHash("sha256")
      .update(Buffer.from(pcrs.join(""), "hex"))
      .digest();
    expect(quote.subarray(-32).equals(digest)).toBe(true);
    const extended = createHash("sha256").update(Buffer.alloc(32)).update(Buffer.alloc(32, 0xab)).digest("hex");
    expect(pcrs[4]).toBe(extended);
    expect(pcrs[17]).toBe("ff".repeat(32));
  });

  it("signs another nonce for another binding", async () => {
    const other = await read(new Uint8Array(64));
    const rsa = { key: given().ak, padding: constants.RSA_PKCS1_PADDING };
    expect(verify("sha256", fromBase64url(other.quote), rsa, fromBase64url(other.signature))).toBe(true);
    expect(other.quote).not.toBe((await read(binding)).quote);
  });

  it("gives 24 PCRs, a few at a time", async () => {
    expect(await given().withTpm(readPcrs)).toHaveLength(24);
  });

  it("is passed over once its key is gone, and once its report is", async () => {
    given().tool("tpm2_evictcontrol", "-C", "o", "-c", "0x81000003");
    const without = /without the HCL report and key/;
    expect((await azureVtpmProbe(access()).look()).report).toMatchObject({
      usable: false,
      reason: expect.stringMatching(without),
    });
    given().tool("tpm2_nvundefine", "-C", "o", "0x01400001");
    expect((await azureVtpmProbe(access()).look()).report).toMatchObject({
      usable: false,
      reason: expect.stringMatching(without),
    });
  });
});

describe.skipIf(!hasSwtpm)("a real TPM whose index answers to its own password", () => {
  it("gives its report", async () => {
    const tpm = await startSwtpm(await temporaryFolder(), report, "authread|ownerwrite");
    try {
      const access = { withTpm: tpm.withTpm, getTdQuote, sleep, readProduct: async () => null };
      expect((await createAzureVtpmDevice(access).read(binding)).subject.tee).toBe("sev-snp");
    } finally {
      await tpm.stop();
    }
  });
});
