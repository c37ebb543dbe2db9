/** HCL reports, and runtime data in them, with one thing wrong. */
import { generateKeyPairSync } from "node:crypto";
import { refused, type RefusalCase } from "../appraise.ts";
import { ek, jwkOf, rightRuntimeData, type AzureChange, type Jwk, type RuntimeDataText } from "../vendor.ts";

const plus = (more: number) => (right: number) => right + more;
const huge = () => 0xff_ff_ff_ff;
const allSizes = (change: (right: number) => number): AzureChange => ({
  reportSize: change,
  dataSize: change,
  runtimeDataSize: change,
});

export const layoutCases: readonly RefusalCase[] = [
  ...refused("parse: unsupported-format", {
    "another magic": { magic: "HCLB" },
    "the magic in the other order": { magic: "ALCH" },
    "another request": { requestType: 1 },
    "no request": { requestType: 0 },
  }),
  ...refused("parse: unsupported-version", {
    "version 0": { version: 0 },
    "version 3": { version: 3 },
    "the largest version": { version: 0xff_ff_ff_ff },
    "data of version 0": { dataVersion: 0 },
    "data of version 2": { dataVersion: 2 },
  }),
  ...refused("parse: reserved-not-zero", {
    "a status": { status: 1 },
    "a reserved byte": { reserved: new Uint8Array(12).with(11, 1) },
    "a byte behind the runtime data": { padding: new Uint8Array(64).with(63, 1) },
    "a byte right behind the runtime data": { padding: new Uint8Array(64).with(0, 0x20) },
    "a byte behind the TDREPORT": { on: "tdx", areaPadding: new Uint8Array(160).with(0, 1) },
    "a last byte behind the TDREPORT": { on: "tdx", areaPadding: new Uint8Array(160).with(159, 1) },
  }),
  ...refused("parse: wrong-tee-type", {
    "a report of VBS": { reportType: 1 },
    "report type 0": { reportType: 0 },
    "report type 3": { reportType: 3 },
    "a report of SEV-SNP called a TDREPORT": { reportType: 4 },
    "a TDREPORT called a report of SEV-SNP": { on: "tdx", reportType: 2 },
  }),
  ...refused("parse: unsupported-algorithm", { "hash type 0": { hashType: 0 }, "hash type 4": { hashType: 4 } }),
  ...refused("parse: bad-length", {
    "runtime data one byte shorter": { runtimeDataSize: plus(-1) },
    "runtime data one byte longer": { runtimeDataSize: plus(1) },
    "runtime data of no length": { runtimeDataSize: () => 0 },
    "runtime data of the largest length": { runtimeDataSize: huge },
    "data one byte shorter": { dataSize: plus(-1) },
    "data one byte longer": { dataSize: plus(1) },
    "a report one byte shorter": { reportSize: plus(-1) },
    "a report one byte longer": { reportSize: plus(1) },
    "a report of no length": { reportSize: () => 0 },
    "lengths that wrap around": allSizes(() => 0xff_ff_ff_ec),
  }),
  ...refused("parse: truncated", {
    "lengths past the end that agree": { ...allSizes(plus(10_000)) },
    "a header and nothing else": { hclReport: (bytes) => bytes.slice(0, 32) },
    "no runtime data": { hclReport: (bytes) => bytes.slice(0, 1236) },
  }),
];

export const withKeys = (change: (keys: readonly Jwk[]) => unknown): AzureChange => ({
  runtimeData: (right) => ({ ...right, keys: change(right.keys) }),
});
export const withKey = (change: (key: Jwk) => unknown): AzureChange =>
  withKeys(([key, ...rest]) => [change(key ?? {}), ...rest]);
const withText = (from: string, to: string): AzureChange => ({ runtimeDataText: (right) => right.replace(from, to) });
const machine = (change: object): AzureChange => ({
  runtimeData: (right: RuntimeDataText) => ({
    ...right,
    "vm-configuration": { ...right["vm-configuration"], ...change },
  }),
});

const [rightKey] = rightRuntimeData.keys;
const { publicKey: ecKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const bits = (length: number): string => Buffer.from(new Uint8Array(length).fill(0xab)).toString("base64url");

export const runtimeDataCases: readonly RefusalCase[] = [
  ...refused("parse: bad-encoding", {
    "a second key of that name": withKeys((keys) => [...keys, jwkOf(ek, "HCLAkPub", "sign")]),
    "the same key twice": withKeys((keys) => [...keys, rightKey]),
    "a second key of that name in front": withKeys((keys) => [jwkOf(ek, "HCLAkPub", "sign"), ...keys]),
    "no key of that name": withKeys((keys) => keys.slice(1)),
    "a key of that name in other case": withKey((key) => ({ ...key, kid: "hclakpub" })),
    "a key without a name": withKeys((keys) => [...keys, { kty: "RSA" }]),
    "no keys": withKeys(() => []),
    "keys in an object": withKeys((keys) => Object.fromEntries(keys.entries())),
    "nine keys": withKeys((keys) => [...keys, ...Array.from({ length: 7 }, (_, at) => jwkOf(ek, `k${at}`, "sign"))]),
    "no use of the key": withKey(({ key_ops: _use, ...key }) => key),
    "a use that is a text": withKey((key) => ({ ...key, key_ops: "sign" })),
    "no configuration": { runtimeData: ({ "vm-configuration": _machine, ...right }) => right },
    "Secure Boot in a text": machine({ "secure-boot": "true" }),
    "Secure Boot in a number": machine({ "secure-boot": 1 }),
    "Secure Boot that is null": machine({ "secure-boot": null }),
    "a console in a text": machine({ "console-enabled": "false" }),
    "user data of 63 bytes": { runtimeData: (right) => ({ ...right, "user-data": "ab".repeat(63) }) },
    "user data that are no hex": { runtimeData: (right) => ({ ...right, "user-data": "xy".repeat(64) }) },
    "user data that are null": { runtimeData: (right) => ({ ...right, "user-data": null }) },
    "a list": { runtimeData: (right) => [right] },
    "a member twice": withText('"keys":', '"keys":[],"keys":'),
    "a member of the key twice": withText('"kid":', '"kid":"HCLEkPub","kid":'),
    "a member of the configuration twice": withText('"secure-boot":', '"secure-boot":false,"secure-boot":'),
    "a fraction": withText('"tpm-enabled":true', '"tpm-enabled":1.5'),
    "a member __proto__": withText('"tpm-enabled"', '"__proto__":{},"tpm-enabled"'),
    "a comment": withText('"keys"', '/**/"keys"'),
    "deep nesting": { runtimeData: (right) => ({ ...right, more: [[[[[[[]]]]]]] }) },
    "bytes that are no UTF-8": {
      otherRuntimeData: (right) => right.with(10, 0xff),
    },
  }),
  ...refused("parse: trailing-bytes", { "a value behind it": { runtimeDataText: (right) => `${right}{}` } }),
  ...refused("parse: truncated", { "half of it": { runtimeDataText: (right) => right.slice(0, 700) } }),
  ...refused("parse: unsupported-key-type", {
    "an EC key": withKey((key) => ({ ...ecKey.export({ format: "jwk" }), kid: key.kid, key_ops: key.key_ops })),
    "a kind of key in lower case": withKey((key) => ({ ...key, kty: "rsa" })),
    "no kind of key": withKey(({ kty: _kty, ...key }) => key),
    "RSA of 2047 bits": withKey((key) => ({
      ...key,
      n: Buffer.from(new Uint8Array(256).fill(0x7f)).toString("base64url"),
    })),
    "RSA of 1024 bits": withKey((key) => ({ ...key, n: bits(128) })),
    "RSA of 8192 bits": withKey((key) => ({ ...key, n: bits(1024) })),
    "2048 bits by leading zeros": withKey((key) => ({
      ...key,
      n: Buffer.concat([Buffer.alloc(128), Buffer.alloc(128, 0xab)]).toString("base64url"),
    })),
    "an even modulus": withKey((key) => ({ ...key, n: Buffer.alloc(256, 0xaa).toString("base64url") })),
    "exponent 1": withKey((key) => ({ ...key, e: "AQ" })),
    "exponent 3": withKey((key) => ({ ...key, e: "Aw" })),
    "exponent 65537 with a leading zero": withKey((key) => ({ ...key, e: "AAEAAQ" })),
    "no modulus": withKey(({ n: _n, ...key }) => key),
    "a padded modulus": withKey((key) => ({ ...key, n: `${String(key.n)}==` })),
  }),
];

export const bindingCases: readonly RefusalCase[] = [
  ...refused("hcl-binding: var-data-mismatch", {
    "a character changed": { otherRuntimeData: (right) => withByte(right, "390CBCF5", "390CBCF6") },
    "a space behind it": {
      otherRuntimeData: (right) => new Uint8Array(Buffer.concat([right, Buffer.from(" ")])),
    },
    "white space in it": { otherRuntimeData: (right) => withByte(right, ",", " ,") },
    "report data with a tail": { reportData: (right) => right.with(63, 1) },
    "report data with a tail right behind the hash": { reportData: (right) => right.with(32, 1) },
    "a prefix of the hash": {
      reportData: (right) => new Uint8Array(64).fill(0, 0).map((_, at) => (at < 31 ? (right[at] ?? 0) : 0)),
    },
    "no hash": { reportData: () => new Uint8Array(64) },
    "the hash where zeros are due": {
      reportData: (right) => new Uint8Array([...right.subarray(32), ...right.subarray(0, 32)]),
    },
    "SHA-256 called SHA-384": { hashType: 2 },
    "SHA-384 called SHA-256": { hash: "sha384" },
    "SHA-512 called SHA-384": { hash: "sha512", hashType: 2 },
  }),
  ...refused(["hcl-binding: var-data-mismatch", "tpm-quote-signature: bad-quote-signature"], {
    "a key of somebody's": {
      otherRuntimeData: () =>
        new Uint8Array(
          Buffer.from(
            JSON.stringify({
              ...rightRuntimeData,
              keys: [jwkOf(ek, "HCLAkPub", "sign")],
            }),
          ),
        ),
    },
  }),
  ...refused("hcl-key-use: unsupported-key-type", {
    "a key for encryption": withKey((key) => ({ ...key, key_ops: ["encrypt"] })),
    "a key for signing and encryption": withKey((key) => ({ ...key, key_ops: ["sign", "encrypt"] })),
    "a key for nothing": withKey((key) => ({ ...key, key_ops: [] })),
    "a key for verifying": withKey((key) => ({ ...key, key_ops: ["verify"] })),
  }),
  ...refused(["hcl-level: vmpl-mismatch", "vmpl: vmpl-mismatch"], {
    "a report of the machine's kernel": { amd: { report: { vmpl: 2 } } },
    "a report of level 1": { amd: { report: { vmpl: 1 } } },
    "a report of level 3": { amd: { report: { vmpl: 3 } } },
    "a report that the host asked for": { amd: { report: { vmpl: 0xff_ff_ff_ff } } },
  }),
  ...refused("hcl-id-key: id-key-mismatch", {
    "another signer's paravisor": { amd: { report: { idKeyDigest: new Uint8Array(48).fill(9) } } },
    "a paravisor that nobody signed": { amd: { report: { idKeyDigest: new Uint8Array(48) } } },
  }),
];

function withByte(bytes: Uint8Array, from: string, to: string): Uint8Array {
  return new Uint8Array(Buffer.from(Buffer.from(bytes).toString().replace(from, to)));
}
