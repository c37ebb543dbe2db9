/** The Endorsements of an Azure machine are those of its hardware; its Verifier takes them as `{ "hardware": … }`. */
import { describe, expect, test } from "vitest";
import { fromBase64url } from "@blindbox/encoding";
import { parseHclReport } from "@blindbox/attestation";
import { sevSnpSubject, tdxSubject, type EndorsementSubject } from "@blindbox/attestation/endorsers";
import { amdChainUrl, amdCrlUrl, vcekUrl } from "../../src/endorsers/amd-kds.ts";
import { INTEL_ROOT_CRL_URL, pckCrlUrl, qeIdentityUrl, tcbInfoUrl } from "../../src/endorsers/intel-pcs.ts";
import { refusalsOf } from "../azure-vtpm/appraise.ts";
import { fakeTee, mintEvidence, type AzureDocument } from "../azure-vtpm/vendor.ts";
import { pem } from "../vendor.ts";
import { body, endorserWith, fakeVendors, virtualTime, type Answer } from "./surroundings.ts";
import { none } from "./vendors.ts";

type Routes = Readonly<Record<string, readonly Answer[]>>;

/** As the fake vendors mint them. */
interface Below<T> {
  readonly hardware: T;
}
interface Amd {
  readonly ek: string;
  readonly issuers: readonly string[];
  readonly crls: readonly string[];
}

const { bytes: onSnp, endorsements: amd } = mintEvidence();
const { bytes: onTdx, endorsements: intel } = mintEvidence({ on: "tdx" });

const documentOf = (bytes: Uint8Array): AzureDocument => JSON.parse(Buffer.from(bytes).toString()) as AzureDocument;

const { hardwareReport } = parseHclReport(fromBase64url(documentOf(onSnp).hclReport));
const snp = sevSnpSubject(hardwareReport, null);
const td = tdxSubject(fromBase64url(documentOf(onTdx).tdQuote ?? ""));

function amdRoutes(): Routes {
  const { ek, issuers, crls } = (amd as unknown as Below<Amd>).hardware;
  return {
    [vcekUrl(snp)]: [body(fromBase64url(ek))],
    [amdChainUrl(snp)]: [body(issuers.map((der) => pem(fromBase64url(der))).join(""))],
    [amdCrlUrl(snp)]: crls.map((der) => body(fromBase64url(der))),
  };
}

function intelRoutes(): Routes {
  const { hardware } = intel as unknown as Below<Readonly<Record<string, string>>>;
  const { tcbInfo = "", qeIdentity = "", pckCrl = "", rootCaCrl = "", ...chains } = hardware;
  const chain = (name: string): string => encodeURIComponent(chains[name] ?? "");
  return {
    [tcbInfoUrl(td, "default")]: [body(tcbInfo, { "TCB-Info-Issuer-Chain": chain("tcbInfoIssuerChain") })],
    [qeIdentityUrl("default")]: [
      body(qeIdentity, { "SGX-Enclave-Identity-Issuer-Chain": chain("qeIdentityIssuerChain") }),
    ],
    [pckCrlUrl(td)]: [body(fromBase64url(pckCrl), { "SGX-PCK-CRL-Issuer-Chain": chain("pckCrlIssuerChain") })],
    [INTEL_ROOT_CRL_URL]: [body(fromBase64url(rootCaCrl))],
  };
}

describe.each<[string, Uint8Array, EndorsementSubject, () => Routes]>([
  ["SEV-SNP", onSnp, snp, amdRoutes],
  ["TDX", onTdx, td, intelRoutes],
])("what is fetched for the hardware of an Azure machine on %s", (_name, evidence, subject, routes) => {
  test("is what the machine's Verifier takes, in the place of the hardware's", async () => {
    const time = virtualTime();
    const endorser = endorserWith(fakeVendors(routes()), time);
    const { endorsements: fetched } = await time.pass(endorser.fetch(subject, none));
    const { endorsements: recalled } = await endorser.recall(subject, none);
    for (const hardware of [fetched, recalled]) {
      expect(await refusalsOf(fakeTee(), evidence, { hardware })).toEqual([]);
    }
    expect(await refusalsOf(fakeTee(), evidence, fetched)).toContainEqual(
      expect.stringMatching(/^endorsements-form: /),
    );
  });
});
