/** Quotes with one thing wrong. */
import { constants, sign } from "node:crypto";
import { refused, type RefusalCase } from "../appraise.ts";
import { allPcrs, pcrDigest, quoteBytes, rightPcrs } from "../tpm.ts";
import { ak, ek, type AzureChange } from "../vendor.ts";

const name = (algorithm: number, length: number): Uint8Array =>
  new Uint8Array([0, algorithm, ...new Uint8Array(length).fill(7)]);

export const structureCases: readonly RefusalCase[] = [
  ...refused("parse: unsupported-format", {
    "another magic": { generated: 0xff_54_43_48 },
    "a magic of zeros": { generated: 0 },
    "a certificate of creation": { attestType: 0x801a },
    "a statement of time": { attestType: 0x8019 },
    "a certificate of a key": { attestType: 0x8017 },
    "a certificate of an NV index": { attestType: 0x8014 },
    "no bank": { banks: [] },
    "two banks": { banks: [{}, { algorithm: 0x0c }] },
    "the bank twice": { banks: [{}, {}] },
  }),
  ...refused("parse: unsupported-algorithm", {
    "the bank of SHA-1": { banks: [{ algorithm: 0x04 }] },
    "the bank of SHA-384": { banks: [{ algorithm: 0x0c }] },
    "a signer named by SHA-384": { qualifiedSigner: name(0x0c, 32) },
  }),
  ...refused("parse: bad-length", {
    "a selection of 4 bytes": { banks: [{ length: 4 }] },
    "a selection of 2 bytes": { banks: [{ length: 2, pcrs: [] }] },
    "no selection": { banks: [{ length: 0, pcrs: [] }] },
    "extra data of 65 bytes": { extraData: new Uint8Array(65) },
    "a name of 50 bytes": { qualifiedSigner: name(0x0c, 48) },
    "a handle in the place of a name": { qualifiedSigner: Uint8Array.of(0x81, 0, 0, 3) },
    "no name": { qualifiedSigner: new Uint8Array() },
    "a digest of 20 bytes": { pcrDigest: (right) => right.slice(0, 20) },
    "a digest of 48 bytes": { pcrDigest: () => new Uint8Array(48) },
    "no digest": { pcrDigest: () => new Uint8Array() },
  }),
  ...refused("parse: pcr-mismatch", {
    "PCRs of none": { banks: [{ pcrs: [] }] },
    "a PCR that was not supplied": { pcrs: (right) => right.with(17, null) },
    "no PCR supplied": { pcrs: (right) => right.map(() => null) },
  }),
  ...refused("parse: bad-encoding", { "a switch of 2": { safe: 2 }, "a switch of 255": { safe: 255 } }),
  ...refused("parse: trailing-bytes", {
    "a byte behind it": { unsigned: (right) => new Uint8Array([...right, 0]) },
    "its signature behind it": { unsigned: (right) => new Uint8Array([...right, ...new Uint8Array(262)]) },
  }),
  ...refused("parse: truncated", {
    "its last byte gone": { unsigned: (right) => right.slice(0, -1) },
    "its header alone": { unsigned: (right) => right.slice(0, 6) },
  }),
];

const otherQuote = quoteBytes({ extraData: new Uint8Array(32) });
const rsa = { key: ak.privateKey, padding: constants.RSA_PKCS1_PADDING };

export const signatureCases: readonly RefusalCase[] = refused("tpm-quote-signature: bad-quote-signature", {
  "a bit of the signature changed": { signature: (right) => right.with(200, (right[200] ?? 0) ^ 1) },
  "the other key of the machine": { signer: ek.privateKey },
  "RSASSA-PSS": {
    signature: (_right, quote) =>
      new Uint8Array(
        sign("sha256", quote, { key: ak.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }),
      ),
  },
  "SHA-1": { signature: (_right, quote) => new Uint8Array(sign("sha1", quote, rsa)) },
  "SHA-384": { signature: (_right, quote) => new Uint8Array(sign("sha384", quote, rsa)) },
  zeros: { signature: () => new Uint8Array(256) },
  ones: { signature: () => new Uint8Array(256).fill(0xff) },
  nothing: { signature: () => new Uint8Array() },
  "one byte less": { signature: (right) => right.slice(1) },
  "a zero in front": { signature: (right) => new Uint8Array([0, ...right]) },
  "a zero behind": { signature: (right) => new Uint8Array([...right, 0]) },
  "the other byte order": { signature: (right) => right.toReversed() },
  "a TPMT_SIGNATURE in the place of raw RSA": {
    signature: (right) => new Uint8Array([0, 0x14, 0, 0x0b, 1, 0, ...right]),
  },
  "the signature of another quote": { signature: () => new Uint8Array(sign("sha256", otherQuote, rsa)) },
  "the signature of the quote's digest": {
    signature: (_right, quote) => new Uint8Array(sign("sha256", pcrDigest([0], [quote]), rsa)),
  },
  "a clock changed after signing": { quote: (right) => right.with(80, (right[80] ?? 0) ^ 1) },
  "a nonce changed after signing": { quote: (right) => right.with(50, (right[50] ?? 0) ^ 1) },
  "an old quote with a new nonce": { quote: () => quoteBytes({ extraData: new Uint8Array(32).fill(9) }) },
});

export const swapped = (at: number, other: number): AzureChange => ({
  pcrs: (right) => right.with(at, right[other] ?? null).with(other, right[at] ?? null),
});

export const digestCases: readonly RefusalCase[] = refused("pcr-digest: pcr-mismatch", {
  "a PCR changed": { pcrs: (right) => right.with(11, "00".repeat(32)) },
  "the first PCR changed": { pcrs: (right) => right.with(0, "ff".repeat(32)) },
  "the last PCR changed": { pcrs: (right) => right.with(23, "ff".repeat(32)) },
  "two PCRs swapped": swapped(4, 7),
  "neighbours swapped": swapped(22, 23),
  "all of them in the other order": { pcrs: (right) => right.toReversed() },
  "PCRs of another machine": { quotedPcrs: rightPcrs.map((pcr) => pcr.map((byte) => byte ^ 0x55)) },
  "a digest of zeros": { pcrDigest: () => new Uint8Array(32) },
  "a digest over fewer PCRs than selected": { pcrDigest: () => pcrDigest([0, 1, 2], rightPcrs) },
  "a digest over more PCRs than selected": {
    banks: [{ pcrs: [0, 1, 2] }],
    pcrDigest: () => pcrDigest(allPcrs, rightPcrs),
  },
  "one PCR quoted as another": { banks: [{ pcrs: [4] }], pcrDigest: () => pcrDigest([7], rightPcrs) },
  "the one quoted PCR changed, and the others right": {
    banks: [{ pcrs: [7] }],
    pcrs: (right) => right.with(7, "00".repeat(32)),
  },
});

/** Where the right quote has its lengths and counts, and how many bytes each takes. */
const lengths = {
  "the signer's name": [6, 2],
  "the extra data": [42, 2],
  "the banks": [101, 4],
  "the selection": [107, 1],
  "the digest": [111, 2],
} as const;

/** With another length in each of them, and signed so. */
export const lengthChanges: readonly (readonly [name: string, change: AzureChange])[] = Object.entries(lengths).flatMap(
  ([name, [at, size]]) => {
    const right = Buffer.from(quoteBytes()).readUIntBE(at, size);
    return [0, right - 1, right + 1, 2 ** (8 * size) - 1].map((wrong) => {
      const unsigned = (quote: Uint8Array): Uint8Array => {
        const copy = Buffer.from(quote);
        copy.writeUIntBE(wrong, at, size);
        return new Uint8Array(copy);
      };
      return [`${wrong} for ${name}`, { unsigned }] as const;
    });
  },
);
