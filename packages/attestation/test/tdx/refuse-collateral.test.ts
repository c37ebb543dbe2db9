/** What Intel says, with one thing wrong: not there, not signed as it stands, of another kind, too old, about somebody else. */
import { describe, expect, test } from "vitest";
import { name } from "../der.ts";
import { basicConstraints, caUsage, leafUsage, pem, random, revokedList } from "../vendor.ts";
import { policyWith, refusals } from "./appraise.ts";
import { level, platformLevel, type QeIdentityText, type TcbInfoText } from "./intel-texts.ts";
import { hex } from "./quote.ts";
import { keys, mintCertificates, NOW, SERIALS, type IntelChange } from "./vendor.ts";

const mandatory = ["rootCaCrl", "pckCrl", "tcbInfoIssuerChain", "qeIdentityIssuerChain", "tcbInfo", "qeIdentity"];
const all = [...mandatory, "pckCrlIssuerChain"];

describe("what does not come", () => {
  test.each(mandatory)("%s is missed", async (part) => {
    const endorsements: IntelChange["endorsements"] = (right) => ({ ...right, [part]: null });
    expect(await refusals({ endorsements })).toEqual([`collateral-presence (${part}): missing-collateral`]);
  });

  test("the chain beside the PCK CRL is not, for that CA is in the quote", async () => {
    expect(await refusals({ endorsements: (right) => ({ ...right, pckCrlIssuerChain: null }) })).toEqual([]);
  });

  test("all of it is told of, part by part", async () => {
    const nothing = Object.fromEntries(all.map((part) => [part, null]));
    const expected = mandatory.map((part) => `collateral-presence (${part}): missing-collateral`);
    expect(await refusals({ endorsements: () => nothing })).toEqual(expected);
  });
});

describe("Endorsements of another form are refused:", () => {
  test.each([
    ["none", null],
    ["a list", []],
    ["a text", "x"],
    ["an object without members", {}],
  ])("%s", async (_name, value) => {
    expect(await refusals({ endorsements: () => value })).toEqual(["endorsements-form: bad-encoding"]);
  });

  test("a member too many, and one too few", async () => {
    expect(await refusals({ endorsements: (right) => ({ ...right, more: null }) })).toEqual([
      "endorsements-form: bad-encoding",
    ]);
    const { pckCrlIssuerChain: _left, ...fewer } = Object.fromEntries(all.map((part) => [part, null]));
    expect(await refusals({ endorsements: () => fewer })).toEqual(["endorsements-form: bad-encoding"]);
  });

  test.each([
    ["rootCaCrl", "bad-encoding"],
    ["pckCrl", "bad-encoding"],
    ["pckCrlIssuerChain", "bad-certificate"],
    ["tcbInfoIssuerChain", "bad-certificate"],
    ["qeIdentityIssuerChain", "bad-certificate"],
    ["tcbInfo", "bad-encoding"],
    ["qeIdentity", "bad-encoding"],
  ])("%s that is something else", async (part, code) => {
    for (const value of ["!", 5, true, []]) {
      const found = await refusals({ endorsements: (right) => ({ ...right, [part]: value }) });
      const expected = typeof value === "string" ? code : "bad-encoding";
      expect(found).toEqual([`endorsements-form (${part}): ${expected}`]);
    }
  });

  test("a chain of three, and a chain of one", async () => {
    const form = ["endorsements-form (tcbInfoIssuerChain): bad-certificate"];
    const root = pem(mintCertificates({}).root.der);
    const longer: IntelChange["endorsements"] = (right) => ({
      ...right,
      tcbInfoIssuerChain: `${right["tcbInfoIssuerChain"]}${root}`,
    });
    expect(await refusals({ endorsements: longer })).toEqual(form);
    expect(await refusals({ endorsements: (right) => ({ ...right, tcbInfoIssuerChain: root }) })).toEqual(form);
  });
});

const badAnswers: Readonly<Record<string, readonly [(text: string) => string, string]>> = {
  "a second member of that name before it": [(text) => text.replace("{", '{"tcbInfo":{},'), "form"],
  "a second member of that name behind it": [(text) => text.replace(/}$/, ',"tcbInfo":{}}'), "form"],
  "a member twice inside": [(text) => text.replace('"id":"TDX"', '"id":"TDX","id":"TDX"'), "form"],
  "another member beside it": [(text) => text.replace(/}$/, ',"more":1}'), "form"],
  "no signature": [(text) => text.replace(/,"signature":"[0-9a-f]*"/, ""), "form"],
  "a signature in capitals": [(text) => text.replace(/[0-9a-f]{128}/, (each) => each.toUpperCase()), "form"],
  "a signature of one byte less": [(text) => text.replace(/[0-9a-f]{2}"}$/, '"}'), "signature"],
  "a digit changed": [(text) => text.replace('"pcesvn":13', '"pcesvn":12'), "signature"],
  "a space put in": [(text) => text.replace('"id":', '"id": '), "signature"],
  "a space behind the value's last member": [(text) => text.replace('},"signature"', ' },"signature"'), "signature"],
  "members in another order": [(text) => text.replace('"id":"TDX","version":3', '"version":3,"id":"TDX"'), "signature"],
  "another signature": [(text) => text.replace(/[0-9a-f]{128}/, Buffer.from(random(64)).toString("hex")), "signature"],
};

test.each(Object.entries(badAnswers))("a signed text with %s is refused", async (_name, [tcbInfoAnswer, where]) => {
  const form = "endorsements-form (tcbInfo): bad-encoding";
  const signature = "collateral-signature (tcbInfo): tcb-info-bad-signature";
  expect((await refusals({ tcbInfoAnswer }))[0]).toBe(where === "form" ? form : signature);
});

test("nothing may stand behind a signed text", async () => {
  const found = await refusals({ tcbInfoAnswer: (text) => `${text}{}` });
  expect(found).toEqual(["endorsements-form (tcbInfo): trailing-bytes"]);
});

test("white space around the members, which no signature covers, changes nothing", async () => {
  const spaced = (text: string): string => ` ${text.replace("{", "{ \n").replace(',"signature"', ' ,\t"signature"')}\n`;
  expect(await refusals({ tcbInfoAnswer: spaced, qeIdentityAnswer: spaced })).toEqual([]);
});

test("each text has its own signature", async () => {
  const signatureOf = (text: string): string => /[0-9a-f]{128}/.exec(text)?.[0] ?? "";
  const swapped: IntelChange["endorsements"] = (right) => {
    const [info, identity] = [right["tcbInfo"] ?? "", right["qeIdentity"] ?? ""];
    return {
      ...right,
      tcbInfo: info.replace(signatureOf(info), signatureOf(identity)),
      qeIdentity: identity.replace(signatureOf(identity), signatureOf(info)),
    };
  };
  expect(await refusals({ endorsements: swapped })).toEqual([
    "collateral-signature (tcbInfo): tcb-info-bad-signature",
    "collateral-signature (qeIdentity): qe-identity-bad-signature",
  ]);
});

const both = (check: string, codes: readonly [string, string]): readonly string[] => [
  `${check} (tcbInfo): ${codes[0]}`,
  `${check} (qeIdentity): ${codes[1]}`,
];
const badChain = ["tcb-info-bad-chain", "qe-identity-bad-chain"] as const;
const chains = (check: string, code?: string): readonly string[] => [
  `${check} (tcbInfo signing): ${code ?? badChain[0]}`,
  `${check} (qeIdentity signing): ${code ?? badChain[1]}`,
];

const badSigners: Readonly<Record<string, readonly [IntelChange, readonly string[]]>> = {
  "texts signed by another key": [
    { textKeys: keys.other },
    both("collateral-signature", ["tcb-info-bad-signature", "qe-identity-bad-signature"]),
  ],
  "a signing certificate by a root of the same name": [
    { signing: { issuer: { subject: name("Intel SGX Root CA"), keys: keys.other } } },
    chains("certificate-signature"),
  ],
  "a signing certificate that signed itself": [
    { signing: { issuer: { subject: name("Intel SGX TCB Signing"), keys: keys.signing } } },
    [...chains("certificate-issuer"), ...chains("certificate-signature")],
  ],
  "a signing certificate of another name": [
    { signing: { subject: name("Intel SGX PCK Certificate") } },
    both("collateral-signer", badChain),
  ],
  "a signing certificate that is a CA": [
    { signing: { extensions: [basicConstraints(true), caUsage, leafUsage].slice(0, 2) } },
    chains("certificate-use"),
  ],
  "a signing certificate that expired a second ago": [
    { signing: { notAfter: NOW - 1 } },
    chains("certificate-validity", "expired"),
  ],
  "a signing certificate from the next second": [
    { signing: { notBefore: NOW + 1 } },
    chains("certificate-validity", "not-yet-valid"),
  ],
  "a signing certificate on the root's CRL": [
    { rootCrl: { revoked: revokedList(SERIALS.signing) } },
    chains("certificate-revocation", "revoked"),
  ],
};

test.each(Object.entries(badSigners))("%s is refused", async (_name, [change, expected]) => {
  const found = await refusals(change);
  expect([...found].sort()).toEqual([...expected].sort());
});

test("texts signed by the PCK CA, with its chain in the place of the signing certificate's, are refused", async () => {
  const endorsements: IntelChange["endorsements"] = (right) => ({
    ...right,
    tcbInfoIssuerChain: right["pckCrlIssuerChain"] ?? null,
    qeIdentityIssuerChain: right["pckCrlIssuerChain"] ?? null,
  });
  const found = await refusals({ textKeys: keys.intermediate, endorsements });
  expect(found).toEqual(expect.arrayContaining([...both("collateral-signer", badChain), ...chains("certificate-use")]));
});

test("a whole chain of signing under another root is refused", async () => {
  const { root, signing } = mintCertificates({ root: { serial: "02" } });
  const chain = pem(signing.der) + pem(root.der);
  const endorsements: IntelChange["endorsements"] = (right) => ({ ...right, tcbInfoIssuerChain: chain });
  expect(await refusals({ endorsements })).toEqual(["collateral-root (tcbInfo): tcb-info-bad-chain"]);
});

const iso = (seconds: number): string => new Date(seconds * 1000).toISOString().replace(".000Z", "Z");

/** TCB info with one thing said differently, and signed. */
const badInfo: Readonly<Record<string, readonly [(right: TcbInfoText) => object, string]>> = {
  "of SGX": [() => ({ id: "SGX" }), "collateral-kind (tcbInfo): tcb-info-wrong-type"],
  "of version 2": [() => ({ version: 2 }), "collateral-kind (tcbInfo): tcb-info-wrong-type"],
  "of another type of comparison": [() => ({ tcbType: 1 }), "collateral-kind (tcbInfo): tcb-info-wrong-type"],
  "with a status that is none": [
    () => ({ tcbLevels: [platformLevel({ status: "Fine" })] }),
    "collateral-kind (tcbInfo): bad-encoding",
  ],
  "with fifteen components": [
    () => ({ tcbLevels: [platformLevel({ sgx: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15] })] }),
    "collateral-kind (tcbInfo): bad-encoding",
  ],
  "with a component above 255": [
    () => ({ tcbLevels: [platformLevel({ tdx: [256, ...Array<number>(15).fill(0)] })] }),
    "collateral-kind (tcbInfo): bad-encoding",
  ],
  "with an advisory that is a sentence": [
    () => ({ tcbLevels: [platformLevel({ advisories: ["INTEL-SA-00001", "see <b>here</b>"] })] }),
    "collateral-kind (tcbInfo): bad-encoding",
  ],
  "with a module twice": [
    (right) => ({ tdxModuleIdentities: [...right.tdxModuleIdentities, ...right.tdxModuleIdentities] }),
    "collateral-kind (tcbInfo): bad-encoding",
  ],
  "with a date that does not exist": [
    () => ({ issueDate: "2026-02-30T00:00:00Z" }),
    "collateral-kind (tcbInfo): bad-encoding",
  ],
  "with a date in another zone": [
    () => ({ issueDate: "2026-02-01T00:00:00+01:00" }),
    "collateral-kind (tcbInfo): bad-encoding",
  ],
  "with a number as text": [() => ({ tcbEvaluationDataNumber: "18" }), "collateral-kind (tcbInfo): bad-encoding"],
  "past its next update": [() => ({ nextUpdate: iso(NOW - 1) }), "collateral-validity (tcbInfo): tcb-info-expired"],
  "from the next second": [
    () => ({ issueDate: iso(NOW + 1) }),
    "collateral-validity (tcbInfo): tcb-info-not-yet-valid",
  ],
  "older than the policy allows": [
    () => ({ issueDate: iso(NOW - 30 * 86_400 - 1) }),
    "endorsement-age (tcbInfo): endorsement-too-old",
  ],
  "of an evaluation that was superseded": [
    () => ({ tcbEvaluationDataNumber: 17 }),
    "tcb-evaluation-number (tcbInfo): eval-number-too-low",
  ],
  "of another family": [() => ({ fmspc: "00A06D080000" }), "tcb-info-platform (fmspc): fmspc-mismatch"],
  "of another PCE": [() => ({ pceId: "0001" }), "tcb-info-platform (pceId): fmspc-mismatch"],
};

test.each(Object.entries(badInfo))("TCB info %s is refused", async (_name, [change, expected]) => {
  const tcbInfo = (right: TcbInfoText): unknown => ({ ...right, ...change(right) });
  expect(await refusals({ tcbInfo })).toEqual([expected]);
});

const badIdentities: Readonly<Record<string, readonly [Partial<QeIdentityText>, string]>> = {
  "of SGX's quoting enclave": [{ id: "QE" }, "collateral-kind (qeIdentity): qe-identity-wrong-type"],
  "of the verification enclave": [{ id: "QVE" }, "collateral-kind (qeIdentity): qe-identity-wrong-type"],
  "of version 1": [{ version: 1 }, "collateral-kind (qeIdentity): qe-identity-wrong-type"],
  "with an mrsigner of 31 bytes": [{ mrsigner: "00".repeat(31) }, "collateral-kind (qeIdentity): bad-encoding"],
  "past its next update": [{ nextUpdate: iso(NOW - 1) }, "collateral-validity (qeIdentity): qe-identity-expired"],
  "from the next second": [{ issueDate: iso(NOW + 1) }, "collateral-validity (qeIdentity): qe-identity-not-yet-valid"],
  "older than the policy allows": [
    { issueDate: iso(NOW - 30 * 86_400 - 1) },
    "endorsement-age (qeIdentity): endorsement-too-old",
  ],
  "of an evaluation that was superseded": [
    { tcbEvaluationDataNumber: 17 },
    "tcb-evaluation-number (qeIdentity): eval-number-too-low",
  ],
  "of another miscselect": [{ miscselect: "00000001" }, "qe-identity (miscselect): qe-identity-mismatch"],
  "of other attributes": [
    { attributes: "15000000000000000000000000000000" },
    "qe-identity (attributes): qe-identity-mismatch",
  ],
  "of another signer": [{ mrsigner: "DC".repeat(32) }, "qe-identity (mrsigner): qe-identity-mismatch"],
  "of another product": [{ isvprodid: 1 }, "qe-identity (isvProdId): qe-identity-mismatch"],
};

test.each(Object.entries(badIdentities))("a QE identity %s is refused", async (_name, [change, expected]) => {
  expect(await refusals({ qeIdentity: (right) => ({ ...right, ...change }) })).toEqual([expected]);
});

test("a quoting enclave in debug mode, or below every level, is refused", async () => {
  expect(await refusals({ qe: { attributes: hex("13000000000000000700000000000000") } })).toEqual([
    "qe-identity (attributes): qe-identity-mismatch",
  ]);
  expect(await refusals({ qe: { isvSvn: 1 } })).toEqual([
    "tcb-level (quoting enclave): tcb-unsupported",
    "tcb-status skipped",
  ]);
  expect(
    await refusals({ qe: { isvSvn: 4 }, qeIdentity: (right) => ({ ...right, tcbLevels: [level(5, "UpToDate")] }) }),
  ).toEqual(["tcb-level (quoting enclave): tcb-unsupported", "tcb-status skipped"]);
});

test("members that Intel adds within a version do not refuse", async () => {
  expect(await refusals({ tcbInfo: (right) => ({ ...right, more: { a: 1 } }) })).toEqual([]);
});

test("a text is current in its first and in its last second", async () => {
  const only = { issueDate: iso(NOW), nextUpdate: iso(NOW) };
  expect(
    await refusals({ tcbInfo: (right) => ({ ...right, ...only }), qeIdentity: (right) => ({ ...right, ...only }) }),
  ).toEqual([]);
});

test("an age and a number that the policy names are met exactly", async () => {
  const tcbInfo = (right: TcbInfoText): unknown => ({
    ...right,
    issueDate: iso(NOW - 30 * 86_400),
    tcbEvaluationDataNumber: 19,
  });
  expect(await refusals({ tcbInfo })).toEqual([]);
  expect(await refusals({}, policyWith({ minTcbEvaluationDataNumber: 18 }))).toEqual([]);
});
