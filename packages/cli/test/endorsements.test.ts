import { readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { formatEndorsementsDocument, parseEndorsementsDocument } from "@blindbox/attestation/endorsers";
import { body, fakeVendors, status } from "../../attestation/test/endorsers/surroundings.ts";
import {
  DAY,
  intelEndorsements,
  milan,
  milanEndorsements,
  milanRoutes,
  milanUrls,
  milanVlek,
  platform,
  thimAnswer,
  thimUrl,
  vcek,
  vlek,
} from "../../attestation/test/endorsers/vendors.ts";
import { NOW } from "../../attestation/test/vendor.ts";
import { fileCache } from "../src/endorsements/file-cache.ts";
import {
  certificateTable,
  evidenceDocument,
  hclReport,
  noNetwork,
  snpReport,
  workplace,
} from "./endorsements-fixture.ts";

const milanText = formatEndorsementsDocument(milan, milanEndorsements);
const intelText = formatEndorsementsDocument(platform, intelEndorsements);

const vlekGuid = "a8074bc2-a25a-483e-aae6-39c045a0b8a1";
const vcekGuid = "63da758d-e664-4564-adc5-f4b93be8accd";
const askGuid = "4ab7b379-bbac-4fe4-a02f-05aef327c782";

function twoEks(): Uint8Array {
  const [one, other] = [certificateTable(vlekGuid, vlek), certificateTable(vcekGuid, vcek)];
  const bytes = Buffer.alloc(72 + vlek.length + vcek.length);
  for (const [at, table, offset] of [
    [0, one, 72],
    [1, other, 72 + vlek.length],
  ] as const) {
    bytes.set(table.subarray(0, 24), 24 * at);
    bytes.writeUInt32LE(offset, 24 * at + 16);
    bytes.set(table.subarray(48), offset);
  }
  return new Uint8Array(bytes);
}

describe("blindbox endorsements fetch", () => {
  test("writes the document of a report's machine, and says whose it is", async () => {
    const { run, write } = workplace();
    const { fetch } = fakeVendors(milanRoutes);
    const { code, stdout, stderr } = await run(["fetch", write("report.bin", snpReport())], fetch);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${milanText}\n` });
    expect(stderr).toBe("Endorsements for an SEV-SNP machine, milan, TCB 0301000000000873, chip d4d4d4d4d4d4d4d4…\n");
  });

  test("-o writes a new file, never over one that is there", async () => {
    const { run, write, path } = workplace();
    const { fetch } = fakeVendors(milanRoutes);
    const args = ["fetch", write("report.bin", snpReport()), "-o", path("e.json")];
    expect(await run(args, fetch)).toMatchObject({ code: 0, stdout: "" });
    expect(readFileSync(path("e.json"), "utf8")).toBe(milanText);
    const again = await run(args, fetch);
    expect(again.code).toBe(2);
    expect(again.stderr).toContain("expected a new file, got a file that is there already\nhint: ");
  });

  test.each([
    ["a box's answer", evidenceDocument("sev-snp", snpReport()), milan],
    ["a box's answer with a line feed", `${evidenceDocument("sev-snp", snpReport())}\n`, milan],
    ["an HCL report", hclReport(snpReport()), milan],
    [
      "the JSON of a tool for Azure",
      JSON.stringify({ version: 1, hcl_report: Buffer.from(hclReport(snpReport())).toString("base64url") }),
      milan,
    ],
    [
      "the same inside another",
      JSON.stringify({ evidence: { hcl_report: Buffer.from(hclReport(snpReport())).toString("base64url") } }),
      milan,
    ],
    ["a Nitro document", Uint8Array.of(0x84, 0x44, 0xa1, 0x01, 0x38, 0x22, 0xa0), { tee: "nitro" }],
    ["a Nitro document with its tag", Uint8Array.of(0xd2, 0x84, 0x44, 0xa1, 0x01, 0x38, 0x22), { tee: "nitro" }],
  ])("recognises %s", async (_name, content, subject) => {
    const { run, write } = workplace();
    const { code, stdout } = await run(["fetch", write("evidence", content)], fakeVendors(milanRoutes).fetch);
    expect(code).toBe(0);
    expect(parseEndorsementsDocument(stdout.trimEnd()).subject).toEqual(subject);
  });

  test.each([
    ["text", "hello", "expected Evidence of a hardware TEE, got something else"],
    ["nothing", "", "expected Evidence, got an empty file"],
    ["other JSON", "{}", "expected Evidence of a hardware TEE, got something else"],
    ["JSON cut short", '{"type":"blindbox-evidence/1"', "expected Evidence of a hardware TEE, got something else"],
    ["a document that is none", '{"type":"blindbox-evidence/1"}', "document.tee: expected a value, got no such member"],
    ["a report cut short", snpReport().subarray(0, 1183), "report: expected 1184 bytes, got 1183 bytes"],
    ["a report of version 6", snpReport({ version: 6 }), "report.version: expected 2 to 5, got 6"],
    [
      "a report of an unknown processor",
      snpReport({ cpuid: "190201" }).fill(0x77, 0x188, 0x18a),
      "report.cpuid: expected a known product",
    ],
    ["a TD quote cut short", Uint8Array.of(4, 0, 2, 0, 0x81, 0, 0, 0), "quote.reserved: expected 4 bytes, got 0 bytes"],
    [
      "an HCL report cut short",
      hclReport(snpReport()).subarray(0, 900),
      "hclReport.hardwareReport: expected 1184 bytes, got 868 bytes",
    ],
    [
      "an HCL report of TDX without its quote",
      hclReport(snpReport(), 4),
      "tdQuote: expected the TD quote beside the HCL report, got none",
    ],
    [
      "a box's answer of two kinds",
      evidenceDocument("tdx", snpReport()),
      "expected Evidence of tdx, got Evidence of sev-snp",
    ],
    [
      "the simulator's Evidence",
      evidenceDocument("sev-snp", new Uint8Array(300)),
      "expected Evidence of a hardware TEE, got something else",
    ],
  ])("%s is refused with 2, and nobody is asked", async (_name, content, text) => {
    const { run, write } = workplace();
    const { fetch, asked } = fakeVendors(milanRoutes);
    const { code, stdout, stderr } = await run(["fetch", write("evidence", content)], fetch);
    expect({ code, stdout, asked }).toEqual({ code: 2, stdout: "", asked: [] });
    expect(stderr).toContain(text);
    expect(stderr).toMatch(/^error: .+\nhint: .+\n$/);
  });

  test("a report of version 2 needs --product, and another report must agree with it", async () => {
    const { run, write } = workplace();
    const { fetch } = fakeVendors(milanRoutes);
    const old = write("v2.bin", snpReport({ version: 2 }));
    const refused = await run(["fetch", old], fetch);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("product: expected the product, got none\nhint: add --product milan,");
    expect(await run(["fetch", old, "--product", "milan"], fetch)).toMatchObject({ code: 0, stdout: `${milanText}\n` });
    expect(await run(["fetch", old, "--product", "rome"], fetch)).toMatchObject({ code: 2 });
    const current = write("v3.bin", snpReport());
    expect(await run(["fetch", current, "--product", "genoa"], fetch)).toMatchObject({ code: 2 });
  });

  test("a VLEK comes out of the host's table; without it the hint says so", async () => {
    const { run, write } = workplace();
    const { fetch } = fakeVendors(milanRoutes);
    const report = write("report.bin", snpReport({ vlek: true }));
    const refused = await run(["fetch", report], fetch);
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    expect(refused.stderr).toMatch(
      /error: ek: expected the VLEK certificate, got none: missing\nhint: .*certificate table/,
    );
    const table = write("auxblob", certificateTable(vlekGuid, vlek));
    const { code, stdout } = await run(["fetch", report, "--certificates", table], fetch);
    expect(code).toBe(0);
    const { subject, endorsements } = parseEndorsementsDocument(stdout.trimEnd());
    expect(subject).toEqual(milanVlek);
    expect(endorsements).toMatchObject({ ek: Buffer.from(vlek).toString("base64url"), uvm: null });
  });

  test.each([
    ["no table", "hello", "certificateTable.guid"],
    ["a table without an EK", certificateTable(askGuid, vlek), "expected a VCEK or a VLEK in the table, got neither"],
    ["a table with two EKs", twoEks(), "expected a VCEK or a VLEK in the table, got both"],
    ["a table with a VLEK that is none", certificateTable(vlekGuid, Uint8Array.of(1)), "ek: "],
  ])("%s is bad input, not a network's fault", async (_name, content, text) => {
    const { run, write } = workplace();
    const args = ["fetch", write("report.bin", snpReport({ vlek: true })), "--certificates", write("auxblob", content)];
    const { code, stderr } = await run(args, fakeVendors(milanRoutes).fetch);
    expect(code).toBe(2);
    expect(stderr).toContain(text);
  });

  test("--uvm goes along, and an empty file is none", async () => {
    const { run, write } = workplace();
    const { fetch } = fakeVendors(milanRoutes);
    const args = ["fetch", write("report.bin", snpReport()), "--uvm"];
    const { stdout } = await run([...args, write("uvm.cose", Uint8Array.of(0xd2, 0x84))], fetch);
    expect(parseEndorsementsDocument(stdout.trimEnd()).endorsements).toEqual({ ...milanEndorsements, uvm: "0oQ" });
    expect(await run([...args, write("empty", "")], fetch)).toMatchObject({ code: 2 });
  });

  test("--from thim asks the metadata service of the machine", async () => {
    const { run, write } = workplace();
    const { fetch, asked } = fakeVendors({ ...milanRoutes, [thimUrl]: [thimAnswer()] });
    expect(await run(["fetch", write("hcl", hclReport(snpReport())), "--from", "thim"], fetch)).toMatchObject({
      code: 0,
    });
    expect(new Set(asked.map(({ url }) => url))).toEqual(new Set([thimUrl, milanUrls.crls]));
    expect(await run(["export", write("hcl2", hclReport(snpReport()))])).toMatchObject({ code: 0 });
  });

  test.each([
    ["no network", milanUrls.crls, [], 4, "crls: expected an answer of the vendor, got no connection: unreachable"],
    ["429 for an hour", milanUrls.crls, [status(429, { "retry-after": "3600" })], 4, "got status 429: throttled"],
    ["a fault of the vendor", milanUrls.crls, [status(500)], 4, "got status 500: unavailable"],
    ["a sign-in page", milanUrls.crls, [body("<html>sign in")], 4, ": malformed"],
    ["a redirect", milanUrls.crls, [status(302, { location: "https://x.example" })], 4, "got status 302: redirected"],
    [
      "a chip that AMD does not know",
      milanUrls.ek,
      [status(404)],
      4,
      "ek: expected status 200, got status 404: not-found",
    ],
  ])("%s ends with the code of the unreachable, and a hint", async (_name, url, answers, expected, text) => {
    const { run, write, path } = workplace();
    const { fetch } = fakeVendors({ ...milanRoutes, [url]: answers });
    const { code, stdout, stderr } = await run(
      ["fetch", write("report.bin", snpReport()), "-o", path("e.json")],
      fetch,
    );
    expect({ code, stdout }).toEqual({ code: expected, stdout: "" });
    expect(stderr).toContain(text);
    expect(stderr).toMatch(/\nerror: .+\nhint: .+\n$/);
    expect(stderr).not.toContain("sign in");
    expect(readdirSync(path("."))).not.toContain("e.json");
  });

  test("what is missing is named, all of it", async () => {
    const { run, write } = workplace();
    const { stderr } = await run(["fetch", write("report.bin", snpReport())], noNetwork);
    expect(stderr).toContain("(missing: ek, issuers, crls)");
  });

  test("a second run asks nobody, and an old cache stands in for a vendor that is down, aloud", async () => {
    const { run, write } = workplace();
    const report = write("report.bin", snpReport());
    await run(["fetch", report], fakeVendors(milanRoutes).fetch);
    expect(await run(["fetch", report])).toMatchObject({ code: 0, stdout: `${milanText}\n` });
    const later = await run(["fetch", report], noNetwork, NOW + 2 * DAY);
    expect(later).toMatchObject({ code: 0, stdout: `${milanText}\n` });
    expect(later.stderr).toContain("crls: kept from before, since the vendor did not give it (unreachable)\n");
    expect(await run(["fetch", report], noNetwork, NOW + 301 * DAY)).toMatchObject({ code: 4 });
  });

  test("a cache that cannot be written is told once, and costs nothing", async () => {
    const { run, write, path } = workplace();
    write("cache", "in the way");
    const { code, stderr } = await run(["fetch", write("report.bin", snpReport())], fakeVendors(milanRoutes).fetch);
    expect(code).toBe(0);
    expect(stderr.match(/the cache was not written/g)).toHaveLength(1);
    expect(readFileSync(path("cache"), "utf8")).toBe("in the way");
  });

  test.each(["{}", "", "<html>", '{"type":"blindbox-endorsement-part/1"}'])(
    "a file of the cache that holds %j is as good as none",
    async (content) => {
      const { run, write, path } = workplace();
      const report = write("report.bin", snpReport());
      await run(["fetch", report], fakeVendors(milanRoutes).fetch);
      const kept = path("cache/blindbox/endorsements");
      expect(readdirSync(kept)).toHaveLength(3);
      for (const file of readdirSync(kept)) writeFileSync(`${kept}/${file}`, content);
      const { fetch, asked } = fakeVendors(milanRoutes);
      expect(await run(["fetch", report], fetch)).toMatchObject({ code: 0, stdout: `${milanText}\n` });
      expect(asked).toHaveLength(3);
    },
  );

  test("a file of the cache counts for its own key alone", async () => {
    const { path } = workplace();
    const cache = fileCache(path("parts"), () => undefined);
    const part = { fragment: { tcbInfo: "{}" }, fetched: 1, notAfter: 2 };
    await cache.put("one", part);
    const [first = ""] = readdirSync(path("parts"));
    await cache.put("other", part);
    const second = readdirSync(path("parts")).find((file) => file !== first) ?? "";
    renameSync(`${path("parts")}/${second}`, `${path("parts")}/${first}`);
    expect([await cache.get("one"), await cache.get("other")]).toEqual([null, null]);
  });

  test("no flag and no variable leads to another host", async () => {
    const { run, write } = workplace();
    const report = write("report.bin", snpReport());
    for (const flag of ["--url", "--base-url", "--kds", "--pcs", "--mirror", "--host"]) {
      expect(await run(["fetch", report, flag, "https://mirror.example"])).toMatchObject({ code: 2 });
    }
  });
});

describe("blindbox endorsements export and import", () => {
  test("export has what was fetched, with no network, and without it says what is missing", async () => {
    const { run, write } = workplace();
    const report = write("report.bin", snpReport());
    const { fetch, asked } = fakeVendors(milanRoutes);
    const before = await run(["export", report], fetch);
    expect(before).toMatchObject({ code: 2, stdout: "" });
    expect(before.stderr).toMatch(/\(missing: ek, issuers, crls\)\nhint: .*import/);
    expect(asked).toEqual([]);
    await run(["fetch", report], fetch);
    expect(await run(["export", report])).toEqual({ code: 0, stdout: `${milanText}\n`, stderr: "" });
  });

  test("import carries a document to a machine without a network", async () => {
    const { run, write } = workplace();
    const report = write("report.bin", snpReport());
    expect(await run(["import", write("e.json", `${milanText}\n`)])).toMatchObject({
      code: 0,
      stdout: "taken: ek, issuers, crls\n",
    });
    expect(await run(["export", report])).toMatchObject({ code: 0, stdout: `${milanText}\n` });
    expect(await run(["fetch", report])).toMatchObject({ code: 0, stdout: `${milanText}\n` });
  });

  test("what has expired is not taken, and said", async () => {
    const { run, write } = workplace();
    const { code, stdout, stderr } = await run(["import", write("e.json", milanText)], noNetwork, NOW + 301 * DAY);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "taken: ek, issuers\n" });
    expect(stderr).toMatch(/^hint: .+\n$/);
  });

  test.each([
    ["text", "hello"],
    ["another document", '{"type":"blindbox-release/1"}'],
    ["a document with a space", milanText.replace(",", ", ")],
    ["another chip's", milanText.replace("d4d4", "d5d5")],
    ["two line feeds", `${milanText}\n\n`],
  ])("%s is refused by import and show", async (_name, content) => {
    const { run, write } = workplace();
    for (const command of ["import", "show"]) {
      const { code, stdout, stderr } = await run([command, write("e.json", content)]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toMatch(/^error: .+\nhint: name a document .+\n$/);
    }
  });
});

describe("blindbox endorsements show", () => {
  test("says dates, numbers and what is left", async () => {
    const { run, write } = workplace();
    const { code, stdout, stderr } = await run(["show", write("e.json", milanText)]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toBe(
      [
        "Endorsements for an SEV-SNP machine, milan, TCB 0301000000000873, chip d4d4d4d4d4d4d4d4…",
        "  crls[0]     number 7, of 2027-01-14, until 2027-11-11 (300 days left)",
        "  ek          of 2026-01-15, until 2028-01-15 (365 days left)",
        "  issuers[0]  of 2026-01-15, until 2028-01-15 (365 days left)",
        "  issuers[1]  of 2026-01-15, until 2028-01-15 (365 days left)",
        "all of it is valid now; crls[0] is the first to expire",
        "",
      ].join("\n"),
    );
  });

  test("says what has expired, what is not valid yet, and that Nitro has nothing that could", async () => {
    const { run, write } = workplace();
    const intel = write("intel.json", intelText);
    const late = await run(["show", intel], noNetwork, NOW + 31 * DAY);
    expect(late.stdout).toContain(
      "  tcbInfo                   number 18, of 2027-01-14, until 2027-02-13 (expired 2 days ago)\n",
    );
    expect(late.stdout).toContain("\nnot valid now: tcbInfo, qeIdentity, pckCrl\n");
    expect((await run(["show", intel], noNetwork, NOW - 2 * DAY)).stdout).toContain(
      "not valid yet: compare this machine's clock",
    );
    const nitro = write("nitro.json", formatEndorsementsDocument({ tee: "nitro" }, {}));
    expect(await run(["show", nitro])).toMatchObject({
      stdout: "Endorsements for a Nitro enclave\nnothing in it can expire\n",
    });
  });
});
