/** Real reports, quotes and answers: the machine that each is of, and the Endorsements that its vendor gave for it. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { EncodingError, parsePem, toBase64url } from "@blindbox/encoding";
import { EndorserError, formatEndorsementsDocument, sevSnpSubject, tdxSubject } from "@blindbox/attestation/endorsers";
import { skipLine, vectorsFolder } from "../../../../conformance/vectors.ts";
import { amdChainUrl, amdCrlUrl, vcekUrl } from "../../src/endorsers/amd-kds.ts";
import { base64url, pem } from "../vendor.ts";
import { body, endorserWith, fakeVendors, refusal, virtualTime, type VirtualTime } from "./surroundings.ts";
import { intelUrls, none, thimUrl } from "./vendors.ts";

const folder = vectorsFolder();
const absent = folder === null;
const read = (path: string): Uint8Array => new Uint8Array(readFileSync(join(folder ?? "", path)));
const text = (path: string): string => readFileSync(join(folder ?? "", path), "utf8");

/** The virtual clock, set to a day. */
function timeAt(day: string): VirtualTime {
  const time = virtualTime();
  time.milliseconds += Date.parse(`${day}T00:00:00Z`) - time.now() * 1000;
  return time;
}

interface Case {
  readonly id: string;
  readonly evidence: { readonly file: string };
  readonly expect: { readonly verdict: string; readonly claims?: Readonly<Record<string, string | number>> };
}

function cases(tee: string): Case[] {
  if (absent) return [];
  return readdirSync(join(folder, "cases", tee)).map((file) => JSON.parse(text(`cases/${tee}/${file}`)) as Case);
}

if (absent) console.log(skipLine("real Evidence and answers of vendors"));

describe.skipIf(absent)("the machine of", () => {
  const accepted = (tee: string) => cases(tee).filter(({ expect: { verdict } }) => verdict === "accepted");

  test.each(accepted("sev-snp").map((each) => [each.id, each] as const))(
    "%s",
    (_id, { evidence, expect: { claims } }) => {
      const report = read(join("cases", "sev-snp", evidence.file));
      const product = claims?.["product"] as "milan";
      expect(sevSnpSubject(report, product)).toEqual({
        tee: "sev-snp",
        product,
        chipId: claims?.["chipId"],
        reportedTcb: claims?.["reportedTcb"],
        key: claims?.["signingKey"] ?? "vcek",
      });
      if (claims?.["version"] === 2) {
        expect(() => sevSnpSubject(report, null)).toThrow(
          expect.objectContaining({ code: "missing", field: "product" }),
        );
      } else {
        expect(sevSnpSubject(report, null).product).toBe(product);
        const other = product === "milan" ? "genoa" : "milan";
        expect(() => sevSnpSubject(report, other)).toThrow(expect.objectContaining({ code: "mismatch" }));
      }
    },
  );

  test.each(accepted("tdx").map((each) => [each.id, each] as const))("%s", (_id, { evidence, expect: { claims } }) => {
    const quote = read(join("cases", "tdx", evidence.file));
    expect(tdxSubject(quote)).toEqual({ tee: "tdx", fmspc: claims?.["fmspc"], ca: "platform" });
  });

  test("a report or quote that is cut anywhere, or of another kind, is an EncodingError", () => {
    const report = read("snp/turin-v5-ms.report.bin");
    const quote = read("tdx/v4-gcp-ccel.quote.bin");
    const end = Buffer.from(quote).lastIndexOf("-----END CERTIFICATE-----");
    for (const at of [0, 1, 47, 600, 1183])
      expect(() => sevSnpSubject(report.subarray(0, at), null)).toThrow(EncodingError);
    for (let at = 0; at < end; at += 97) expect(() => tdxSubject(quote.subarray(0, at))).toThrow(EncodingError);
    expect(() => sevSnpSubject(quote, null)).toThrow(EncodingError);
    expect(() => tdxSubject(report)).toThrow(EncodingError);
    expect(() => tdxSubject(read("sgx/v3-phala.quote.bin"))).toThrow(EncodingError);
  });

  test("a chain may end in one zero byte, and in nothing else", () => {
    const quote = read("tdx/v4-azure.quote.bin");
    const end = Buffer.from(quote).lastIndexOf("-----END CERTIFICATE-----") + "-----END CERTIFICATE-----".length;
    expect([...quote.subarray(end, end + 2)]).toEqual([0x0a, 0]);
    const [zeros, hidden] = [quote.slice(), quote.slice()];
    zeros.set([0, 0], end);
    hidden.set([0, 0x78], end);
    expect(tdxSubject(quote)).toMatchObject({ tee: "tdx" });
    for (const other of [zeros, hidden]) expect(() => tdxSubject(other)).toThrow(EncodingError);
  });

  test("a report with another byte in front of its fields is refused or another machine's, and no fault of ours", () => {
    const report = read("snp/turin-v5-ms.report.bin");
    for (const at of [0x48, 0x180, 0x188, 0x189, 0x1a0, 0x1df]) {
      const changed = report.slice();
      changed[at] = (changed[at] ?? 0) ^ 0xff;
      try {
        expect(sevSnpSubject(changed, null)).not.toEqual(sevSnpSubject(report, null));
      } catch (error) {
        expect(error instanceof EncodingError || error instanceof EndorserError).toBe(true);
      }
    }
  });
});

/* A chain of real certificates and the lists above it, under the addresses that the vendor has them at. */

describe.skipIf(absent)("AMD's own answers", () => {
  const rows = [
    ["milan", "snp/milan-v2-virtee", "2025-06-15"],
    ["milan", "snp/milan-v3-dstack", "2025-06-15"],
    ["genoa", "snp/siena-v5", "2025-10-01"],
    ["genoa", "snp/genoa-v3-aci-ms", "2025-10-01"],
  ] as const;

  test.each(rows)("%s, %s", async (product, name, day) => {
    const subject = sevSnpSubject(read(`${name}.report.bin`), product);
    const [ask, ark] = [read(`roots/ask-${product}.der`), read(`roots/ark-${product}.der`)];
    const ek = read(`${name}.vcek.der`);
    const crl = read(`snp/amd-crl-${product}.crl.der`);
    const time = timeAt(day);
    const vendors = fakeVendors({
      [vcekUrl(subject)]: [body(ek)],
      [amdChainUrl(subject)]: [body(pem(ask) + pem(ark))],
      [amdCrlUrl(subject)]: [body(crl)],
    });
    const { endorsements } = await time.pass(endorserWith(vendors, time).fetch(subject, none));
    expect(endorsements).toEqual({
      crls: [base64url(crl)],
      ek: base64url(ek),
      issuers: [base64url(ask), base64url(ark)],
      uvm: null,
    });
    expect(formatEndorsementsDocument(subject, endorsements)).toContain('"tee":"sev-snp"');
  });

  test("Turin's VCEK is told by its 8 bytes and its own order, and by no other report", async () => {
    const subject = sevSnpSubject(read("snp/turin-v5-ms.report.bin"), null);
    const ek = read("snp/turin-v5-ms.vcek.der");
    const chain = pem(read("roots/ask-turin.der")) + pem(read("roots/ark-turin.der"));
    const time = timeAt("2026-03-01");
    const vendors = fakeVendors({ [vcekUrl(subject)]: [body(ek)], [amdChainUrl(subject)]: [body(chain)] });
    const error = await refusal(time.pass(endorserWith(vendors, time).fetch(subject, none)));
    // Nobody has a CRL of Turin here: the certificates came, and only it is missing.
    expect(error).toMatchObject({ code: "unreachable", missing: ["crls"] });
    const other = { ...subject, reportedTcb: "0101010300000051" };
    expect(await refusal(endorserWith(vendors, time).fetch(other, { ek, uvm: null }))).toMatchObject({
      code: "mismatch",
    });
  });

  test("a VLEK of AWS is taken as given, with its chain", async () => {
    const subject = sevSnpSubject(read("snp/milan-v3-aws-vlek.report.bin"), null);
    const vlek = read("snp/milan-v3-aws-vlek.vlek.der");
    const chain = pem(read("roots/asvk-milan.der")) + pem(read("roots/ark-milan.der"));
    const time = timeAt("2025-06-15");
    const crl = read("snp/amd-crl-milan.crl.der");
    const vendors = fakeVendors({ [amdChainUrl(subject)]: [body(chain)], [amdCrlUrl(subject)]: [body(crl)] });
    const given = { ek: vlek, uvm: null };
    const { endorsements } = await time.pass(endorserWith(vendors, time).fetch(subject, given));
    expect(endorsements).toMatchObject({ ek: base64url(vlek) });
  });

  test("Azure's answer, as a host of container groups has it", async () => {
    const subject = sevSnpSubject(read("snp/milan-v2-aci.report.bin"), "milan");
    const answer = text("snp/milan-v2-aci.host-amd-certs.json");
    const time = timeAt("2025-06-15");
    const vendors = fakeVendors({
      [thimUrl]: [body(answer)],
      [amdCrlUrl(subject)]: [body(read("snp/amd-crl-milan.crl.der"))],
    });
    const endorser = endorserWith(vendors, time, { amdSource: "thim" });
    const { endorsements } = await time.pass(endorser.fetch(subject, none));
    const { vcekCert } = JSON.parse(answer) as { readonly vcekCert: string };
    expect(endorsements).toMatchObject({ ek: toBase64url(parsePem(vcekCert, "CERTIFICATE")[0] ?? new Uint8Array()) });
  });
});

describe.skipIf(absent)("Intel's own answers", () => {
  test("of 2026, with chains as the service has them in its headers", async () => {
    const subject = { tee: "tdx", fmspc: "50806f000000", ca: "platform" } as const;
    const [tcbInfo, qeIdentity] = [
      text("tdx/pcs-2026-tcb_info_50806f000000.json"),
      text("tdx/pcs-2026-td_qe_identity.json"),
    ];
    const signing = text("tdx/pcs-2026-qe_identity_signing_chain.pem");
    const { pck_crl_issuer_chain: crlChain } = JSON.parse(text("tdx/v4-phala.collateral.json")) as Record<
      string,
      string
    >;
    const pckCrl = read("tdx/pcs-2026-pck_crl_platform.der");
    const rootCaCrl = read("tdx/pcs-2026-root_ca_crl.der");
    const vendors = fakeVendors({
      [intelUrls.tcbInfo]: [body(tcbInfo, { "TCB-Info-Issuer-Chain": encodeURIComponent(signing) })],
      [intelUrls.qeIdentity]: [body(qeIdentity, { "SGX-Enclave-Identity-Issuer-Chain": encodeURIComponent(signing) })],
      [intelUrls.pckCrl]: [body(pckCrl, { "SGX-PCK-CRL-Issuer-Chain": encodeURIComponent(crlChain ?? "") })],
      [intelUrls.rootCaCrl]: [body(rootCaCrl)],
    });
    const time = timeAt("2026-03-20");
    const { endorsements } = await time.pass(endorserWith(vendors, time).fetch(subject, none));
    expect(endorsements).toEqual({
      pckCrl: base64url(pckCrl),
      pckCrlIssuerChain: crlChain,
      qeIdentity,
      qeIdentityIssuerChain: signing,
      rootCaCrl: base64url(rootCaCrl),
      tcbInfo,
      tcbInfoIssuerChain: signing,
    });
    expect(formatEndorsementsDocument(subject, endorsements)).toContain('"fmspc":"50806f000000"');
    expect(
      await refusal(time.pass(endorserWith(vendors, time).fetch({ ...subject, fmspc: "90c06f000000" }, none))),
    ).toMatchObject({
      missing: ["tcbInfo", "tcbInfoIssuerChain"],
    });
  });
});
