/** Our strict reader of certificates and CRLs, against node:crypto and against every form that DER or RFC 5280 forbids. */
import { X509Certificate } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { derChildren, derRead, EncodingError, type DerElement } from "@blindbox/encoding";
import { parseCertificate, parseCrl, verifyDerSignature, type Certificate } from "../src/x509/index.ts";
import { bitString, boolean, element, explicit, integer, name, octetString, oid, sequence, time } from "./der.ts";
import {
  algorithmOf,
  basicConstraints,
  caUsage,
  certificate,
  crl,
  crlNumber,
  curveKeys,
  extension,
  keyUsage,
  leafUsage,
  NOW,
  revokedList,
  unknownCritical,
  unknownNotCritical,
  type CertificateSpec,
  type CrlSpec,
  type CurveName,
} from "./vendor.ts";

const keys = { "P-256": curveKeys("P-256"), "P-384": curveKeys("P-384") };
const issuer = { subject: name("Issuer"), keys: keys["P-384"] };
const subject = { subject: name("Subject"), keys: keys["P-384"] };

const minted = (change: Partial<CertificateSpec> = {}): Uint8Array => certificate({ issuer, ...subject, ...change });
const mintedCrl = (change: Partial<CrlSpec> = {}): Uint8Array => crl({ issuer, ...change });
const readCertificate = (der: Uint8Array): unknown => parseCertificate(der, "certificate");
const readCrl = (der: Uint8Array): unknown => parseCrl(der, "crl");

const nullParameters = sequence(oid("1.2.840.10045.4.3.3"), Uint8Array.of(5, 0));
const rsaWithSha1 = sequence(oid("1.2.840.113549.1.1.5"), Uint8Array.of(5, 0));
const withSpki = (spki: Uint8Array): Partial<CertificateSpec> => ({ keys: { ...keys["P-384"], spki } });
const point = keys["P-384"].spki.subarray(-97);
const ecKey = oid("1.2.840.10045.2.1");
const p384 = oid("1.3.132.0.34");

const badCertificates: Readonly<Record<string, Partial<CertificateSpec>>> = {
  "version 1, left out": { version: new Uint8Array() },
  "version 1, written": { version: explicit(0, integer(0)) },
  "version 2": { version: explicit(0, integer(1)) },
  "version 4": { version: explicit(0, integer(3)) },
  "no extensions": { extensions: [] },
  "an extension twice": { extensions: [leafUsage, leafUsage] },
  "a critical flag that says FALSE": {
    extensions: [sequence(oid("2.5.29.15"), boolean(false), octetString(Uint8Array.of(3, 2, 7, 128)))],
  },
  "basic constraints that say cA FALSE": {
    extensions: [extension("2.5.29.19", true, sequence(boolean(false)))],
  },
  "a path length without cA": { extensions: [basicConstraints(false, 1)] },
  "a path length below zero": {
    extensions: [extension("2.5.29.19", true, sequence(boolean(true), Uint8Array.of(2, 1, 0xff)))],
  },
  "bytes behind basic constraints": {
    extensions: [extension("2.5.29.19", true, Buffer.concat([sequence(boolean(true)), Buffer.of(0)]))],
  },
  "a key usage of no bit": { extensions: [extension("2.5.29.15", true, bitString(new Uint8Array()))] },
  "a key usage whose bits are all zero": {
    extensions: [extension("2.5.29.15", true, bitString(Uint8Array.of(0), 0))],
  },
  "a key usage whose unused bits are set": {
    extensions: [extension("2.5.29.15", true, bitString(Uint8Array.of(0x81), 7))],
  },
  "a key usage of three bytes": { extensions: [extension("2.5.29.15", true, bitString(Uint8Array.of(0, 0, 1)))] },
  "a key usage that is no bit string": { extensions: [extension("2.5.29.15", true, integer(1))] },
  "something behind the extensions": { behind: integer(1) },
  "a unique identifier": {
    extensions: [],
    behind: Buffer.concat([Buffer.of(0x82, 2, 0, 1), explicit(3, sequence(leafUsage))]),
  },
  "an algorithm with parameters": { innerAlgorithm: nullParameters, outerAlgorithm: nullParameters },
  "an algorithm that is not accepted": { innerAlgorithm: rsaWithSha1, outerAlgorithm: rsaWithSha1 },
  "another algorithm inside than outside": { outerAlgorithm: algorithmOf("P-256") },
  "a compressed point": withSpki(
    sequence(sequence(ecKey, p384), bitString(Uint8Array.of(2, ...point.subarray(1, 49)))),
  ),
  "a point of another length": withSpki(sequence(sequence(ecKey, p384), bitString(point.subarray(0, 96)))),
  "a point of another curve": withSpki(sequence(sequence(ecKey, p384), bitString(keys["P-256"].spki.subarray(-65)))),
  "a key on an unknown curve": withSpki(sequence(sequence(ecKey, oid("1.3.132.0.35")), bitString(point))),
  "a key of another kind": withSpki(sequence(sequence(oid("1.2.840.113549.1.1.1"), p384), bitString(point))),
  "a key with curve parameters written out": withSpki(
    sequence(sequence(ecKey, sequence(integer(1))), bitString(point)),
  ),
  "a key with something behind it": withSpki(sequence(sequence(ecKey, p384), bitString(point), integer(1))),
  "a name that is no sequence": { subject: integer(1) },
};

describe("a certificate is refused that has", () => {
  test.each(Object.entries(badCertificates))("%s", (_name, change) => {
    expect(() => readCertificate(minted(change))).toThrow(EncodingError);
  });

  test("more than 8 KiB", () => {
    const large = extension("1.3.6.1.4.1.99999.3", false, new Uint8Array(9000));
    expect(() => readCertificate(minted({ extensions: [large] }))).toThrow(/limit-exceeded/);
  });
});

test("a key usage that keeps a zero bit at its end says the same as without it", () => {
  for (const unused of [0, 1, 2]) {
    const usage = extension("2.5.29.15", true, bitString(Uint8Array.of(0x04), unused));
    const { keyUsage: read } = parseCertificate(minted({ extensions: [usage] }), "certificate");
    expect(read).toEqual({ digitalSignature: false, keyCertSign: true, crlSign: false });
  }
});

const badCrls: Readonly<Record<string, Partial<CrlSpec>>> = {
  "no version": { version: new Uint8Array() },
  "version 1": { version: integer(0) },
  "no next update": { nextUpdate: null },
  "extensions that are none": { extensions: [sequence()] },
  "a number twice": { extensions: [crlNumber(1), crlNumber(1)] },
  "a number below zero": { extensions: [extension("2.5.29.20", false, Uint8Array.of(2, 1, 0xff))] },
  "a number of twenty bytes": { extensions: [extension("2.5.29.20", false, integer("7f".repeat(20)))] },
  "an empty list of entries": { revoked: sequence() },
  "an entry that names another issuer": {
    revoked: sequence(sequence(integer(1), time(NOW), sequence(unknownCritical))),
  },
  "an entry without a date": { revoked: sequence(sequence(integer(1))) },
  "an entry with something behind it": {
    revoked: sequence(sequence(integer(1), time(NOW), sequence(unknownNotCritical), integer(1))),
  },
  "another algorithm inside than outside": { innerAlgorithm: algorithmOf("P-256") },
};

describe("a CRL is refused that has", () => {
  test.each(Object.entries(badCrls))("%s", (_name, change) => {
    expect(() => readCrl(mintedCrl(change))).toThrow(EncodingError);
  });
});

test("a CRL lists what is revoked, and its number", () => {
  const list = parseCrl(mintedCrl({ revoked: revokedList("00ff", "01", "40a1"), extensions: [crlNumber(300)] }), "crl");
  expect([...list.revoked]).toEqual(["ff", "01", "40a1"]);
  expect(list).toMatchObject({ number: 300, thisUpdate: NOW - 3600, nextUpdate: NOW + 3600 });
});

test("a CRL without a number is read, for its number to be refused where it is judged", () => {
  expect(parseCrl(mintedCrl({ extensions: [] }), "crl").number).toBeNull();
  expect(parseCrl(mintedCrl({ extensions: [unknownNotCritical] }), "crl").number).toBeNull();
});

/** The same DER with an INTEGER more at the end of one of its structures, for each of them. */
function grown(read: DerElement): Uint8Array[] {
  if ((read.tag & 0x20) === 0) return [];
  const children = derChildren(read);
  const parts = children.map(({ raw }) => raw);
  const inner = children.flatMap((child, at) => grown(child).map((more) => element(read.tag, ...parts.with(at, more))));
  return [element(read.tag, ...parts, integer(1)), ...inner];
}

test("an element more in any structure is refused", () => {
  // Names are opaque to us and compared byte by byte: here they are empty.
  const empty = { subject: sequence(), keys: keys["P-384"] };
  const der = certificate({ ...empty, issuer: empty, extensions: [basicConstraints(true, 1), caUsage] });
  const list = crl({ issuer: empty, revoked: revokedList("01") });
  const wrongOnes = grown(derRead(der)).filter((mutant) => !Buffer.from(mutant).includes(sequence(integer(1))));
  expect(wrongOnes).toHaveLength(12);
  for (const mutant of wrongOnes) expect(() => readCertificate(mutant)).toThrow(EncodingError);
  const wrongLists = grown(derRead(list)).filter((mutant) => !Buffer.from(mutant).includes(sequence(integer(1))));
  expect(wrongLists).toHaveLength(11);
  for (const mutant of wrongLists) expect(() => readCrl(mutant)).toThrow(EncodingError);
  expect(() => readCertificate(der)).not.toThrow();
  expect(() => readCrl(list)).not.toThrow();
});

const certificates = fc.record({
  serial: fc
    .uint8Array({ minLength: 1, maxLength: 20 })
    .map((bytes) => `7f${Buffer.from(bytes).toString("hex")}`.slice(0, 40)),
  notBefore: fc.integer({ min: 0, max: 2_600_000_000 }),
  life: fc.integer({ min: 0, max: 10_000_000_000 }),
  ca: fc.boolean(),
  pathLength: fc.option(fc.integer({ min: 0, max: 300 }), { nil: undefined }),
  usage: fc.option(fc.uniqueArray(fc.integer({ min: 0, max: 8 }), { minLength: 1 }), { nil: undefined }),
  issuerCurve: fc.constantFrom<CurveName>("P-256", "P-384"),
  subjectCurve: fc.constantFrom<CurveName>("P-256", "P-384"),
  commonName: fc.string({ minLength: 1, maxLength: 40 }),
});

test("node:crypto reads the same out of a certificate as we do", () => {
  fc.assert(
    fc.property(certificates, (made) => {
      const der = certificate({
        serial: made.serial,
        notBefore: made.notBefore,
        notAfter: made.notBefore + made.life,
        issuer: { subject: name("Issuer"), keys: keys[made.issuerCurve] },
        subject: name(made.commonName),
        keys: keys[made.subjectCurve],
        extensions: [
          basicConstraints(made.ca, made.ca ? made.pathLength : undefined),
          ...(made.usage === undefined ? [] : [keyUsage(...made.usage)]),
        ],
      });
      const ours = parseCertificate(der, "certificate");
      const theirs = new X509Certificate(der);
      expect(BigInt(`0x${Buffer.from(ours.serial).toString("hex")}`)).toBe(BigInt(`0x${theirs.serialNumber}`));
      expect(ours.notBefore).toBe(theirs.validFromDate.getTime() / 1000);
      expect(ours.notAfter).toBe(theirs.validToDate.getTime() / 1000);
      expect(actsAsCa(ours)).toBe(theirs.ca);
      expect(ours.basicConstraints.ca).toBe(made.ca);
      expect(ours.basicConstraints.pathLength).toBe(made.ca ? (made.pathLength ?? null) : null);
      expect(Buffer.from(ours.spki)).toEqual(theirs.publicKey.export({ type: "spki", format: "der" }));
      expect(ours.keyUsage).toEqual(
        made.usage === undefined
          ? null
          : {
              digitalSignature: made.usage.includes(0),
              keyCertSign: made.usage.includes(5),
              crlSign: made.usage.includes(6),
            },
      );
    }),
  );
});

/** What OpenSSL calls a CA: cA, and a key usage that does not forbid it. */
function actsAsCa({ basicConstraints, keyUsage }: Certificate): boolean {
  return basicConstraints.ca && (keyUsage === null || keyUsage.keyCertSign);
}

test("node:crypto and we agree on which key signed a certificate", async () => {
  for (const curve of ["P-256", "P-384"] as const) {
    const right = { subject: name("Issuer"), keys: keys[curve] };
    const other = { subject: name("Issuer"), keys: curveKeys(curve) };
    const der = certificate({ issuer: right, ...subject });
    const ours = parseCertificate(der, "certificate");
    const theirs = new X509Certificate(der);
    for (const signer of [right, other]) {
      const self = certificate({ ...signer, issuer: signer });
      const { key } = parseCertificate(self, "signer");
      const agreed = theirs.verify(new X509Certificate(self).publicKey);
      expect(await verifyDerSignature(ours.algorithm, key, ours.signature, ours.signed)).toBe(agreed);
      expect(agreed).toBe(signer === right);
    }
  }
});

test("whatever certificate we accept after a change, node:crypto accepts, and reads the same out of it", () => {
  const der = minted({ extensions: [basicConstraints(true, 1), caUsage] });
  // Names are opaque to us, compared byte by byte; OpenSSL reads their text.
  const names = [issuer.subject, subject.subject].map(
    (bytes) => [Buffer.from(der).indexOf(bytes), bytes.length] as const,
  );
  const inName = (at: number): boolean => names.some(([from, length]) => at >= from && at < from + length);
  const read = ["2.5.29.15", "2.5.29.19"];
  let accepted = 0;
  for (let at = 0; at < 8 * der.length; at += 1) {
    if (inName(at >> 3)) continue;
    const mutant = der.with(at >> 3, (der[at >> 3] ?? 0) ^ (1 << (at & 7)));
    const ours = accepts(() => parseCertificate(mutant, "certificate"));
    if (ours === null) continue;
    accepted += 1;
    const theirs = new X509Certificate(mutant);
    expect(BigInt(`0x${Buffer.from(ours.serial).toString("hex")}`)).toBe(BigInt(`0x${theirs.serialNumber}`));
    expect(ours.notAfter).toBe(theirs.validToDate.getTime() / 1000);
    // An extension that became another one is not read here; OpenSSL may know it, and find it malformed.
    if (ours.extensions.every(({ oid }) => read.includes(oid))) expect(actsAsCa(ours)).toBe(theirs.ca);
  }
  // Times, serial, key and signature have many well-formed values: only the signature tells those.
  expect(accepted).toBeGreaterThan(500);
});

function accepts<T>(parse: () => T): T | null {
  try {
    return parse();
  } catch (error) {
    expect(error).toBeInstanceOf(EncodingError);
    return null;
  }
}

test("any bytes at all are read or refused, never anything else", () => {
  const mutants = fc.tuple(
    fc.constantFrom(minted(), mintedCrl()),
    fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), mutants, (noise, [der, edits]) => {
      const bytes = edits.reduce((all, [at, byte]) => all.with(at % all.length, byte), der);
      for (const input of [noise, bytes]) {
        accepts(() => readCertificate(input));
        accepts(() => readCrl(input));
      }
    }),
    { numRuns: 500 },
  );
});
