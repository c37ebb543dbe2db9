/** RSA in certificates: the vendors' three algorithms and no other, and which chain may use which. */
import { X509Certificate } from "node:crypto";
import { describe, expect, test } from "vitest";
import { EncodingError } from "@blindbox/encoding";
import {
  ecdsaP384,
  parseCertificate,
  rememberSignatures,
  rsaPkcs1Sha256,
  rsaPkcs1Sha384,
  rsaPssSha384,
  verifyChain,
  verifyDerSignature,
  type Certificate,
  type SignatureAlgorithm,
} from "../src/x509/index.ts";
import { bitString, integer, name, oid, sequence } from "./der.ts";
import { pkcs1Keys, pkcs1Sha1, pkcs1Sha384, pssAlgorithm, pssKeys, rsaPair, sha256Id, sha384Id } from "./rsa.ts";
import { basicConstraints, caUsage, certificate, curveKeys, leafUsage, NOW, type Keys } from "./vendor.ts";

const pair = rsaPair();
const other = rsaPair();
const leafKeys = curveKeys("P-384");

const schemes: Readonly<Record<string, readonly [Keys, SignatureAlgorithm]>> = {
  "PSS, trailer left out": [pssKeys(pair), rsaPssSha384],
  "PSS, trailer written": [pssKeys(pair, pssAlgorithm({ trailer: 1 })), rsaPssSha384],
  "PKCS1 with SHA-256": [pkcs1Keys(pair), rsaPkcs1Sha256],
  "PKCS1 with SHA-384": [pkcs1Keys(pair, pkcs1Sha384, "sha384"), rsaPkcs1Sha384],
};

function issuedBy(keys: Keys, subjectKeys: Keys = leafKeys): Uint8Array {
  return certificate({ issuer: { subject: name("CA"), keys }, subject: name("Leaf"), keys: subjectKeys });
}

function selfSigned(keys: Keys): Certificate {
  const own = { subject: name("CA"), keys };
  const der = certificate({ ...own, issuer: own, extensions: [basicConstraints(true, 0), caUsage] });
  return parseCertificate(der, "root");
}

function verifies({ algorithm, signature, signed }: Certificate, issuer: Certificate): Promise<boolean> {
  return verifyDerSignature(algorithm, issuer.key, signature, signed);
}

describe.each(Object.entries(schemes))("%s", (_name, [keys, algorithm]) => {
  test("is read, and verified as node:crypto does", async () => {
    const der = issuedBy(keys);
    const leaf = parseCertificate(der, "leaf");
    expect(leaf.algorithm).toBe(algorithm);
    expect(await verifies(leaf, selfSigned(keys))).toBe(true);
    expect(await verifies(leaf, selfSigned(pssKeys(other)))).toBe(false);
    expect(new X509Certificate(der).verify(new X509Certificate(issuedBy(keys, keys)).publicKey)).toBe(true);
  });

  test("with any bit of the signature flipped, or another length, is a wrong signature", async () => {
    const leaf = parseCertificate(issuedBy(keys), "leaf");
    const issuer = selfSigned(keys);
    const { signature } = leaf;
    const flipped = [0, 1, 100, 255].map((at) => signature.with(at, (signature[at] ?? 0) ^ 1));
    const wrong = [...flipped, signature.subarray(1), new Uint8Array([0, ...signature]), new Uint8Array(256)];
    for (const each of wrong) expect(await verifies({ ...leaf, signature: each }, issuer)).toBe(false);
  });

  test("is refused in a chain whose vendor does not use it", async () => {
    const leaf = parseCertificate(
      certificate({
        issuer: { subject: name("CA"), keys },
        subject: name("Leaf"),
        keys: leafKeys,
        extensions: [leafUsage],
      }),
      "leaf",
    );
    const chain = {
      now: NOW,
      verifySignature: rememberSignatures(),
      knownExtensions: [],
      links: [{ name: "leaf", certificate: leaf, revocation: null }],
      root: selfSigned(keys),
    };
    const failed = async (algorithms: readonly SignatureAlgorithm[]): Promise<string[]> =>
      (await verifyChain({ ...chain, algorithms }))
        .filter(({ status }) => status !== "passed")
        .map(({ check }) => check);
    expect(await failed([algorithm])).toEqual([]);
    const others = [ecdsaP384, rsaPssSha384, rsaPkcs1Sha256, rsaPkcs1Sha384].filter((each) => each !== algorithm);
    expect(await failed(others)).toEqual(["certificate-signature"]);
  });
});

const unread: Readonly<Record<string, Keys>> = {
  "PSS with a salt of 47": pssKeys(pair, pssAlgorithm({ salt: 47 }), "sha384", 47),
  "PSS with SHA-256": pssKeys(pair, pssAlgorithm({ hash: sha256Id, maskHash: sha256Id, salt: 32 }), "sha256", 32),
  "PSS with MGF1 of another hash": pssKeys(pair, pssAlgorithm({ maskHash: sha256Id })),
  "PSS with another trailer": pssKeys(pair, pssAlgorithm({ trailer: 2 })),
  "PSS without parameters (SHA-1)": pssKeys(pair, sequence(oid("1.2.840.113549.1.1.10"), sequence())),
  "PSS whose hash has no NULL": pssKeys(pair, pssAlgorithm({ hash: sequence(oid("2.16.840.1.101.3.4.2.2")) })),
  "PKCS1 with SHA-1": pkcs1Keys(pair, pkcs1Sha1, "sha1"),
  "PKCS1 without NULL": pkcs1Keys(pair, sequence(oid("1.2.840.113549.1.1.11"))),
};

test.each(Object.entries(unread))("%s is refused", (_name, keys) => {
  expect(() => parseCertificate(issuedBy(keys), "leaf")).toThrow(EncodingError);
});

const untrue: Readonly<Record<string, Keys>> = {
  "another salt than named": pssKeys(pair, pssAlgorithm(), "sha384", 32),
  "another hash than named": pssKeys(pair, pssAlgorithm(), "sha256", 48),
  "PKCS1 in the place of PSS": pkcs1Keys(pair, pssAlgorithm(), "sha384"),
  "PSS in the place of PKCS1": pssKeys(pair, pkcs1Sha384),
  "SHA-1 in the place of SHA-256": pkcs1Keys(pair, undefined, "sha1"),
  "ECDSA by an RSA key's name": { ...pssKeys(pair), algorithm: leafKeys.algorithm },
};

test.each(Object.entries(untrue))("%s is a wrong signature", async (_name, keys) => {
  expect(await verifies(parseCertificate(issuedBy(keys), "leaf"), selfSigned(pssKeys(pair)))).toBe(false);
});

test("an EC key does not verify what names an RSA algorithm, nor the reverse", async () => {
  const leaf = parseCertificate(issuedBy(pssKeys(pair)), "leaf");
  expect(
    await verifyDerSignature(
      leaf.algorithm,
      parseCertificate(issuedBy(pssKeys(pair)), "x").key,
      leaf.signature,
      leaf.signed,
    ),
  ).toBe(false);
  const ec = parseCertificate(issuedBy(leafKeys), "leaf");
  expect(await verifies(ec, selfSigned(pssKeys(pair)))).toBe(false);
});

const rsaId = sequence(oid("1.2.840.113549.1.1.1"), Uint8Array.of(5, 0));
const modulus = (bits: number, last = "01"): string => `${"c".padEnd(bits / 4 - 2, "7")}${last}`;
const spki = (n: string, e: number, id = rsaId): Uint8Array =>
  sequence(id, bitString(sequence(integer(n), integer(e))));

const badKeys: Readonly<Record<string, Uint8Array>> = {
  "2040 bits": spki(modulus(2040), 65537),
  "2047 bits": spki(`4${modulus(2048).slice(1)}`, 65537),
  "4104 bits": spki(modulus(4104), 65537),
  "an even modulus": spki(modulus(2048, "02"), 65537),
  "the exponent 1": spki(modulus(2048), 1),
  "the exponent 3": spki(modulus(2048), 3),
  "the exponent 65536": spki(modulus(2048), 65536),
  "no NULL": spki(modulus(2048), 65537, sequence(oid("1.2.840.113549.1.1.1"))),
  "the PSS-only identifier": spki(modulus(2048), 65537, pssAlgorithm()),
  "a third integer": sequence(rsaId, bitString(sequence(integer(modulus(2048)), integer(65537), integer(1)))),
  "a modulus below zero": sequence(
    rsaId,
    bitString(
      sequence(Buffer.concat([Uint8Array.of(2, 0x82, 1, 0), Buffer.from(modulus(2048), "hex")]), integer(65537)),
    ),
  ),
  "bytes behind the key": sequence(
    rsaId,
    bitString(Buffer.concat([sequence(integer(modulus(2048)), integer(65537)), Uint8Array.of(0)])),
  ),
};

test.each(Object.entries(badKeys))("an RSA key with %s is refused", (_name, wrong) => {
  const keys = { ...leafKeys, spki: wrong };
  expect(() => parseCertificate(issuedBy(leafKeys, keys), "leaf")).toThrow(EncodingError);
});

test("RSA keys of 2048 and 4096 bits are read", () => {
  for (const bits of [2048, 3072, 4096]) {
    const { key } = parseCertificate(issuedBy(leafKeys, { ...leafKeys, spki: spki(modulus(bits), 65537) }), "leaf");
    expect(key).toMatchObject({ kind: "rsa" });
    expect(key.kind === "rsa" && key.modulus.length).toBe(bits / 8);
  }
  expect(sha384Id.length).toBe(15);
});
