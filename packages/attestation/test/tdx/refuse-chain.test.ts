/** PCK chains with one thing wrong: forged, of another use, out of date, revoked. */
import { strictPolicy } from "@blindbox/attestation";
import { expect, test } from "vitest";
import { boolean, element, enumerated, integer, name, octetString, oid, sequence } from "../der.ts";
import {
  basicConstraints,
  caUsage,
  certSignOnly,
  certificate,
  crlSignOnly,
  crlNumber,
  curveKeys,
  leafUsage,
  pem,
  revokedList,
  unknownCritical,
} from "../vendor.ts";
import { fakeTee, policyWith, refusals, refusalsOf } from "./appraise.ts";
import { SGX_TCB } from "./intel-texts.ts";
import { chainBytes, hex } from "./quote.ts";
import {
  keys,
  member,
  mintCertificates,
  mintEvidence,
  NOW,
  SERIALS,
  sgxExtension,
  sgxMembers,
  tcbMembers,
} from "./vendor.ts";
import type { IntelChange } from "./vendor.ts";

const caExtensions = [basicConstraints(true, 0), caUsage];
const leafExtensions = [leafUsage, basicConstraints(false), sgxExtension(Object.values(sgxMembers))];
const foreignRoot = { subject: name("Intel SGX Root CA"), keys: keys.other };
const rootPem = pem(mintCertificates({}).root.der);
const foreignCa = { subject: name("Intel SGX PCK Platform CA"), keys: keys.other };

const refused: Readonly<Record<string, readonly [IntelChange, readonly string[]]>> = {
  "a self-made root of the same name": [{ root: { serial: "02" } }, ["pinned-root: untrusted-root"]],
  "a PCK by a CA of the same name and another key": [
    { pck: { issuer: foreignCa } },
    ["certificate-signature (pck): bad-chain"],
  ],
  "an intermediate that signed itself": [
    { intermediate: { issuer: { subject: name("Intel SGX Root CA"), keys: keys.intermediate } } },
    ["certificate-signature (intermediate): bad-chain"],
  ],
  "a CA of another name": [
    { intermediate: { subject: name("Intel SGX PCK Other CA") } },
    ["certificate-name (intermediate): bad-chain"],
  ],
  "the signing certificate's name on the PCK": [
    { pck: { subject: name("Intel SGX TCB Signing") } },
    ["certificate-name (pck): bad-chain"],
  ],
  "an intermediate that is no CA": [
    { intermediate: { extensions: [basicConstraints(false), caUsage] } },
    ["certificate-authority (intermediate): bad-chain"],
  ],
  "an intermediate that may not sign certificates": [
    { intermediate: { extensions: [basicConstraints(true, 0), crlSignOnly] } },
    ["certificate-authority (intermediate): bad-chain"],
  ],
  "an intermediate that may not sign CRLs": [
    { intermediate: { extensions: [basicConstraints(true, 0), certSignOnly] } },
    ["crl-signature (pck): crl-bad-signature"],
  ],
  "a PCK that is a CA": [
    { pck: { extensions: [basicConstraints(true), leafUsage, sgxExtension(Object.values(sgxMembers))] } },
    ["certificate-use (pck): bad-chain"],
  ],
  "a PCK that may not sign": [
    { pck: { extensions: [certSignOnly, sgxExtension(Object.values(sgxMembers))] } },
    ["certificate-use (pck): bad-chain"],
  ],
  "an unknown critical extension": [
    { pck: { extensions: [...leafExtensions, unknownCritical] } },
    ["certificate-extensions (pck): bad-chain"],
  ],
  "a PCK that expired a second ago": [{ pck: { notAfter: NOW - 1 } }, ["certificate-validity (pck): expired"]],
  "a PCK from the next second": [{ pck: { notBefore: NOW + 1 } }, ["certificate-validity (pck): not-yet-valid"]],
  "an intermediate that expired a second ago": [
    { intermediate: { notAfter: NOW - 1 } },
    ["certificate-validity (intermediate): expired"],
  ],
  "a PCK on the CRL": [
    { pckCrl: { revoked: revokedList("07", SERIALS.pck) } },
    ["certificate-revocation (pck): revoked"],
  ],
  "an intermediate on the CRL": [
    { rootCrl: { revoked: revokedList(SERIALS.intermediate) } },
    ["certificate-revocation (intermediate): revoked"],
  ],
  "a root's CRL past its next update": [
    { rootCrl: { nextUpdate: NOW - 1 } },
    ["crl-validity (intermediate): crl-expired"],
  ],
  "a root's CRL from the next second": [
    { rootCrl: { thisUpdate: NOW + 1 } },
    ["crl-validity (intermediate): crl-not-yet-valid"],
  ],
  "a PCK CRL past its next update": [{ pckCrl: { nextUpdate: NOW - 1 } }, ["crl-validity (pck): crl-expired"]],
  "a PCK CRL older than the policy allows": [
    { pckCrl: { thisUpdate: NOW - 31 * 86_400 } },
    ["endorsement-age (intelPckCrl): endorsement-too-old"],
  ],
  "a root's CRL older than the policy allows": [
    { rootCrl: { thisUpdate: NOW - 401 * 86_400 } },
    ["endorsement-age (intelRootCrl): endorsement-too-old"],
  ],
  "a PCK CRL by another key": [{ pckCrl: { issuer: foreignCa } }, ["crl-signature (pck): crl-bad-signature"]],
  "a CRL of the other CA": [
    { pckCrl: { issuer: { subject: name("Intel SGX PCK Processor CA"), keys: keys.intermediate } } },
    ["crl-issuer (pck): crl-bad-signature"],
  ],
  "a CRL that is a delta": [
    { pckCrl: { extensions: [crlNumber(7), unknownCritical] } },
    ["crl-signature (pck): crl-bad-signature"],
  ],
  "a CRL without a number": [{ rootCrl: { extensions: [] } }, ["crl-number (intermediate): crl-number-too-low"]],
  "a chain beside the PCK CRL that is another CA's": [
    { endorsements: (right) => ({ ...right, pckCrlIssuerChain: right["tcbInfoIssuerChain"] ?? null }) },
    ["collateral-signer (pckCrl): bad-chain"],
  ],
  "a chain beside the PCK CRL whose CA the root did not certify": [
    {
      endorsements: (right) => ({
        ...right,
        pckCrlIssuerChain: pem(mintCertificates({ intermediate: { issuer: foreignRoot } }).intermediate.der) + rootPem,
      }),
    },
    ["collateral-signer (pckCrl): bad-chain"],
  ],
  "a chain beside the PCK CRL whose CA has the name alone": [
    {
      endorsements: (right) => ({
        ...right,
        pckCrlIssuerChain: pem(mintCertificates({ intermediate: { keys: keys.other } }).intermediate.der) + rootPem,
      }),
    },
    ["collateral-signer (pckCrl): bad-chain"],
  ],
  "a chain beside the PCK CRL whose CA has the key alone": [
    {
      endorsements: (right) => ({
        ...right,
        pckCrlIssuerChain: pem(mintCertificates({ authority: "Processor" }).intermediate.der) + rootPem,
      }),
    },
    ["collateral-signer (pckCrl): bad-chain"],
  ],
  "a chain beside the PCK CRL under another root": [
    {
      endorsements: (right) => ({
        ...right,
        pckCrlIssuerChain: `${right["pckCrlIssuerChain"]?.split(/(?<=END CERTIFICATE-----\n)/)[0]}${pem(mintCertificates({ root: { serial: "02" } }).root.der)}`,
      }),
    },
    ["collateral-root (pckCrl): bad-chain"],
  ],
};

test.each(Object.entries(refused))("%s is refused", async (_name, [change, expected]) => {
  expect(await refusals(change)).toEqual(expected);
});

test("a certificate of the same CA that Intel issued anew may stand beside the PCK CRL", async () => {
  const reissued = pem(mintCertificates({ intermediate: { serial: "77" } }).intermediate.der) + rootPem;
  expect(await refusals({ endorsements: (right) => ({ ...right, pckCrlIssuerChain: reissued }) })).toEqual([]);
});

test("a whole look-alike chain with Intel's names, serials and dates ends at no pinned root", async () => {
  const root = { subject: name("Intel SGX Root CA"), keys: curveKeys("P-256") };
  const change = { root: { keys: root.keys, issuer: root, serial: SERIALS.root } };
  expect(await refusals(change)).toEqual(["pinned-root: untrusted-root"]);
});

test("the pinned root behind a look-alike chain has signed none of it", async () => {
  const lookalike = { subject: name("Intel SGX Root CA"), keys: curveKeys("P-256") };
  const { root } = mintCertificates({});
  const change = {
    intermediate: { issuer: lookalike },
    chain: (leaf: Uint8Array, intermediate: Uint8Array) => chainBytes(leaf, intermediate, root.der),
  };
  expect(await refusals(change)).toEqual(["certificate-signature (intermediate): bad-chain"]);
});

test("a genuine PCK does not make a CA of its owner", async () => {
  const { pck, intermediate, root } = mintCertificates({});
  const own = { subject: name("Intel SGX PCK Certificate"), keys: keys.other, issuer: pck, extensions: leafExtensions };
  const { bytes, endorsements } = mintEvidence({
    chain: () => chainBytes(certificate(own), pck.der, root.der),
  });
  const found = await refusalsOf(fakeTee, bytes, endorsements);
  expect(intermediate.der.length).toBeGreaterThan(0);
  expect(found).toContain("certificate-name (intermediate): bad-chain");
  expect(found).toContain("certificate-issuer (intermediate): bad-chain");
  expect(found).toContain("certificate-authority (intermediate): bad-chain");
});

test("the Processor CA has a CRL number of its own in the policy", async () => {
  const floor = { intelRoot: 8, intelPlatform: 0, intelProcessor: 8 };
  const numbers = { ...strictPolicy.minCrlNumber, ...floor };
  const policy = policyWith({}, { minCrlNumber: numbers });
  expect(await refusals({ authority: "Processor" }, policy)).toEqual([
    "crl-number (intermediate): crl-number-too-low",
    "crl-number (pck): crl-number-too-low",
  ]);
  expect(await refusals({}, policy)).toEqual(["crl-number (intermediate): crl-number-too-low"]);
});

const { ppid, tcb, pceId, fmspc, ...optional } = sgxMembers;
const [first, ...others] = tcbMembers(SGX_TCB, 13);

const badExtensions: Readonly<Record<string, readonly Uint8Array[]>> = {
  "no members": [],
  "no PPID": [tcb, pceId, fmspc],
  "no TCB": [ppid, pceId, fmspc],
  "no PCEID": [ppid, tcb, fmspc],
  "no FMSPC": [ppid, tcb, pceId],
  "the FMSPC twice": [ppid, tcb, pceId, fmspc, fmspc],
  "two FMSPCs": [ppid, tcb, pceId, fmspc, member("4", octetString(hex("000000000000")))],
  "an FMSPC of five bytes": [ppid, tcb, pceId, member("4", octetString(hex("0000000000")))],
  "an FMSPC of another type": [ppid, tcb, pceId, member("4", integer(5))],
  "a member that is not known": [ppid, tcb, pceId, fmspc, member("8", integer(5))],
  "a member with something behind its value": [
    ppid,
    tcb,
    pceId,
    sequence(oid("1.2.840.113741.1.13.1.4"), octetString(hex("90c06f000000")), boolean(true)),
  ],
  "a member without a value": [ppid, tcb, pceId, sequence(oid("1.2.840.113741.1.13.1.4"))],
  "no first component": [ppid, member("2", sequence(...others)), pceId, fmspc],
  "a component twice": [ppid, member("2", sequence(first ?? tcb, first ?? tcb, ...others)), pceId, fmspc],
  "a component above 255": [ppid, member("2", sequence(member("2.1", integer(256)), ...others)), pceId, fmspc],
  "a component as bytes": [ppid, member("2", sequence(member("2.1", octetString(hex("04"))), ...others)), pceId, fmspc],
  "a configuration of another type": [ppid, tcb, pceId, fmspc, member("7", boolean(true))],
  "an SGX type that is none": [ppid, tcb, pceId, fmspc, member("5", sequence())],
  "an SGX type to come": [ppid, tcb, pceId, fmspc, member("5", enumerated(3))],
  "an SGX type of two bytes": [ppid, tcb, pceId, fmspc, member("5", element(0x0a, Uint8Array.of(0, 1)))],
  "an SGX type of no bytes": [ppid, tcb, pceId, fmspc, member("5", element(0x0a))],
};

test.each(Object.entries(badExtensions))("an SGX extension with %s is no extension", async (_name, members) => {
  const extensions = [leafUsage, basicConstraints(false), sgxExtension(members)];
  expect(await refusals({ pck: { extensions } })).toEqual(["parse: bad-certificate"]);
});

test("the highest values of an SGX extension are read", async () => {
  const highest = member("2", sequence(...tcbMembers(Array<number>(16).fill(255), 0xffff)));
  const extensions = [
    leafUsage,
    basicConstraints(false),
    sgxExtension([ppid, highest, pceId, fmspc, member("5", enumerated(2))]),
  ];
  expect(await refusals({ pck: { extensions } })).toEqual([]);
});

test("a certificate without the SGX extension is no PCK certificate", async () => {
  expect(Object.keys(optional)).not.toHaveLength(0);
  expect(await refusals({ pck: { extensions: [leafUsage] } })).toEqual(["parse: bad-certificate"]);
  expect(await refusals({ intermediate: { extensions: caExtensions } })).toEqual([]);
});
