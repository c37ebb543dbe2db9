/** `blindbox endorsements fetch` on real Evidence: what it is recognised as, and what is asked for it. */
import { describe, expect, test } from "vitest";
import { formatEndorsementsDocument } from "@blindbox/attestation/endorsers";
import { skipLine, vectorsFolder } from "../../../conformance/vectors.ts";
import { fakeVendors } from "../../attestation/test/endorsers/surroundings.ts";
import { intelEndorsements, intelRoutes, intelUrls, platform } from "../../attestation/test/endorsers/vendors.ts";
import { workplace } from "./endorsements-fixture.ts";

const intelText = formatEndorsementsDocument(platform, intelEndorsements);

const folder = vectorsFolder();
if (folder === null) console.log(skipLine("endorsements of real Evidence"));

describe.skipIf(folder === null)("real Evidence", () => {
  test.each([
    ["tdx/v4-gcp-ccel.quote.bin", "a TDX machine, FMSPC "],
    ["tdx/v5-google.quote.bin", "a TDX machine, FMSPC 90c06f000000, platform CA"],
    ["azure/tdx-v1.evidence.json", "a TDX machine, FMSPC "],
    ["nitro/prod-base-2024.cose", "a Nitro enclave"],
    ["nitro/prod-cape-2022-bigud.cose", "a Nitro enclave"],
    ["snp/turin-v5-ms.report.bin", "an SEV-SNP machine, turin, TCB 0101010400000051, chip 59790fb1c39f35c1…"],
    ["snp/milan-v3-dstack.report.bin", "an SEV-SNP machine, milan, "],
    ["azure/openpcc-snp-genoa.hcl.bin", "an SEV-SNP machine, genoa, "],
    ["azure/snp-milan-live.evidence.json", "an SEV-SNP machine, milan, "],
  ])("%s", async (file, words) => {
    const { run } = workplace();
    const product = /azure.*(genoa|milan)/.exec(file)?.[1];
    const flags = product === undefined ? [] : ["--product", product];
    const { stderr } = await run(["fetch", `${folder}/${file}`, ...flags], () =>
      Promise.resolve(new Response(null, { status: 403 })),
    );
    expect(stderr).toContain(`Endorsements for ${words}`);
  });

  test("a TD quote of the platform that the fake vendors know", async () => {
    const { run } = workplace();
    const args = ["fetch", `${folder}/parts/3507b5f7e612.quote.bin`];
    const { code, stdout } = await run(args, fakeVendors(intelRoutes).fetch);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${intelText}\n` });
    const { fetch, asked } = fakeVendors({});
    await run([...args, "--tcb", "early"], fetch);
    expect(asked.map(({ url }) => url)).toContain(`${intelUrls.tcbInfo}&update=early`);
    expect(await run([...args, "--tcb", "late"])).toMatchObject({ code: 2 });
  });
});
