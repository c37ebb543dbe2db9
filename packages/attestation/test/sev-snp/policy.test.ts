/** The policy: every member must be there and be what it has to be; absence never means permission. */
import { describe, expect, test } from "vitest";
import { strictPolicy, type SevSnpPolicy } from "@blindbox/attestation";
import { readSevSnpPolicy } from "../../src/sev-snp/policy.ts";

const strict: SevSnpPolicy = strictPolicy.sevSnp;
const read = (value: unknown): SevSnpPolicy => readSevSnpPolicy(value, "policy.sevSnp");
const floor = { bootloader: 0, tee: 0, snp: 0, microcode: 0 };

test("the strict default is frozen, and reads as itself", () => {
  expect(read(strict)).toEqual(strict);
  expect(Object.isFrozen(strict) && Object.isFrozen(strict.products) && Object.isFrozen(strict.products.milan)).toBe(
    true,
  );
  expect(strict.vmpls).toEqual([0]);
  expect(strict.endorsementKeys).toEqual(["vcek"]);
});

test.each(Object.keys(strict))("without %s it is refused", (member) => {
  const rest = Object.fromEntries(Object.entries(strict).filter(([name]) => name !== member));
  expect(() => read(rest)).toThrow(new RegExp(`policy\\.sevSnp\\.${member}: missing`));
  expect(() => read({ ...strict, [member]: undefined })).toThrow(TypeError);
  expect(() => read({ ...strict, [member]: null })).toThrow(TypeError);
});

const wrong: Readonly<Record<string, readonly [change: object, path: string]>> = {
  "an unknown member": [{ more: 1 }, "more"],
  "no level": [{ vmpls: [] }, "vmpls"],
  "a level of 4": [{ vmpls: [4] }, "vmpls[0]"],
  "a level twice": [{ vmpls: [0, 0] }, "vmpls"],
  "no product": [{ products: { milan: null, genoa: null, siena: null, turin: null } }, "products"],
  "a product left out": [{ products: { milan: floor, genoa: null, siena: null } }, "products.turin"],
  "an unknown product": [{ products: { ...strict.products, venice: floor } }, "products.venice"],
  "a floor without tee": [
    { products: { ...strict.products, milan: { bootloader: 0, snp: 0, microcode: 0 } } },
    "products.milan.tee",
  ],
  "a floor of Turin's on Milan": [
    { products: { ...strict.products, milan: { ...floor, fmc: 0 } } },
    "products.milan.fmc",
  ],
  "a floor of Turin without fmc": [{ products: { ...strict.products, turin: floor } }, "products.turin.fmc"],
  "a floor of 256": [{ products: { ...strict.products, genoa: { ...floor, snp: 256 } } }, "products.genoa.snp"],
  "a floor below zero": [{ products: { ...strict.products, genoa: { ...floor, snp: -1 } } }, "products.genoa.snp"],
  "no kind of key": [{ endorsementKeys: [] }, "endorsementKeys"],
  "an unknown kind of key": [{ endorsementKeys: ["none"] }, "endorsementKeys[0]"],
  "clouds as a text": [{ cspIds: "all" }, "cspIds"],
  "a cloud without a name": [{ cspIds: [""] }, "cspIds[0]"],
  "chips without deny": [{ chips: { allow: "any" } }, "chips.deny"],
  "a chip id in upper case": [{ chips: { allow: ["AB".repeat(64)], deny: [] } }, "chips.allow[0]"],
  "a chip id of 63 bytes": [{ chips: { allow: "any", deny: ["ab".repeat(63)] } }, "chips.deny[0]"],
  "every chip denied": [{ chips: { allow: "any", deny: "any" } }, "chips.deny"],
  "an id key of 32 bytes": [{ idKeyDigests: ["ab".repeat(32)] }, "idKeyDigests[0]"],
  "an author key that is a number": [{ authorKeyDigests: [1] }, "authorKeyDigests[0]"],
  "an unknown property of the guest": [{ guestPolicy: { require: ["debug"], forbid: [] } }, "guestPolicy.require[0]"],
  "a property in both lists": [{ guestPolicy: { require: ["cxlAllowed"], forbid: ["cxlAllowed"] } }, "guestPolicy"],
  "features without forbid": [{ platformInfo: { require: [] } }, "platformInfo.forbid"],
  "an unknown feature": [{ platformInfo: { require: [], forbid: ["SMT"] } }, "platformInfo.forbid[0]"],
  "an ABI without minor": [{ minAbi: { major: 1 } }, "minAbi.minor"],
  "an ABI of 256": [{ minAbi: { major: 256, minor: 0 } }, "minAbi.major"],
};

describe("a policy is refused with", () => {
  test.each(Object.entries(wrong))("%s", (_name, [change, path]) => {
    const text = path.replaceAll(/[.[\]]/g, String.raw`\$&`);
    expect(() => read({ ...strict, ...change })).toThrow(new RegExp(`^policy\\.sevSnp\\.${text}: `));
  });
});

test("a chip of Turin may be named by its 8 bytes", () => {
  const { chips } = read({ ...strict, chips: { allow: ["0123456789abcdef"], deny: [] } });
  expect(chips.allow).toEqual([`0123456789abcdef${"0".repeat(112)}`]);
});
