/** Endorsements as a file: one text, read back strictly, and taken into a cache. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson, EncodingError, type JsonValue } from "@blindbox/encoding";
import {
  endorsementDates,
  EndorserError,
  formatEndorsementsDocument,
  memoryCache,
  parseEndorsementsDocument,
  type EndorsementSubject,
} from "@blindbox/attestation/endorsers";
import { base64url, NOW, pem } from "../vendor.ts";
import { endorserWith, fakeVendors, refusal, virtualTime } from "./surroundings.ts";
import {
  ark,
  asvk,
  chipId,
  DAY,
  ek,
  intelEndorsements,
  list,
  milan,
  milanEndorsements,
  milanVlek,
  none,
  platform,
  sgxRoot,
  tcbInfoText,
  vlek,
} from "./vendors.ts";

const vlekEndorsements = {
  ...milanEndorsements,
  ek: base64url(vlek),
  issuers: [base64url(asvk.der), base64url(ark.der)],
};

const kinds: readonly (readonly [string, EndorsementSubject, JsonValue])[] = [
  ["sev-snp", milan, milanEndorsements],
  ["sev-snp with a VLEK", milanVlek, vlekEndorsements],
  ["sev-snp with an endorsed utility VM", milan, { ...milanEndorsements, uvm: "0oQ" }],
  ["tdx", platform, intelEndorsements],
  ["nitro", { tee: "nitro" }, {}],
];

const right = { type: "blindbox-endorsements/1", subject: { ...milan }, endorsements: milanEndorsements };

function refusedText(value: JsonValue | string): unknown {
  try {
    return parseEndorsementsDocument(typeof value === "string" ? value : canonicalJson(value));
  } catch (error) {
    return error;
  }
}

describe("a document", () => {
  test.each(kinds)("of %s reads back as it was, from text and from bytes", (_name, subject, endorsements) => {
    const text = formatEndorsementsDocument(subject, endorsements);
    const document = parseEndorsementsDocument(text);
    expect(document).toEqual({ subject, endorsements });
    expect(parseEndorsementsDocument(new TextEncoder().encode(text))).toEqual(document);
    expect(formatEndorsementsDocument(document.subject, document.endorsements)).toBe(text);
  });

  test("has the dates of each certificate, list and text in it", () => {
    const amd = parseEndorsementsDocument(formatEndorsementsDocument(milan, milanEndorsements));
    expect(endorsementDates(amd)).toEqual([
      { name: "crls[0]", issued: NOW - DAY, expires: NOW + 300 * DAY, number: 7 },
      ...["ek", "issuers[0]", "issuers[1]"].map((name) => ({
        name,
        issued: NOW - 365 * DAY,
        expires: NOW + 365 * DAY,
        number: null,
      })),
    ]);
    const intel = parseEndorsementsDocument(formatEndorsementsDocument(platform, intelEndorsements));
    expect(endorsementDates(intel).map(({ name, number }) => [name, number])).toEqual([
      ["tcbInfo", 18],
      ["tcbInfoIssuerChain[0]", null],
      ["tcbInfoIssuerChain[1]", null],
      ["qeIdentity", 18],
      ["qeIdentityIssuerChain[0]", null],
      ["qeIdentityIssuerChain[1]", null],
      ["pckCrl", 7],
      ["pckCrlIssuerChain[0]", null],
      ["pckCrlIssuerChain[1]", null],
      ["rootCaCrl", 7],
    ]);
  });

  const [crl = ""] = milanEndorsements.crls;
  const withSubject = (change: object): JsonValue => ({ ...right, subject: { ...milan, ...change } });
  const withPart = (change: object): JsonValue => ({ ...right, endorsements: { ...milanEndorsements, ...change } });

  test.each<[string, JsonValue | string]>([
    ["another version", { ...right, type: "blindbox-endorsements/2" }],
    ["no type", { subject: right.subject, endorsements: right.endorsements }],
    ["one member more", { ...right, note: "x" }],
    ["no subject", { type: right.type, endorsements: right.endorsements }],
    ["no endorsements", { type: right.type, subject: right.subject }],
    ["a list", [right]],
    ["text behind it", `${canonicalJson(right)}\n`],
    ["white space in it", JSON.stringify(right, null, 1)],
    ["a TEE that is none", withSubject({ tee: "sgx" })],
    ["the simulator", { ...right, subject: { tee: "simulated" } }],
    ["a subject of one member more", withSubject({ more: 1 })],
    ["another product", withSubject({ product: "rome" })],
    ["a product in capitals", withSubject({ product: "Milan" })],
    ["a short chip id", withSubject({ chipId: "d4" })],
    ["a chip id in capitals", withSubject({ chipId: chipId.toUpperCase() })],
    ["a short TCB", withSubject({ reportedTcb: "03" })],
    ["another kind of key", withSubject({ key: "none" })],
    ["a VCEK as VLEK", withSubject({ key: "vlek" })],
    ["another chip's EK", withSubject({ chipId: "d5".repeat(64) })],
    ["another TCB's EK", withSubject({ reportedTcb: "0301000000000874" })],
    ["another product's chain", withSubject({ product: "genoa" })],
    [
      "Azure's virtual TPM, which has none of its own",
      { ...right, subject: { tee: "azure-vtpm", hardware: { ...milan } } },
    ],
    ["one member of the Endorsements more", withPart({ more: null })],
    ["no CRL", withPart({ crls: [] })],
    ["two CRLs", withPart({ crls: [crl, crl] })],
    ["a CRL that is none", withPart({ crls: ["AAAA"] })],
    ["no EK", withPart({ ek: null })],
    ["an EK in base64", withPart({ ek: Buffer.from(ek()).toString("base64") })],
    ["an EK in PEM", withPart({ ek: pem(ek()) })],
    ["no issuers", withPart({ issuers: [] })],
    ["issuers in the wrong order", withPart({ issuers: milanEndorsements.issuers.toReversed() })],
    ["an endorsement of the utility VM of no bytes", withPart({ uvm: "" })],
    ["an endorsement of the utility VM that is no text", withPart({ uvm: 1 })],
    ["SEV-SNP's parts for TDX", { ...right, subject: { ...platform } }],
    ["parts for Nitro", { ...right, subject: { tee: "nitro" } }],
    ["a number for a date", "1"],
    ["nothing", ""],
  ])("with %s is refused", (_name, value) => {
    expect(refusedText(value)).toBeInstanceOf(EncodingError);
  });

  test.each(Object.keys(intelEndorsements))("of TDX without %s, with another, or with none is refused", (member) => {
    const { [member as keyof typeof intelEndorsements]: _gone, ...others } = intelEndorsements;
    const subject = { ...platform };
    for (const wrong of [
      null,
      1,
      "",
      "<html>",
      [intelEndorsements.tcbInfo],
      tcbInfoText({ id: "SGX" }),
      pem(sgxRoot.der),
    ]) {
      const endorsements = { ...intelEndorsements, [member]: wrong };
      expect(refusedText({ type: right.type, subject, endorsements })).toBeInstanceOf(EncodingError);
    }
    expect(refusedText({ type: right.type, subject, endorsements: others })).toBeInstanceOf(EncodingError);
  });

  test("over 2 MiB is not read", () => {
    expect(refusedText(" ".repeat(2 * 1024 * 1024 + 1))).toMatchObject({ code: "limit-exceeded" });
  });

  test("that would not be read back is not written", () => {
    expect(() => formatEndorsementsDocument(milan, { ...milanEndorsements, ek: null })).toThrow(EncodingError);
    expect(() => formatEndorsementsDocument(platform, milanEndorsements)).toThrow(EncodingError);
  });
});

describe("whatever the file", () => {
  test("a reader ends in a document that writes the same text, or in an EncodingError", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.uint8Array()), (input) => {
        const result = readOrError(input);
        expect(result).toBeInstanceOf(EncodingError);
      }),
      { numRuns: 300 },
    );
  });

  test("and of a right one with a few bytes changed, dropped or repeated likewise", () => {
    const texts = kinds.map(([, subject, endorsements]) => formatEndorsementsDocument(subject, endorsements));
    const edits = fc.array(fc.record({ at: fc.nat(), drop: fc.nat(3), insert: fc.string({ maxLength: 3 }) }), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(fc.constantFrom(...texts), edits, (text, changes) => {
        const changed = changes.reduce((before, { at, drop, insert }) => {
          const place = at % (before.length + 1);
          return before.slice(0, place) + insert + before.slice(place + drop);
        }, text);
        const result = readOrError(changed);
        if (result instanceof EncodingError) return;
        expect(formatEndorsementsDocument(result.subject, result.endorsements)).toBe(changed);
      }),
      { numRuns: 300 },
    );
  });

  function readOrError(input: string | Uint8Array) {
    try {
      return parseEndorsementsDocument(input);
    } catch (error) {
      if (error instanceof EncodingError) return error;
      throw error;
    }
  }
});

describe("a document that is taken into a cache", () => {
  test.each(kinds.slice(0, 2))("answers for %s without a network", async (_name, subject, endorsements) => {
    const time = virtualTime();
    const vendors = fakeVendors({});
    const endorser = endorserWith(vendors, time);
    const given = subject === milanVlek ? { ek: vlek, uvm: null } : none;
    expect(await refusal(endorser.recall(subject, given))).toMatchObject({ code: "missing" });
    const document = parseEndorsementsDocument(formatEndorsementsDocument(subject, endorsements));
    expect(await endorser.keep(document)).toEqual(subject === milan ? ["ek", "issuers", "crls"] : ["issuers", "crls"]);
    expect((await endorser.recall(subject, given)).endorsements).toEqual(endorsements);
    expect((await time.pass(endorser.fetch(subject, given))).endorsements).toEqual(endorsements);
    expect(vendors.asked).toEqual([]);
  });

  test("answers for TDX", async () => {
    const endorser = endorserWith(fakeVendors({}), virtualTime());
    const document = parseEndorsementsDocument(formatEndorsementsDocument(platform, intelEndorsements));
    expect((await endorser.keep(document)).toSorted()).toEqual(Object.keys(intelEndorsements).toSorted());
    expect((await endorser.recall(platform, none)).endorsements).toEqual(intelEndorsements);
  });

  test("does not displace what was issued later, and what has expired is not taken", async () => {
    const time = virtualTime();
    const cache = memoryCache();
    const endorser = endorserWith(fakeVendors({}), time, { cache });
    const of = (thisUpdate: number, nextUpdate: number) => ({
      subject: milan,
      endorsements: { ...milanEndorsements, crls: [base64url(list(ark, { thisUpdate, nextUpdate }))] },
    });
    const newer = of(NOW - DAY, NOW + DAY);
    expect(await endorser.keep(newer)).toContain("crls");
    expect(await endorser.keep(of(NOW - 2 * DAY, NOW + 9 * DAY))).not.toContain("crls");
    expect((await endorser.recall(milan, none)).endorsements).toEqual(newer.endorsements);
    expect(await endorser.keep(of(NOW - 3600, NOW - 1))).not.toContain("crls");
    expect(await endorser.keep(of(NOW + 1, NOW + DAY))).not.toContain("crls");
    expect((await endorser.recall(milan, none)).endorsements).toEqual(newer.endorsements);
  });

  test("is not kept out by a later one that is not valid by this clock", async () => {
    const time = virtualTime();
    const endorser = endorserWith(fakeVendors({}), time);
    const of = (thisUpdate: number) => ({
      subject: milan,
      endorsements: { ...milanEndorsements, crls: [base64url(list(ark, { thisUpdate, nextUpdate: NOW + 30 * DAY }))] },
    });
    time.milliseconds += 9 * DAY * 1000;
    expect(await endorser.keep(of(NOW + 8 * DAY))).toContain("crls");
    time.milliseconds -= 9 * DAY * 1000;
    const current = of(NOW - DAY);
    expect(await endorser.keep(current)).toContain("crls");
    expect((await endorser.recall(milan, none)).endorsements).toEqual(current.endorsements);
  });

  test("compares its own day, and not that of the certificates beside it", async () => {
    const endorser = endorserWith(fakeVendors({}), virtualTime());
    const of = (issueDate: string) => ({
      subject: platform,
      endorsements: { ...intelEndorsements, tcbInfo: tcbInfoText({ issueDate }) },
    });
    expect(await endorser.keep(of("2025-12-31T00:00:00Z"))).toContain("tcbInfo");
    expect(await endorser.keep(of("2025-12-30T00:00:00Z"))).not.toContain("tcbInfo");
  });

  test("is read before it is taken, also where it was never a file", async () => {
    const endorser = endorserWith(fakeVendors({}), virtualTime());
    const wrong = { subject: milan, endorsements: { ...milanEndorsements, ek: "AAAA" } };
    expect(await refusal(endorser.keep(wrong))).toBeInstanceOf(EndorserError);
  });
});
