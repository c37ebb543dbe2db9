/** Answers that are not what was asked for: none of them becomes Endorsements, and none of them is kept. */
import { describe, expect, test } from "vitest";
import { memoryCache, type EndorsementSubject, type EndorserError } from "@blindbox/attestation/endorsers";
import { NOW, pem } from "../vendor.ts";
import { body, endorserWith, fakeVendors, refusal, virtualTime, type Answer } from "./surroundings.ts";
import {
  amdCrl,
  ark,
  arkGenoa,
  ask,
  askGenoa,
  asvk,
  chipId,
  DAY,
  ek,
  intelRoutes,
  intelUrls,
  list,
  milan,
  milanEndorsements,
  milanRoutes,
  milanUrls,
  milanVlek,
  none,
  pckCrl,
  pckCrlChain,
  platform,
  processorCa,
  qeIdentityText,
  rootCrl,
  sgxRoot,
  signingChain,
  strayAsk,
  tcbInfoText,
  thimAnswer,
  thimUrl,
  vcek,
  vlek,
} from "./vendors.ts";

const page = "<!DOCTYPE html><html><body>Please sign in to the network of this hotel</body></html>";

/** Refuses it once, then answers rightly: if the wrong answer had been kept, or a wrong part, it would show. */
async function refused(
  subject: EndorsementSubject,
  routes: Readonly<Record<string, readonly Answer[]>>,
  url: string,
  wrong: Answer,
): Promise<unknown> {
  const time = virtualTime();
  const right = routes[url]?.[0] ?? wrong;
  const vendors = fakeVendors({ ...routes, [url]: [wrong, right] });
  const kept: string[] = [];
  const memory = memoryCache();
  const cache = {
    ...memory,
    put: (key: string, part: Parameters<typeof memory.put>[1]) => {
      kept.push(key);
      return memory.put(key, part);
    },
  };
  const endorser = endorserWith(vendors, time, { cache });
  const error = await refusal(time.pass(endorser.fetch(subject, none)));
  expect(vendors.asked.filter((each) => each.url === url)).toHaveLength(1);
  expect(kept.filter((key) => key.startsWith(url))).toEqual([]);
  await time.pass(endorser.fetch(subject, none));
  return error;
}

describe("AMD's answers", () => {
  const swapped = { "3.1": 3, "3.2": 1, "3.3": 8, "3.8": 0x74 };
  const { ek: ekUrl, issuers: issuersUrl, crls: crlsUrl } = milanUrls;

  test.each<[string, string, Answer, string, string]>([
    ["a sign-in page for the VCEK", ekUrl, body(page), "malformed", "ek"],
    ["a sign-in page for the chain", issuersUrl, body(page), "malformed", "issuers"],
    ["a sign-in page for the CRL", crlsUrl, body(page), "malformed", "crls"],
    ["nothing for the VCEK", ekUrl, body(""), "malformed", "ek"],
    ["nothing for the chain", issuersUrl, body(""), "malformed", "issuers"],
    ["nothing for the CRL", crlsUrl, body(""), "malformed", "crls"],
    ["a VCEK in PEM", ekUrl, body(pem(vcek)), "malformed", "ek"],
    ["a VCEK with a byte behind it", ekUrl, body(Buffer.concat([vcek, Uint8Array.of(0)])), "malformed", "ek"],
    ["a VCEK cut short", ekUrl, body(vcek.subarray(0, -1)), "malformed", "ek"],
    ["a VCEK over the limit", ekUrl, body(new Uint8Array(8 * 1024 + 1)), "too-large", "ek"],
    ["a chain over the limit", issuersUrl, body(new Uint8Array(32 * 1024 + 1)), "too-large", "issuers"],
    ["a CRL over the limit", crlsUrl, body(new Uint8Array(512 * 1024 + 1)), "too-large", "crls"],
    ["the VCEK of another chip", ekUrl, body(ek({ hwid: "d5".repeat(64) })), "mismatch", "ek"],
    ["the VCEK of a chip of 8 bytes", ekUrl, body(ek({ hwid: "d4".repeat(8) })), "mismatch", "ek"],
    ["the VCEK of another TCB", ekUrl, body(ek({ spl: swapped })), "mismatch", "ek"],
    ["a VCEK that does not name its TCB", ekUrl, body(ek({ spl: {} })), "malformed", "ek"],
    ["a VCEK of another product", ekUrl, body(ek({ issuer: askGenoa })), "mismatch", "ek"],
    ["a VCEK under a VLEK's issuer", ekUrl, body(ek({ issuer: asvk })), "mismatch", "ek"],
    ["a certificate of a CA for the VCEK", ekUrl, body(ask.der), "malformed", "ek"],
    ["a chain of one", issuersUrl, body(pem(ask.der)), "malformed", "issuers"],
    ["a chain of three", issuersUrl, body(pem(ask.der) + pem(ask.der) + pem(ark.der)), "malformed", "issuers"],
    ["a chain in the wrong order", issuersUrl, body(pem(ark.der) + pem(ask.der)), "mismatch", "issuers[0]"],
    ["a chain of VLEKs for a VCEK", issuersUrl, body(pem(asvk.der) + pem(ark.der)), "mismatch", "issuers[0]"],
    ["a chain of another product", issuersUrl, body(pem(askGenoa.der) + pem(arkGenoa.der)), "mismatch", "issuers[0]"],
    ["a chain of two products", issuersUrl, body(pem(ask.der) + pem(arkGenoa.der)), "mismatch", "issuers[1]"],
    ["a chain whose links do not meet", issuersUrl, body(pem(strayAsk.der) + pem(ark.der)), "mismatch", "issuers"],
    ["a chain with text around it", issuersUrl, body(`x\n${pem(ask.der)}${pem(ark.der)}`), "malformed", "issuers"],
    ["a CRL of another product", crlsUrl, body(list(arkGenoa)), "mismatch", "crls[0]"],
    ["a certificate for the CRL", crlsUrl, body(vcek), "malformed", "crls"],
  ])("%s", async (_name, url, wrong, code, field) => {
    const error = await refused(milan, milanRoutes, url, wrong);
    expect(error).toMatchObject({ name: "EndorserError", code, field });
    expect(String(error)).not.toContain("hotel");
  });

  test("a body without end is given up at the limit, and its sender told", async () => {
    let sent = 0;
    let isTold = false;
    const endless: Answer = () =>
      new Response(
        new ReadableStream({
          pull: (out) => {
            sent += 4096;
            out.enqueue(new Uint8Array(4096));
          },
          cancel: () => {
            isTold = true;
          },
        }),
      );
    expect(await refused(milan, milanRoutes, milanUrls.ek, endless)).toMatchObject({ code: "too-large" });
    expect(isTold).toBe(true);
    expect(sent).toBeLessThanOrEqual(16 * 1024);
  });
});

describe("what the caller gives", () => {
  const time = virtualTime();
  const endorser = endorserWith(fakeVendors(milanRoutes), time);

  test("a VLEK comes from the caller, its chain and CRL from KDS", async () => {
    const { endorsements } = await time.pass(endorser.fetch(milanVlek, { ek: vlek, uvm: null }));
    expect(endorsements).toEqual({
      ...milanEndorsements,
      ek: Buffer.from(vlek).toString("base64url"),
      issuers: [asvk.der, ark.der].map((der) => Buffer.from(der).toString("base64url")),
    });
  });

  test("without it nobody is asked, and the error says where it is to be had", async () => {
    const vendors = fakeVendors(milanRoutes);
    const error = await refusal(endorserWith(vendors, virtualTime()).fetch(milanVlek, none));
    expect(error).toMatchObject({ code: "missing", field: "ek", hint: expect.stringContaining("certificate table") });
    expect(vendors.asked).toEqual([]);
  });

  test.each([
    ["a VCEK as VLEK", milanVlek, vcek, "mismatch"],
    ["a VLEK as VCEK", milan, vlek, "mismatch"],
    ["another chip's VCEK", milan, ek({ hwid: "d5".repeat(64) }), "mismatch"],
    [
      "a VLEK of another TCB",
      milanVlek,
      ek({ hwid: null, issuer: asvk, spl: { "3.1": 4, "3.2": 1, "3.3": 8, "3.8": 0x73 } }),
      "mismatch",
    ],
    ["a VLEK with a hardware id", milanVlek, ek({ hwid: chipId, issuer: asvk }), "mismatch"],
    ["no certificate", milan, Buffer.from(page), "malformed"],
  ] as const)("%s is refused", async (_name, subject, given, code) => {
    expect(await refusal(endorser.fetch(subject, { ek: given, uvm: null }))).toMatchObject({ code, field: "ek" });
  });

  test("a given VCEK spares the request, and a given endorsement of the utility VM goes along", async () => {
    const vendors = fakeVendors(milanRoutes);
    const own = virtualTime();
    const given = { ek: vcek, uvm: Uint8Array.of(0xd2, 0x84) };
    const { endorsements, dated } = await own.pass(endorserWith(vendors, own).fetch(milan, given));
    expect(endorsements).toEqual({ ...milanEndorsements, uvm: "0oQ" });
    expect(dated.map(({ name }) => name)).toEqual(["ek", "issuers[0]", "issuers[1]", "crls[0]"]);
    expect(dated[0]).toMatchObject({ issued: NOW - 365 * DAY, expires: NOW + 365 * DAY });
    expect(vendors.asked.map(({ url }) => url)).not.toContain(milanUrls.ek);
  });
});

describe("Azure's answers", () => {
  const routes = { ...milanRoutes, [thimUrl]: [thimAnswer()] };

  test("hold VCEK and chain in one; the request says Metadata: true", async () => {
    const time = virtualTime();
    const vendors = fakeVendors(routes);
    const endorser = endorserWith(vendors, time, { amdSource: "thim" });
    const { endorsements } = await time.pass(endorser.fetch(milan, none));
    expect(endorsements).toEqual(milanEndorsements);
    expect(vendors.asked.map(({ url }) => url).sort()).toEqual([thimUrl, thimUrl, milanUrls.crls]);
    expect(vendors.asked.find(({ url }) => url === thimUrl)?.init.headers).toEqual({ Metadata: "true" });
  });

  test.each<[string, Answer, string]>([
    ["a sign-in page", body(page), "malformed"],
    ["a list", body("[]"), "malformed"],
    ["no JSON of UTF-8", body(Uint8Array.of(0x22, 0xff, 0x22)), "malformed"],
    ["certificates of another TCB", thimAnswer({ tcbm: "DB18000000000004" }), "mismatch"],
    ["a TCB in the report's order", thimAnswer({ tcbm: "0301000000000873" }), "mismatch"],
    ["no TCB", thimAnswer({ tcbm: undefined }), "malformed"],
    ["no VCEK", thimAnswer({ vcekCert: "" }), "malformed"],
    ["two VCEKs", thimAnswer({ vcekCert: pem(vcek) + pem(vcek) }), "malformed"],
    ["another machine's VCEK", thimAnswer({ vcekCert: pem(ek({ hwid: "d5".repeat(64) })) }), "mismatch"],
    ["no chain", thimAnswer({ certificateChain: null }), "malformed"],
    ["another product's chain", thimAnswer({ certificateChain: pem(askGenoa.der) + pem(arkGenoa.der) }), "mismatch"],
    ["too much", body(new Uint8Array(64 * 1024 + 1)), "too-large"],
  ])("%s", async (_name, wrong, code) => {
    const time = virtualTime();
    const vendors = fakeVendors({ ...milanRoutes, [thimUrl]: [wrong, wrong, thimAnswer()] });
    const endorser = endorserWith(vendors, time, { amdSource: "thim" });
    const error = await refusal(time.pass(endorser.fetch(milan, none)));
    expect(error).toMatchObject({ name: "EndorserError", code });
    expect(String(error)).not.toContain("hotel");
    const { missing } = error as EndorserError;
    expect(await refusal(endorser.recall(milan, none))).toMatchObject({ code: "missing", missing });
    expect((await time.pass(endorser.fetch(milan, none))).endorsements).toEqual(milanEndorsements);
  });
});

describe("Intel's answers", () => {
  const signing = { "TCB-Info-Issuer-Chain": encodeURIComponent(signingChain) };
  const qeSigning = { "SGX-Enclave-Identity-Issuer-Chain": encodeURIComponent(signingChain) };
  const crlSigning = { "SGX-PCK-CRL-Issuer-Chain": encodeURIComponent(pckCrlChain) };
  const text = tcbInfoText();

  test.each<[string, keyof typeof intelUrls, Answer, string, string]>([
    ["a sign-in page for the TCB info", "tcbInfo", body(page, signing), "malformed", "tcbInfo"],
    ["a sign-in page for the QE identity", "qeIdentity", body(page, qeSigning), "malformed", "qeIdentity"],
    ["a sign-in page for the PCK CRL", "pckCrl", body(page, crlSigning), "malformed", "pckCrl"],
    ["a sign-in page for the root CRL", "rootCaCrl", body(page), "malformed", "rootCaCrl"],
    ["TCB info without its header", "tcbInfo", body(text), "malformed", "tcbInfo"],
    [
      "TCB info with the header of version 3",
      "tcbInfo",
      body(text, { "SGX-TCB-Info-Issuer-Chain": encodeURIComponent(signingChain) }),
      "malformed",
      "tcbInfo",
    ],
    [
      "a chain in form encoding",
      "tcbInfo",
      body(text, { "TCB-Info-Issuer-Chain": encodeURIComponent(signingChain).replaceAll("%20", "+") }),
      "malformed",
      "tcbInfo",
    ],
    ["a chain with half an escape", "tcbInfo", body(text, { "TCB-Info-Issuer-Chain": "%4" }), "malformed", "tcbInfo"],
    [
      "a chain twice",
      "tcbInfo",
      () => {
        const answer = new Response(text, { headers: signing });
        answer.headers.append("TCB-Info-Issuer-Chain", encodeURIComponent(signingChain));
        return answer;
      },
      "malformed",
      "tcbInfo",
    ],
    [
      "a chain of one",
      "tcbInfo",
      body(text, { "TCB-Info-Issuer-Chain": encodeURIComponent(pem(sgxRoot.der)) }),
      "malformed",
      "tcbInfo",
    ],
    [
      "a chain over the limit",
      "tcbInfo",
      body(text, { "TCB-Info-Issuer-Chain": encodeURIComponent(signingChain + "\n".repeat(6000)) }),
      "malformed",
      "tcbInfo",
    ],
    [
      "TCB info of another platform",
      "tcbInfo",
      body(tcbInfoText({ fmspc: "90c06f000000" }), signing),
      "mismatch",
      "tcbInfo",
    ],
    [
      "TCB info that names no platform",
      "tcbInfo",
      body(tcbInfoText({ fmspc: undefined }), signing),
      "mismatch",
      "tcbInfo",
    ],
    ["TCB info of SGX", "tcbInfo", body(tcbInfoText({ id: "SGX" }), signing), "mismatch", "tcbInfo"],
    ["TCB info of version 2", "tcbInfo", body(tcbInfoText({ version: 2 }), signing), "mismatch", "tcbInfo"],
    [
      "TCB info without a date",
      "tcbInfo",
      body(tcbInfoText({ nextUpdate: undefined }), signing),
      "malformed",
      "tcbInfo",
    ],
    [
      "TCB info with a date in words",
      "tcbInfo",
      body(tcbInfoText({ nextUpdate: "tomorrow" }), signing),
      "malformed",
      "tcbInfo",
    ],
    [
      "TCB info without a number",
      "tcbInfo",
      body(tcbInfoText({ tcbEvaluationDataNumber: "18" }), signing),
      "malformed",
      "tcbInfo",
    ],
    [
      "TCB info with a member beside it",
      "tcbInfo",
      body(text.replace("}", ',"x":1}').replace(/"signature"/, '"more":1,"signature"'), signing),
      "malformed",
      "tcbInfo",
    ],
    [
      "TCB info until the 30th of February",
      "tcbInfo",
      body(tcbInfoText({ nextUpdate: "2027-02-30T00:00:00Z" }), signing),
      "malformed",
      "tcbInfo",
    ],
    [
      "TCB info with a member twice",
      "tcbInfo",
      body(text.replace('"version":3', '"version":3,"version":3'), signing),
      "malformed",
      "tcbInfo",
    ],
    ["TCB info with half a signature", "tcbInfo", body(text.replace("abab", ""), signing), "malformed", "tcbInfo"],
    [
      "TCB info that is no UTF-8",
      "tcbInfo",
      body(Buffer.concat([Buffer.from(text), Uint8Array.of(0xff)]), signing),
      "malformed",
      "tcbInfo",
    ],
    ["TCB info over the limit", "tcbInfo", body(text.padEnd(256 * 1024 + 1), signing), "too-large", "tcbInfo"],
    ["the QE identity of SGX", "qeIdentity", body(qeIdentityText({ id: "QE" }), qeSigning), "mismatch", "qeIdentity"],
    ["TCB info for the QE identity", "qeIdentity", body(text, qeSigning), "malformed", "qeIdentity"],
    ["the CRL of the other CA", "pckCrl", body(list(processorCa), crlSigning), "mismatch", "pckCrl"],
    ["the root's CRL for the PCK CRL", "pckCrl", body(rootCrl, crlSigning), "mismatch", "pckCrl"],
    [
      "a CRL with another's chain",
      "pckCrl",
      body(pckCrl, { "SGX-PCK-CRL-Issuer-Chain": encodeURIComponent(signingChain) }),
      "mismatch",
      "pckCrlIssuerChain",
    ],
    ["a CRL in PEM", "pckCrl", body(pem(pckCrl), crlSigning), "malformed", "pckCrl"],
    ["another CRL for the root's", "rootCaCrl", body(pckCrl), "mismatch", "rootCaCrl"],
  ])("%s", async (_name, member, wrong, code, field) => {
    expect(await refused(platform, intelRoutes, intelUrls[member], wrong)).toMatchObject({ code, field });
  });

  test("another list than the one that was asked for by number is refused", async () => {
    const numbered = Object.fromEntries(
      Object.entries(intelRoutes).map(([url, answers]) => {
        if (!url.includes("/tdx/")) return [url, answers];
        return [`${url}${url.includes("?") ? "&" : "?"}tcbEvaluationDataNumber=19`, answers];
      }),
    );
    const time = virtualTime();
    const endorser = endorserWith(fakeVendors(numbered), time, { intelUpdate: 19 });
    expect(await refusal(time.pass(endorser.fetch(platform, none)))).toMatchObject({
      code: "mismatch",
      field: "tcbInfo",
      expected: "tcbEvaluationDataNumber 19",
      actual: "18",
      missing: ["tcbInfo", "tcbInfoIssuerChain", "qeIdentity", "qeIdentityIssuerChain"],
    });
  });
});

test("the CRL that these tests take for right is right", async () => {
  const time = virtualTime();
  const endorser = endorserWith(fakeVendors({ ...milanRoutes, [milanUrls.crls]: [body(amdCrl)] }), time);
  expect((await time.pass(endorser.fetch(milan, none))).endorsements).toEqual(milanEndorsements);
});
