/** Genuine reports that the policy does not accept. */
import { strictPolicy } from "@blindbox/attestation";
import { policyWith } from "../appraise.ts";
import { chipIdOf, CLOUD, MA_NONE, products, type AmdChange } from "../vendor.ts";
import type { Tcb } from "../report.ts";
import { refused, type RefusalCase } from "./refusal.ts";

const { milan, turin } = products;
const { sevSnp } = strictPolicy;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const chip = hex(chipIdOf("milan"));
const otherChip = "ab".repeat(64);
const digest = new Uint8Array(48).fill(0x44);

function at(tcb: Tcb, ...changes: readonly (readonly [number, number])[]): Tcb {
  return changes.reduce<readonly number[]>((all, [index, value]) => all.with(index, value), tcb) as unknown as Tcb;
}

function everywhere(tcb: Tcb): AmdChange {
  return { ek: { tcb }, report: { reportedTcb: tcb, committedTcb: tcb, currentTcb: tcb, launchTcb: tcb } };
}

function guestPolicy(...bits: readonly number[]): AmdChange {
  return { report: { policy: bits.reduce((all, bit) => all | (1n << BigInt(bit)), 0x30000n) } };
}

const reservedBits = Array.from({ length: 38 }, (_, bit) => 26 + bit);
const reservedInfo = Array.from({ length: 56 }, (_, bit) => 8 + bit);

export const platformCases: readonly RefusalCase[] = [
  refused("tcb: tcb-below-minimum", {
    "microcode below the floor": everywhere(at(milan.tcb, [7, 0xda])),
    "bootloader below the floor": everywhere(at(milan.tcb, [0, 3])),
    "snp below the floor, and microcode far above it": everywhere(at(milan.tcb, [6, 0x17], [7, 0xff])),
    "Turin's fmc below the floor, and the rest above it": {
      product: "turin",
      ...everywhere(at(turin.tcb, [0, 0], [1, 9], [3, 9], [7, 0xff])),
    },
    "Turin's tee below the floor": { product: "turin", ...everywhere(at(turin.tcb, [2, 0])) },
    "a guest that was launched on a TCB below the floor": { report: { launchTcb: at(milan.tcb, [6, 0x17]) } },
  }),
  refused(["tcb: tcb-below-minimum", "tcb-order: tcb-order"], {
    "a committed TCB below the floor": { report: { committedTcb: at(milan.tcb, [7, 0xda]) } },
  }),
  refused("tcb-order: tcb-order", {
    "reported above committed": {
      ek: { tcb: at(milan.tcb, [7, 0xdc]) },
      report: { reportedTcb: at(milan.tcb, [7, 0xdc]), currentTcb: at(milan.tcb, [7, 0xdc]) },
    },
    "reported above committed and current": {
      ek: { tcb: at(milan.tcb, [7, 0xdc]) },
      report: { reportedTcb: at(milan.tcb, [7, 0xdc]) },
    },
    "committed above current": { report: { committedTcb: at(milan.tcb, [6, 0x19]) } },
    "current above in microcode and below in snp": { report: { currentTcb: at(milan.tcb, [6, 0x17], [7, 0xff]) } },
  }),
  refused(
    ["product: product-mismatch", "tcb skipped"],
    { "a product that the policy does not list": {}, "the same of version 2": { version: 2 } },
    policyWith({ products: { ...sevSnp.products, milan: null } }),
  ),
  refused(
    "tcb: tcb-below-minimum",
    { "a floor on tee": {} },
    policyWith({ products: { ...sevSnp.products, milan: { bootloader: 0, tee: 1, snp: 0, microcode: 0 } } }),
  ),
  refused(
    "tcb: tcb-below-minimum",
    { "a report of version 2 below its product's floor": { version: 2, product: "genoa" } },
    policyWith({ products: { ...sevSnp.products, genoa: { bootloader: 0, tee: 0, snp: 0, microcode: 0x55 } } }),
  ),
  refused("guest-policy-form: reserved-not-zero", {
    "bit 17 of the guest policy clear": { report: { policy: 0x10000n } },
    ...Object.fromEntries(reservedBits.map((bit) => [`bit ${bit} of the guest policy set`, guestPolicy(bit)])),
  }),
  refused("debug: debug-enabled", { "debug allowed": guestPolicy(19) }),
  refused("migration-agent: migrate-ma", {
    "a migration agent allowed": guestPolicy(18),
    "a migration agent bound": { report: { reportIdMa: new Uint8Array(32).fill(0x66) } },
    "a migration agent of zeros": { report: { reportIdMa: new Uint8Array(32) } },
    "a migration agent that differs in one byte": { report: { reportIdMa: MA_NONE.with(31, 0xfe) } },
  }),
  refused("vmpl: vmpl-mismatch", {
    "level 1": { report: { vmpl: 1 } },
    "level 2": { report: { vmpl: 2 } },
    "level 3": { report: { vmpl: 3 } },
    "level 4": { report: { vmpl: 4 } },
    "a report that the host asked for": { report: { vmpl: 0xff_ff_ff_ff } },
  }),
  refused("vmpl: vmpl-mismatch", { "level 0 where 1 is demanded": {} }, policyWith({ vmpls: [1, 2] })),
  refused("guest-policy: guest-policy-mismatch", { "CXL allowed": guestPolicy(21) }),
  refused(
    "guest-policy: guest-policy-mismatch",
    { "multithreading allowed where it is forbidden": {} },
    policyWith({ guestPolicy: { require: [], forbid: ["smtAllowed"] } }),
  ),
  refused(
    ["guest-policy: guest-policy-mismatch", "guest-policy: guest-policy-mismatch"],
    { "one of three properties that are demanded": guestPolicy(24) },
    policyWith({ guestPolicy: { require: ["ciphertextHiding", "pageSwapDisabled", "singleSocket"], forbid: [] } }),
  ),
  refused(
    "guest-abi: guest-policy-mismatch",
    {
      "a minor ABI below the least": { report: { policy: 0x3011en } },
      "a major ABI below the least": { report: { policy: 0x300ffn } },
    },
    policyWith({ minAbi: { major: 1, minor: 0x1f } }),
  ),
  refused(
    "platform-info: reserved-not-zero",
    Object.fromEntries(
      reservedInfo.map((bit) => [
        `bit ${bit} of platform info`,
        { report: { platformInfo: 0x25n | (1n << BigInt(bit)) } },
      ]),
    ),
  ),
  refused("platform-info: platform-info-mismatch", {
    "no completed alias check (BadRAM)": { report: { platformInfo: 0x05n } },
    "no error-correcting memory": { report: { platformInfo: 0x21n } },
  }),
  refused(
    "platform-info: platform-info-mismatch",
    { "multithreading where it is forbidden": {} },
    policyWith({ platformInfo: { require: [], forbid: ["smt"] } }),
  ),
  refused(
    ["platform-info: platform-info-mismatch", "platform-info: platform-info-mismatch"],
    { "features that the platform has not": {} },
    policyWith({ platformInfo: { require: ["ciphertextHiding", "raplDisabled", "ecc"], forbid: ["tio", "tsme"] } }),
  ),
  refused(
    "endorsement-key-kind: unsupported-key-type",
    { "a VCEK where VLEKs are demanded": {} },
    policyWith({ endorsementKeys: ["vlek"] }),
  ),
  refused(
    "csp-id: cloud-not-allowed",
    { "another cloud's VLEK": { kind: "vlek" } },
    policyWith({ cspIds: [`${CLOUD}.evil`, CLOUD.slice(3)] }),
  ),
  refused(
    "chip: chip-not-allowed",
    { "a chip that is not listed": {}, "no chip, behind a VLEK": { kind: "vlek" } },
    policyWith({ chips: { allow: [otherChip], deny: [] } }),
  ),
  refused(
    "chip: chip-not-allowed",
    { "a chip that is denied": {} },
    policyWith({ chips: { allow: [chip], deny: [chip] } }),
  ),
  refused(
    "chip: chip-not-allowed",
    { "no chip, behind a VLEK, where one is denied": { kind: "vlek" } },
    policyWith({ chips: { allow: "any", deny: [otherChip] } }),
  ),
  refused(
    "chip: chip-not-allowed",
    { "a Turin chip that is denied by its 8 bytes": { product: "turin" } },
    policyWith({ chips: { allow: "any", deny: [hex(chipIdOf("turin"))] } }),
  ),
  refused(
    "id-key: id-key-mismatch",
    { "an ID block signed by another": { report: { idKeyDigest: digest } }, "an ID block signed by nobody": {} },
    policyWith({ idKeyDigests: ["55".repeat(48)] }),
  ),
  refused(
    "author-key: author-key-mismatch",
    {
      "an ID key signed by another": { report: { authorKeyDigest: new Uint8Array(48), keyInfo: 1 } },
      "a right author key that the firmware did not check": { report: { authorKeyDigest: digest } },
    },
    policyWith({ authorKeyDigests: [hex(digest)] }),
  ),
].flat();
