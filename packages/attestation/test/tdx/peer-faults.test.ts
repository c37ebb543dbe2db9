/** Faults of other verifiers, each by name: what they let pass is refused here, and what they refuse wrongly is accepted. */
import { strictPolicy } from "@blindbox/attestation";
import { describe, expect, test } from "vitest";
import { name } from "../der.ts";
import { policyWith, refusals, refusalsOf, fakeTee } from "./appraise.ts";
import { level, platformLevel, type TcbInfoText } from "./intel-texts.ts";
import { chainBytes, hex, rawKeys, rawSignature, rightBody, zeros } from "./quote.ts";
import { keys, mintCertificates, mintEvidence, type IntelChange } from "./vendor.ts";

test("Phala-Network/dcap-qvl#124: a quote that another vendor's quoting enclave signed is refused", async () => {
  expect(await refusals({ header: { vendor: hex("00112233445566778899aabbccddeeff") } })).toEqual([
    "parse: wrong-qe-vendor",
  ]);
});

describe("Phala-Network/dcap-qvl#127: the TDX module's own identity counts", () => {
  const modules = (change: (right: TcbInfoText) => readonly object[]): IntelChange => ({
    tcbInfo: (right: TcbInfoText) => ({ ...right, tdxModuleIdentities: change(right) }),
  });

  test("an outdated module on an up-to-date platform is told of", async () => {
    expect(await refusals({ body: { teeTcbSvn: hex("04010800000000000000000000000000") } })).toEqual([
      "tcb-status (OutOfDate): tcb-status",
    ]);
  });

  test("a module that Intel does not name is refused", async () => {
    expect((await refusals(modules((right) => right.tdxModuleIdentities.slice(0, 1))))[0]).toBe(
      "tdx-module (launched module): module-mismatch",
    );
  });

  test("a module of another signer than Intel names is refused", async () => {
    const change = modules((right) =>
      right.tdxModuleIdentities.map((module) => ({ ...module, mrsigner: "22".repeat(48) })),
    );
    expect(await refusals(change)).toEqual(["tdx-module (mrsignerseam): module-mismatch"]);
  });
});

test("Phala-Network/dcap-qvl: a TD without SEPT_VE_DISABLE (older Azure) can be accepted, where the policy says so", async () => {
  const older = { body: { tdAttributes: zeros(8) } };
  expect(await refusals(older)).toEqual(["sept-ve-disable: td-attributes-mismatch"]);
  expect(await refusals(older, policyWith({ septVeDisable: "any" }))).toEqual([]);
});

test("automata-network/automata-dcap-attestation#144: a revoked quoting enclave is refused, whatever the policy lists", async () => {
  const qeIdentity: IntelChange["qeIdentity"] = (right) => ({ ...right, tcbLevels: [level(4, "Revoked")] });
  const lenient = policyWith({ tcbStatuses: ["UpToDate", "OutOfDate", "OutOfDateConfigurationNeeded"] });
  expect(await refusals({ qeIdentity }, lenient)).toEqual([
    "tcb-revocation: tcb-status",
    "tcb-status (Revoked): tcb-status",
  ]);
});

describe("automata-network/automata-dcap-attestation#141: each link of the PCK chain is verified by itself", () => {
  const otherCa = { subject: name("Intel SGX PCK Platform CA"), keys: keys.other };
  const otherRoot = { subject: name("Intel SGX Root CA"), keys: keys.other };

  test("a forged leaf under a genuine CA", async () => {
    expect(await refusals({ pck: { issuer: otherCa } })).toEqual(["certificate-signature (pck): bad-chain"]);
  });

  test("a forged CA above a leaf that it signed", async () => {
    const found = await refusals({ intermediate: { issuer: otherRoot } });
    expect(found).toContain("certificate-signature (intermediate): bad-chain");
  });

  test("a forged root above a chain that it signed", async () => {
    expect(await refusals({ root: { keys: keys.other, issuer: otherRoot } })).toEqual(["pinned-root: untrusted-root"]);
  });

  test("a genuine chain in front of a forged one", async () => {
    const genuine = mintCertificates({});
    const forged = mintCertificates({ pck: { issuer: otherCa } });
    const chain = (): Uint8Array =>
      chainBytes(genuine.pck.der, forged.pck.der, genuine.intermediate.der, genuine.root.der);
    expect(await refusals({ chain })).toEqual(["parse: bad-chain"]);
  });
});

test("google/go-tdx-guest#37: components 0 and 1 of the TDX TCB are skipped where the module has a major version", async () => {
  const tdx = [...rightBody.teeTcbSvn].map((svn, at) => (at < 2 ? 0xff : svn));
  expect(await refusals({ tcbInfo: (right) => ({ ...right, tcbLevels: [platformLevel({ tdx })] }) })).toEqual([]);
});

test("google/go-tdx-guest: Intel's Endorsements, both CRLs and the debug bit are looked at without being asked for", async () => {
  const { bytes, endorsements } = mintEvidence({ body: { tdAttributes: hex("0100001000000000") } });
  const nothing = Object.fromEntries(Object.keys(endorsements as object).map((part) => [part, null]));
  const found = await refusalsOf(fakeTee, bytes, nothing, strictPolicy);
  expect(found.filter((each) => each.startsWith("collateral-presence"))).toHaveLength(6);
  expect(found).toContain("debug: debug-enabled");
});

test("tinfoilsh/verifier: an update of the TDX module needs no new list of MRSEAMs", async () => {
  const updated = { body: { mrseam: hex("77".repeat(48)), teeTcbSvn: hex("07010800000000000000000000000000") } };
  expect(await refusals(updated)).toEqual([]);
});

test("tinfoilsh/tinfoil-conformance: what stands unsigned behind a quote is refused", async () => {
  expect(await refusals({ quote: (right) => Buffer.concat([right, Buffer.from("(unsigned text)\n")]) })).toEqual([
    "parse: trailing-bytes",
  ]);
});

describe("confidential-ml-transport#14: a signature by the key in the quote alone proves nothing", () => {
  test("where the key is the attacker's own", async () => {
    const attestation = rawKeys();
    const { bytes: genuine } = mintEvidence();
    // Everything behind the key is a genuine quote's, so that only the binding tells.
    const bytes = genuine.slice();
    const signed = bytes.subarray(0, 632);
    bytes.set(rawSignature(attestation.privateKey, signed), 636);
    bytes.set(attestation.raw, 700);
    const { endorsements } = mintEvidence();
    expect(await refusalsOf(fakeTee, bytes, endorsements)).toEqual(["attestation-key: bad-ak-binding"]);
  });

  test("where the quoting enclave's report is the attacker's own as well", async () => {
    const { pck: _pck, ...chain } = mintCertificates({});
    const { bytes } = mintEvidence({ pck: { keys: keys.other } });
    expect(chain.root.der.length).toBeGreaterThan(0);
    expect(await refusalsOf(fakeTee, bytes, mintEvidence().endorsements)).toEqual([
      "qe-report-signature: bad-qe-signature",
    ]);
  });
});
