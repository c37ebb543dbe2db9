/** The bits of the guest policy and of the platform info, by name. What has no name is reserved. */

/** Properties of the guest policy that an Appraisal Policy may demand or forbid. Debug and migration have rules of their own. */
export const GUEST_POLICY_FEATURES = [
  "smtAllowed",
  "singleSocket",
  "cxlAllowed",
  "memoryAes256Xts",
  "raplDisabled",
  "ciphertextHiding",
  "pageSwapDisabled",
] as const;

/** One of {@link GUEST_POLICY_FEATURES}. */
export type GuestPolicyFeature = (typeof GUEST_POLICY_FEATURES)[number];

/** Features of the platform that an Appraisal Policy may demand or forbid. */
export const PLATFORM_FEATURES = [
  "smt",
  "tsme",
  "ecc",
  "raplDisabled",
  "ciphertextHiding",
  "aliasCheckComplete",
  "tio",
] as const;

/** One of {@link PLATFORM_FEATURES}. */
export type PlatformFeature = (typeof PLATFORM_FEATURES)[number];

const guestPolicyBits: Readonly<Record<GuestPolicyFeature, number>> = {
  smtAllowed: 16,
  singleSocket: 20,
  cxlAllowed: 21,
  memoryAes256Xts: 22,
  raplDisabled: 23,
  ciphertextHiding: 24,
  pageSwapDisabled: 25,
};

const platformBits: Readonly<Record<PlatformFeature, number>> = {
  smt: 0,
  tsme: 1,
  ecc: 2,
  raplDisabled: 3,
  ciphertextHiding: 4,
  aliasCheckComplete: 5,
  tio: 7,
};

const mustBeOne = 17;
const migrationAgent = 18;
const debug = 19;
const firstReservedOfPolicy = 26n;
// Bit 6 has no name, and Turin sets it.
const firstReservedOfPlatform = 8n;

function bit(value: bigint, at: number): boolean {
  return ((value >> BigInt(at)) & 1n) === 1n;
}

/** A guest policy in words. */
export interface GuestPolicy {
  /** Bit 17 is one, and bits 26 to 63 are zero. */
  readonly wellFormed: boolean;
  readonly abiMajor: number;
  readonly abiMinor: number;
  readonly debug: boolean;
  readonly migrationAgent: boolean;
  readonly features: readonly GuestPolicyFeature[];
}

/** Reads the 64 bits of a guest policy. */
export function guestPolicyOf(policy: bigint): GuestPolicy {
  return {
    wellFormed: bit(policy, mustBeOne) && policy >> firstReservedOfPolicy === 0n,
    abiMajor: Number((policy >> 8n) & 0xffn),
    abiMinor: Number(policy & 0xffn),
    debug: bit(policy, debug),
    migrationAgent: bit(policy, migrationAgent),
    features: GUEST_POLICY_FEATURES.filter((feature) => bit(policy, guestPolicyBits[feature])),
  };
}

/** Platform info in words. */
export interface PlatformInfo {
  /** Bits 8 to 63 are zero. */
  readonly wellFormed: boolean;
  readonly features: readonly PlatformFeature[];
}

/** Reads the 64 bits of platform info. */
export function platformInfoOf(info: bigint): PlatformInfo {
  return {
    wellFormed: info >> firstReservedOfPlatform === 0n,
    features: PLATFORM_FEATURES.filter((feature) => bit(info, platformBits[feature])),
  };
}
