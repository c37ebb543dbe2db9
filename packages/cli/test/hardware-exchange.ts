/** A whole exchange with a box on the fake hardware of each vendor, and the options under which it is verified. */
import { createHash } from "node:crypto";
import { type EvidenceDocument, type Tee, type TeeKind, type VerificationInput } from "@blindbox/attestation";
import type { VerifyOptions } from "@blindbox/client";
import { formatRelease, type Release, runtimeDigest } from "@blindbox/release";
import * as azure from "../../attestation/test/azure-vtpm/vendor.ts";
import { rightPcrs } from "../../attestation/test/azure-vtpm/tpm.ts";
import { exchange, manifest } from "../../attestation/test/box.ts";
import * as aws from "../../attestation/test/nitro/appraise.ts";
import { mintAws, PCRS } from "../../attestation/test/nitro/vendor.ts";
import * as amd from "../../attestation/test/sev-snp/appraise.ts";
import { mintEvidence as mintAmd } from "../../attestation/test/sev-snp/vendor.ts";
import * as intel from "../../attestation/test/tdx/appraise.ts";
import { rightBody } from "../../attestation/test/tdx/quote.ts";
import { mintEvidence as mintIntel } from "../../attestation/test/tdx/vendor.ts";
import { NOW, sha256Text } from "../../attestation/test/vendor.ts";

export { NOW };

/** Kinds of hardware, Azure's by what is below. */
export const hardwareKinds = ["sev-snp", "tdx", "nitro", "azure-vtpm on sev-snp", "azure-vtpm on tdx"] as const;

export type Hardware = (typeof hardwareKinds)[number];

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

interface Fake {
  readonly tee: Tee;
  readonly registers: Readonly<Record<string, string>>;
  /** Evidence that carries these 64 bytes. */
  readonly mint: (binding: Uint8Array) => Pick<EvidenceDocument, "evidence" | "endorsements">;
}

const launch = { hostData: "33".repeat(32), policy: "0000000000030000", vmpl: "00000000" };
const td = {
  mrtd: hex(rightBody.mrtd),
  rtmr0: hex(rightBody.rtmrs.subarray(0, 48)),
  rtmr1: hex(rightBody.rtmrs.subarray(48, 96)),
  rtmr2: hex(rightBody.rtmrs.subarray(96, 144)),
  rtmr3: hex(rightBody.rtmrs.subarray(144, 192)),
  mrconfigid: hex(rightBody.mrconfigid),
  mrowner: hex(rightBody.mrowner),
  mrownerconfig: hex(rightBody.mrownerconfig),
  tdAttributes: hex(rightBody.tdAttributes),
  xfam: hex(rightBody.xfam),
};
const pcrs = Object.fromEntries(rightPcrs.map((pcr, at) => [`pcr${at}`, hex(pcr)]));

function minted({ bytes, endorsements }: { bytes: Uint8Array; endorsements: EvidenceDocument["endorsements"] }) {
  return { evidence: bytes, endorsements };
}

function azureOn(on: "snp" | "tdx") {
  return (binding: Uint8Array) => {
    const extraData = new Uint8Array(createHash("sha256").update(binding).digest());
    return minted(azure.mintEvidence({ ...(on === "tdx" ? { on } : {}), extraData }));
  };
}

const fakes: Readonly<Record<Hardware, () => Fake>> = {
  "sev-snp": () => ({
    tee: amd.fakeTee(),
    registers: { measurement: "22".repeat(48), ...launch },
    mint: (reportData) => minted(mintAmd({ report: { reportData } })),
  }),
  tdx: () => ({
    tee: intel.newTee(),
    registers: td,
    mint: (reportData) => minted(mintIntel({ body: { reportData } })),
  }),
  nitro: () => ({
    tee: aws.fakeTee(),
    registers: Object.fromEntries([0, 1, 2].map((at) => [`pcr${at}`, hex(PCRS.get(at) ?? new Uint8Array())])),
    mint: (userData) => ({ evidence: mintAws({ userData }).bytes, endorsements: {} }),
  }),
  "azure-vtpm on sev-snp": () => ({
    tee: azure.fakeTee(),
    registers: {
      measurement: "22".repeat(48),
      idKeyDigest: hex(azure.PARAVISOR.idKeyDigest),
      ...launch,
      ...pcrs,
    },
    mint: azureOn("snp"),
  }),
  "azure-vtpm on tdx": () => ({ tee: azure.fakeTee(), registers: { ...td, ...pcrs }, mint: azureOn("tdx") }),
};

/** An exchange that is right in everything, and what makes it so. */
export interface HardwareExchange {
  readonly input: VerificationInput;
  readonly options: VerifyOptions;
  readonly tee: Tee;
}

export async function hardwareExchange(hardware: Hardware): Promise<HardwareExchange> {
  const { tee, registers, mint } = fakes[hardware]();
  const release = releaseOf(tee.kind, registers);
  const { input } = await exchange({
    tees: [tee],
    referenceValues: [
      { tee: tee.kind, registers, manifest: release.manifest, runtime: sha256Text("any"), release: "any" },
    ],
    statement: { tee: tee.kind, runtime: await runtimeDigest(release.runtime) },
    document: (document) => {
      const binding = new Uint8Array(createHash("sha512").update(document.statement).digest());
      return { ...document, tee: tee.kind, ...mint(binding) };
    },
  });
  const options: VerifyOptions = {
    release: [formatRelease(release)],
    require: { manifest: release.manifest },
    tees: [tee],
    accept: ["release-unsigned"],
    now: () => new Date(NOW * 1000),
  };
  return { input, options, tee };
}

function releaseOf(tee: TeeKind, registers: Readonly<Record<string, string>>): Release {
  const digest = sha256Text("any");
  return {
    type: "blindbox-release/1",
    product: "transcriber",
    channel: "stable",
    version: "1.0.0",
    sequence: 1,
    runtime: { type: "blindbox-runtime/1", version: "0.1.0", tee, bundle: digest, node: digest },
    app: { image: digest },
    manifest: sha256Text(manifest),
    referenceValues: [{ tee, registers }],
    previous: null,
  };
}
