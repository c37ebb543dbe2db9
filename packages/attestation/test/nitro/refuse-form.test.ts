/** One thing wrong with the form of a document, signed all the same: it is refused before anything is verified. */
import { describe, expect, test } from "vitest";
import { refusals } from "./appraise.ts";
import {
  array,
  byteString,
  head,
  indefiniteBytes,
  map,
  negative,
  NULL,
  tagged,
  text,
  unsigned,
  type Entry,
} from "../cbor-bytes.ts";
import { envelope, ES384_HEADER, PCRS, pcrsWith, type AwsChange, type CoseParts } from "./vendor.ts";
import { p384 } from "../scalars.ts";

type Table = Readonly<Record<string, AwsChange>>;

function refused(code: string, changes: Table): void {
  test.each(Object.entries(changes))("%s", async (_name, change) => {
    expect(await refusals(change)).toEqual([`parse: ${code}`]);
  });
}

const wrapped = (change: (parts: CoseParts) => Uint8Array): AwsChange => ({ envelope: change });
const part = (change: Partial<CoseParts>): AwsChange => wrapped((parts) => envelope({ ...parts, ...change }));
const bytes = (length: number): Uint8Array => new Uint8Array(length).fill(1);

/** The member of that name replaced, or left out. */
function member(name: string, value: Uint8Array | null): AwsChange {
  const key = Buffer.from(text(name));
  const replaced = (entry: Entry): readonly Entry[] =>
    !key.equals(entry[0]) ? [entry] : value === null ? [] : [[entry[0], value]];
  return { members: (members) => members.flatMap(replaced) };
}

describe("COSE with another algorithm", () => {
  const header = (...entries: readonly Entry[]): AwsChange => ({ header: map(entries) });
  refused("unsupported-algorithm", {
    "ES256 (-7)": header([unsigned(1), negative(-7)]),
    "ES512 (-36)": header([unsigned(1), negative(-36)]),
    "PS256 (-37)": header([unsigned(1), negative(-37)]),
    "PS384 (-38)": header([unsigned(1), negative(-38)]),
    "none (0)": header([unsigned(1), unsigned(0)]),
    "35": header([unsigned(1), unsigned(35)]),
    "as a text": header([unsigned(1), text("ES384")]),
    "as the number in a text": header([unsigned(1), text("-35")]),
    "as null": header([unsigned(1), NULL]),
    "as bytes": header([unsigned(1), byteString(Uint8Array.of(34))]),
    "in a list": header([unsigned(1), array(negative(-35))]),
    'under the key "1"': header([text("1"), negative(-35)]),
    "under no key": header(),
    "in the unprotected header only": { ...header(), ...part({ unprotected: map([[unsigned(1), negative(-35)]]) }) },
  });
});

describe("COSE in another form", () => {
  refused("bad-encoding", {
    "two algorithms": {
      header: map([
        [unsigned(1), negative(-35)],
        [unsigned(1), negative(-35)],
      ]),
    },
    "two algorithms, the wrong one first": {
      header: map([
        [unsigned(1), negative(-7)],
        [unsigned(1), negative(-35)],
      ]),
    },
    "a parameter beside the algorithm": {
      header: map([
        [unsigned(1), negative(-35)],
        [unsigned(4), byteString(bytes(2))],
      ]),
    },
    "a critical parameter": {
      header: map([
        [unsigned(1), negative(-35)],
        [unsigned(2), array(unsigned(4))],
      ]),
    },
    "a header with a longer integer": { header: Buffer.from("a101390022", "hex") },
    "a header with a longer key": { header: Buffer.from("a118013822", "hex") },
    "a header with a longer map": { header: Buffer.from("b801013822", "hex") },
    "a header of indefinite length": { header: Buffer.from("bf013822ff", "hex") },
    "an empty header": { header: new Uint8Array(), ...part({ protected: byteString(bytes(0)) }) },
    "a header that is no map": { header: Buffer.from("82013822", "hex") },
    "a header in the place of its bytes": part({ protected: ES384_HEADER }),
    "a tag in the header": { header: Buffer.from("a101d23822", "hex") },
    "an unprotected header that is not empty": part({ unprotected: map([[unsigned(4), byteString(bytes(1))]]) }),
    "an unprotected header that is bytes": part({ unprotected: byteString(bytes(0)) }),
    "an unprotected header that is null": part({ unprotected: NULL }),
    "a payload that is null": part({ payload: NULL }),
    "a payload that is empty": part({ payload: byteString(new Uint8Array()) }),
    "a payload that is text": part({ payload: text("document") }),
    "a payload in chunks": wrapped((parts) =>
      envelope({ ...parts, payload: indefiniteBytes(parts.payload.subarray(3)) }),
    ),
    "a signature of 95 bytes": { signature: (signature) => signature.subarray(1) },
    "a signature of 97 bytes": { signature: (signature) => Buffer.concat([Uint8Array.of(0), signature]) },
    "no signature": { signature: () => new Uint8Array() },
    "a signature in DER": { signature: (signature) => p384.der(signature) },
    "a signature that is null": part({ signature: NULL }),
    "three parts": wrapped((parts) => array(parts.protected, parts.unprotected, parts.payload)),
    "five parts": wrapped((parts) => array(...items(parts), byteString(bytes(1)))),
    "no parts": wrapped(() => array()),
    "headers swapped": wrapped((parts) => array(parts.unprotected, parts.protected, parts.payload, parts.signature)),
    "payload and signature swapped": wrapped((parts) =>
      array(parts.protected, parts.unprotected, parts.signature, parts.payload),
    ),
    "parts of indefinite length": wrapped((parts) =>
      Buffer.concat([Uint8Array.of(0x9f), ...items(parts), Uint8Array.of(0xff)]),
    ),
    "parts in a map": wrapped((parts) => map(items(parts).map((item, at) => [unsigned(at), item]))),
    "the tag of COSE_Mac0": wrapped((parts) => tagged(17, envelope(parts))),
    "the tag of COSE_Sign": wrapped((parts) => tagged(98, envelope(parts))),
    "the tag of a CWT": wrapped((parts) => tagged(61, tagged(18, envelope(parts)))),
    "its tag twice": wrapped((parts) => tagged(18, tagged(18, envelope(parts)))),
    "its tag in a longer form": wrapped((parts) => Buffer.concat([Buffer.from("d812", "hex"), envelope(parts)])),
    "bytes around it": wrapped((parts) => byteString(envelope(parts))),
    "base64url of it in JSON": wrapped((parts) =>
      Buffer.from(JSON.stringify({ document: Buffer.from(envelope(parts)).toString("base64url") })),
    ),
  });
  refused("trailing-bytes", {
    "base64url of it": wrapped((parts) => Buffer.from(Buffer.from(envelope(parts)).toString("base64url"))),
    "a byte behind it": wrapped((parts) => Buffer.concat([envelope(parts), Uint8Array.of(0)])),
    "a second message behind it": wrapped((parts) => Buffer.concat([envelope(parts), envelope(parts)])),
    "a byte behind the header's map": { header: Buffer.concat([ES384_HEADER, Uint8Array.of(0)]) },
    "a byte behind the document's map": { payload: (payload) => Buffer.concat([payload, Uint8Array.of(0)]) },
    "a break behind the document's map": { payload: (payload) => Buffer.concat([payload, Uint8Array.of(0xff)]) },
  });
  refused("truncated", {
    "a map without its break": { payload: (payload) => payload.subarray(0, -1) },
    nothing: wrapped(() => new Uint8Array()),
  });
});

function items(parts: CoseParts): readonly Uint8Array[] {
  return [parts.protected, parts.unprotected, parts.payload, parts.signature];
}

describe("a document with another digest", () => {
  refused("unsupported-algorithm", {
    SHA256: { digest: "SHA256" },
    SHA512: { digest: "SHA512" },
    "in small letters": { digest: "sha384" },
    "with a space": { digest: "SHA384 " },
  });
});

describe("a document without its chain", () => {
  refused("missing-endorsement", {
    "no certificate": member("certificate", null),
    "no bundle": member("cabundle", null),
    "an empty bundle": { cabundle: () => [] },
  });
});

describe("a document with another chain", () => {
  refused("bad-certificate", {
    "a certificate that is cut": { certificate: (der) => der.subarray(0, -1) },
    "a certificate with a byte behind it": { certificate: (der) => Buffer.concat([der, Uint8Array.of(0)]) },
    "a certificate that is none": { certificate: () => bytes(100) },
    "an issuer that is none": { cabundle: (bundle) => bundle.with(2, bytes(100)) },
    "an issuer that is cut": { cabundle: (bundle) => bundle.map((der, at) => (at === 1 ? der.subarray(0, -1) : der)) },
    "a root that is none": { cabundle: (bundle) => bundle.with(0, bytes(100)) },
  });
  refused("bad-chain", {
    "the root twice": { cabundle: ([root, ...rest]) => [...(root === undefined ? [] : [root, root]), ...rest] },
    "an issuer twice": { cabundle: (bundle) => bundle.flatMap((der, at) => (at === 2 ? [der, der] : [der])) },
    "the enclave's certificate in its own bundle": { cabundle: (bundle) => bundle, members: repeatedLeaf },
  });
});

function repeatedLeaf(members: readonly Entry[]): readonly Entry[] {
  const leaf = members.find(([key]) => Buffer.from(text("certificate")).equals(key))?.[1] ?? NULL;
  const isBundle = ([key]: Entry): boolean => Buffer.from(text("cabundle")).equals(key);
  const added = (value: Uint8Array): Uint8Array => Buffer.concat([head(4, 5), value.subarray(1), leaf]);
  return members.map((entry) => (isBundle(entry) ? [entry[0], added(entry[1])] : entry));
}

describe("a document with another member", () => {
  refused("bad-encoding", {
    "no module id": member("module_id", null),
    "an empty module id": { moduleId: "" },
    "a module id with a control character": { moduleId: "i-0\u001b[2J" },
    "a module id with a space": { moduleId: "i-0 enc" },
    "a module id beyond ASCII": { moduleId: "i-0é" },
    "a module id of 129 characters": { moduleId: "i".repeat(129) },
    "a module id that is bytes": member("module_id", byteString(bytes(8))),
    "no digest": member("digest", null),
    "a digest that is bytes": member("digest", byteString(Buffer.from("SHA384"))),
    "no timestamp": member("timestamp", null),
    "a timestamp of zero": { timestamp: 0 },
    "a timestamp below zero": member("timestamp", negative(-1)),
    "a timestamp as text": member("timestamp", text("1800000000000")),
    "a timestamp beyond the year 9999": { timestamp: 253_402_300_800_000 },
    "no PCRs": member("pcrs", null),
    "an empty map of PCRs": { pcrs: new Map() },
    "a list of PCRs": member("pcrs", array(...[...PCRS.values()].map(byteString))),
    "no PCR0": { pcrs: without(0) },
    "no PCR1": { pcrs: without(1) },
    "no PCR2": { pcrs: without(2) },
    "a PCR of 47 bytes": { pcrs: pcrsWith({ 3: bytes(47) }) },
    "a PCR of 31 bytes": { pcrs: pcrsWith({ 3: bytes(31) }) },
    "a PCR of 32 bytes": { pcrs: pcrsWith({ 0: bytes(32) }) },
    "a PCR of 64 bytes": { pcrs: pcrsWith({ 0: bytes(64) }) },
    "an empty PCR": { pcrs: pcrsWith({ 5: bytes(0) }) },
    "a PCR that is text": member(
      "pcrs",
      map([...PCRS].map(([at, pcr]) => [unsigned(at), at === 0 ? text("0") : byteString(pcr)])),
    ),
    "a PCR that is null": member(
      "pcrs",
      map([...PCRS].map(([at, pcr]) => [unsigned(at), at === 2 ? NULL : byteString(pcr)])),
    ),
    "PCR 32": { pcrs: pcrsWith({ 32: bytes(48) }) },
    "PCR -1": member(
      "pcrs",
      map([...PCRS].map(([at, pcr]) => [at === 15 ? negative(-1) : unsigned(at), byteString(pcr)])),
    ),
    "a PCR under a text": member(
      "pcrs",
      map([...PCRS].map(([at, pcr]) => [at === 0 ? text("0") : unsigned(at), byteString(pcr)])),
    ),
    "PCR0 twice": member(
      "pcrs",
      map([...PCRS, ...PCRS].slice(0, 17).map(([at, pcr]) => [unsigned(at), byteString(pcr)])),
    ),
    "an empty certificate": { certificate: () => new Uint8Array() },
    "a certificate of 1025 bytes": { certificate: () => bytes(1025) },
    "a certificate that is null": member("certificate", NULL),
    "a certificate in chunks": { members: inChunks("certificate") },
    "an empty issuer": { cabundle: (bundle) => bundle.with(1, new Uint8Array()) },
    "an issuer of 1025 bytes": { cabundle: (bundle) => bundle.with(1, bytes(1025)) },
    "nine issuers": { cabundle: (bundle) => [...bundle, ...bundle, ...bundle].slice(0, 9) },
    "a bundle that is one certificate": member("cabundle", byteString(bytes(8))),
    "a bundle that is null": member("cabundle", NULL),
    "an empty public key": { publicKey: new Uint8Array() },
    "a public key of 1025 bytes": { publicKey: bytes(1025) },
    "a public key that is text": member("public_key", text("key")),
    "user data of 1025 bytes": { userData: bytes(1025) },
    "user data that is text": member("user_data", text("binding")),
    "user data in chunks": { members: inChunks("user_data") },
    "user data that is undefined": member("user_data", Uint8Array.of(0xf7)),
    "a nonce of 1025 bytes": { nonce: bytes(1025) },
    "a nonce that is a number": member("nonce", unsigned(1)),
    "an unknown member": { members: (members) => [...members, [text("nitrotpm_pcrs"), NULL]] },
    "a member with a number for its name": { members: (members) => [...members, [unsigned(1), NULL]] },
    "a float": member("nonce", Buffer.from("f93c00", "hex")),
    "a list in the place of the map": { payload: () => array(unsigned(1)) },
  });
  test.each([0, 1, 2, 3, 4, 5, 6, 7, 8])("member %i twice", async (at) => {
    const twice: AwsChange["members"] = (members) => [...members, ...members.slice(at, at + 1)];
    expect(await refusals({ members: twice })).toEqual(["parse: bad-encoding"]);
    expect(await refusals({ members: twice, definite: true })).toEqual(["parse: bad-encoding"]);
  });
  refused("bad-encoding", {
    "more bytes than the module answers": { members: (members) => members, payload: () => bytes(12_288) },
  });
});

function without(index: number): ReadonlyMap<number, Uint8Array> {
  return new Map([...PCRS].filter(([at]) => at !== index));
}

function inChunks(name: string): NonNullable<AwsChange["members"]> {
  const key = Buffer.from(text(name));
  return (members) =>
    members.map((entry) => (key.equals(entry[0]) ? [entry[0], indefiniteBytes(bytes(32), bytes(32))] : entry));
}
