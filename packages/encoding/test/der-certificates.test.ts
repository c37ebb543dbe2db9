/** The reader against two independent ones, over certificates that are minted here. */
import { fromBER, type BaseBlock } from "asn1js";
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  concatBytes,
  DER_TAG,
  derBitString,
  derChildren,
  derExpect,
  derOid,
  derRead,
  derSequence,
  derText,
  derTime,
  derUnsigned,
  equalBytes,
  parsePem,
  toHex,
  type DerElement,
} from "../src/index.ts";
import { accepted, bitFlips, refusalCode, truncations } from "./refusal.ts";

interface Tree {
  readonly tag: number;
  readonly contents: string;
  readonly children: readonly Tree[];
}

const constructed = 0x20;

/** Everything below an element, read strictly. */
function ours(element: DerElement): Tree {
  const children = (element.tag & constructed) === 0 ? [] : derChildren(element).map(ours);
  return { tag: element.tag, contents: toHex(element.contents), children };
}

/** The same by asn1js, or `undefined` where it refuses or leaves bytes over. */
function theirs(bytes: Uint8Array): Tree | undefined {
  const { offset, result } = fromBER(bytes.slice().buffer);
  return offset === bytes.length ? treeOf(result) : undefined;
}

function treeOf(block: BaseBlock): Tree {
  const { idBlock, lenBlock } = block;
  const header = idBlock.blockLength + lenBlock.blockLength;
  const tag = ((idBlock.tagClass - 1) << 6) | (idBlock.isConstructed ? constructed : 0) | idBlock.tagNumber;
  const contents = toHex(block.valueBeforeDecodeView.subarray(header));
  const { value } = block.valueBlock as { value?: unknown };
  const children = idBlock.isConstructed && Array.isArray(value) ? (value as BaseBlock[]).map(treeOf) : [];
  return { tag, contents, children };
}

const extensions = {
  basicConstraints: "critical,CA:TRUE,pathlen:1",
  keyUsage: "critical,keyCertSign,cRLSign",
  subjectAltName: "DNS:a.example,IP:192.0.2.1,URI:https://a.example/x",
  "1.2.3.4": "ASN1:UTF8:x",
};
const added = Object.entries(extensions).flatMap(([name, value]) => ["-addext", `${name}=${value}`]);

/** Certificates of every kind of key, with short and long fields, UTCTime and GeneralizedTime. */
const recipes = [
  ["-newkey", "rsa:2048", "-subj", "/C=CH/O=Example AG/CN=rsa.example", "-days", "10"],
  ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-subj", "/CN=Z\u00fcrich", "-utf8", "-days", "20000"],
  ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-subj", "/CN=p256", "-set_serial", "0x00ff", "-days", "1"],
  ["-newkey", "ed25519", "-subj", `/CN=${"n".repeat(60)}`, "-days", "3650", "-set_serial", "1", ...added],
];

const folder = mkdtempSync(join(tmpdir(), "encoding-"));
let minted: readonly Uint8Array[] | null = null;

function mint(): readonly Uint8Array[] {
  return recipes.map((recipe, at) => {
    const out = join(folder, `${at}.pem`);
    const files = ["-keyout", join(folder, `${at}.key`), "-out", out];
    execFileSync("openssl", ["req", "-x509", "-nodes", ...recipe, ...files], { stdio: "ignore" });
    return parsePem(readFileSync(out, "latin1"), "CERTIFICATE")[0] ?? new Uint8Array(0);
  });
}

function hasOpenssl(): boolean {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

beforeAll(() => {
  if (hasOpenssl()) minted = mint();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("minted certificates", () => {
  test("are the same trees to asn1js", (context) => {
    if (minted === null) return context.skip("openssl is not installed");
    for (const bytes of minted) expect(ours(derRead(bytes))).toEqual(theirs(bytes));
  });

  test("say the same to node:crypto", (context) => {
    if (minted === null) return context.skip("openssl is not installed");
    for (const bytes of minted) {
      const certificate = new X509Certificate(bytes);
      const [tbs, , signature] = derSequence(derRead(bytes));
      const [, serial, , , validity, subject, spki] = derSequence(tbs);
      const [from, to] = derSequence(validity).map((time) => derTime(time));
      expect(BigInt(`0x${toHex(derUnsigned(serial))}`)).toBe(BigInt(`0x${certificate.serialNumber}`));
      expect([from, to]).toEqual(
        [certificate.validFromDate, certificate.validToDate].map((date) => date.getTime() / 1000),
      );
      expect(Buffer.from(spki?.raw ?? []).equals(certificate.publicKey.export({ type: "spki", format: "der" }))).toBe(
        true,
      );
      expect(commonName(subject)).toBe(/CN=(.*)/.exec(certificate.subject)?.[1]);
      expect(derBitString(signature).length).toBeGreaterThanOrEqual(64);
    }
  });

  test("are refused at every truncation, and with a byte more", (context) => {
    if (minted === null) return context.skip("openssl is not installed");
    for (const bytes of minted) {
      for (const short of truncations(bytes)) expect(refusalCode(() => derRead(short))).toBe("truncated");
      expect(refusalCode(() => derRead(Uint8Array.of(...bytes, 0)))).toBe("trailing-bytes");
    }
  });

  test("with any bit flipped are refused, or are the same tree to asn1js", (context) => {
    const smallest = minted?.[2];
    if (smallest === undefined) return context.skip("openssl is not installed");
    const counts = { refused: 0, read: 0, compared: 0 };
    for (const flipped of bitFlips(smallest)) {
      const tree = accepted(() => ours(derRead(flipped)));
      counts[tree === undefined ? "refused" : "read"] += 1;
      // asn1js also judges what is inside some types, and refuses trees that are well-formed.
      const other = tree === undefined ? undefined : theirs(flipped);
      if (other === undefined) continue;
      counts.compared += 1;
      expect(JSON.stringify(tree)).toBe(JSON.stringify(other));
    }
    expect(counts.refused).toBeGreaterThan(100);
    expect(counts.read).toBeGreaterThan(100);
    expect(counts.compared).toBeGreaterThan(100);
  });

  test("with any bit flipped are refused, or lose no byte to the reading", (context) => {
    const smallest = minted?.[2];
    if (smallest === undefined) return context.skip("openssl is not installed");
    for (const flipped of bitFlips(smallest)) {
      const whole = accepted(() => losesNothing(derRead(flipped)));
      if (whole !== undefined) expect(whole).toBe(true);
    }
    expect(losesNothing(derRead(smallest))).toBe(true);
  });

  test("with any bit flipped give values, or an EncodingError, to every reader", (context) => {
    const smallest = minted?.[2];
    if (smallest === undefined) return context.skip("openssl is not installed");
    let changed = 0;
    const original = facts(smallest);
    for (const flipped of bitFlips(smallest)) {
      const read = accepted(() => facts(flipped));
      if (read === undefined || JSON.stringify(read) !== JSON.stringify(original)) changed += 1;
    }
    expect(changed).toBeGreaterThan(0);
  });
});

/** Whether the children, put together again, are the contents, at every level. */
function losesNothing(element: DerElement): boolean {
  if ((element.tag & constructed) === 0) return true;
  const children = derChildren(element);
  const joined = concatBytes(...children.map(({ raw }) => raw));
  return equalBytes(joined, element.contents) && children.every(losesNothing);
}

function facts(bytes: Uint8Array): readonly unknown[] {
  const [tbs, algorithm, signature] = derSequence(derRead(bytes));
  const [, serial, , issuer, validity, subject] = derSequence(tbs);
  return [
    toHex(derUnsigned(serial)),
    derOid(derSequence(algorithm)[0]),
    commonName(issuer),
    derSequence(validity).map((time) => derTime(time)),
    commonName(subject),
    derBitString(signature).length,
  ];
}

function commonName(name: DerElement | undefined): string | undefined {
  const parts = derSequence(name).flatMap((set) => derChildren(derExpect(set, DER_TAG.set)));
  const found = parts.map((part) => derSequence(part)).find(([type]) => derOid(type) === "2.5.4.3");
  return found === undefined ? undefined : derText(found[1]);
}
