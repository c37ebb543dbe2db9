/** What the verifying side accepts of the TEE `sev-snp`. */
import { exactMembers, nonEmptyList, word, wholeNumber, wrong } from "../arguments.ts";
import { GUEST_POLICY_FEATURES, PLATFORM_FEATURES, type GuestPolicyFeature, type PlatformFeature } from "./bits.ts";
import type { CpuProduct, TcbComponent } from "./products.ts";

/** The lowest security version that is accepted of each component; reported, committed and launch TCB must each reach it. */
export interface TcbFloor {
  readonly bootloader: number;
  readonly tee: number;
  readonly snp: number;
  readonly microcode: number;
}

/** Turin has one component more. */
export interface TurinTcbFloor extends TcbFloor {
  readonly fmc: number;
}

/** Features that have to be on, and features that must not be. None is named twice. */
export interface FeatureRules<Feature extends string> {
  readonly require: readonly Feature[];
  readonly forbid: readonly Feature[];
}

/** For the TEE `sev-snp`. Every member is required; `"any"` has to be written. */
export interface SevSnpPolicy {
  /** Privilege levels (0 to 3) from which the report may have been asked. Never empty. */
  readonly vmpls: readonly number[];
  /**
   * The CPUs that are accepted, each with its floor; `null` refuses that CPU, and not all may be refused. `siena` is Siena and
   * Bergamo. A report of version 2 does not tell it from Genoa and is judged as Genoa.
   */
  readonly products: {
    readonly milan: TcbFloor | null;
    readonly genoa: TcbFloor | null;
    readonly siena: TcbFloor | null;
    readonly turin: TurinTcbFloor | null;
  };
  /** Whose key may have signed: the chip's own (`vcek`), the one that AMD gave a cloud for its chips (`vlek`). Never empty. */
  readonly endorsementKeys: readonly ("vcek" | "vlek")[];
  /** Names of the clouds whose VLEK is accepted, as AMD writes them into its certificate. Has no bearing on a VCEK. */
  readonly cspIds: "any" | readonly string[];
  /**
   * Chip ids in lower-case hex: 64 bytes, of Turin 8 bytes as well. What is on neither list is accepted only where `allow` is
   * `"any"`. Behind a VLEK no chip shows its id, so with a list of either kind none of those is accepted.
   */
  readonly chips: { readonly allow: "any" | readonly string[]; readonly deny: readonly string[] };
  /** SHA-384 of the keys that may have signed the launch's ID block, in hex. */
  readonly idKeyDigests: "any" | readonly string[];
  /** SHA-384 of the keys that may have signed the ID key, in hex. A list demands that the firmware checked an author key. */
  readonly authorKeyDigests: "any" | readonly string[];
  /** Properties of the guest's own policy, which the firmware enforces. */
  readonly guestPolicy: FeatureRules<GuestPolicyFeature>;
  /** The lowest firmware ABI that the guest's own policy may name. */
  readonly minAbi: { readonly major: number; readonly minor: number };
  /** Features of the platform. Simultaneous multithreading is `smt`. */
  readonly platformInfo: FeatureRules<PlatformFeature>;
}

const members: readonly (keyof SevSnpPolicy)[] = [
  "vmpls",
  "products",
  "endorsementKeys",
  "cspIds",
  "chips",
  "idKeyDigests",
  "authorKeyDigests",
  "guestPolicy",
  "minAbi",
  "platformInfo",
];

/** A frozen copy. @throws TypeError naming the member that is missing, unknown or wrong. */
export function readSevSnpPolicy(value: unknown, path: string): SevSnpPolicy {
  const policy = exactMembers(value, path, members);
  return Object.freeze({
    vmpls: list(policy["vmpls"], `${path}.vmpls`, (each, at) => rangedNumber(each, at, 3), 1),
    products: readProducts(policy["products"], `${path}.products`),
    endorsementKeys: list(policy["endorsementKeys"], `${path}.endorsementKeys`, readKeyKind, 1),
    cspIds: anyOr(policy["cspIds"], `${path}.cspIds`, readCspId),
    chips: readChips(policy["chips"], `${path}.chips`),
    idKeyDigests: anyOr(policy["idKeyDigests"], `${path}.idKeyDigests`, readSha384),
    authorKeyDigests: anyOr(policy["authorKeyDigests"], `${path}.authorKeyDigests`, readSha384),
    guestPolicy: readFeatures(policy["guestPolicy"], `${path}.guestPolicy`, GUEST_POLICY_FEATURES),
    minAbi: readAbi(policy["minAbi"], `${path}.minAbi`),
    platformInfo: readFeatures(policy["platformInfo"], `${path}.platformInfo`, PLATFORM_FEATURES),
  });
}

const floorMembers: readonly TcbComponent[] = ["bootloader", "tee", "snp", "microcode"];
const cpuProducts: readonly CpuProduct[] = ["milan", "genoa", "siena", "turin"];

function readProducts(value: unknown, path: string): SevSnpPolicy["products"] {
  const given = exactMembers(value, path, cpuProducts);
  if (cpuProducts.every((name) => given[name] === null)) wrong(path, "a product that is accepted");
  return Object.freeze({
    milan: readFloor(given["milan"], `${path}.milan`),
    genoa: readFloor(given["genoa"], `${path}.genoa`),
    siena: readFloor(given["siena"], `${path}.siena`),
    turin: readTurinFloor(given["turin"], `${path}.turin`),
  });
}

function readFloor(value: unknown, path: string): TcbFloor | null {
  return value === null ? null : Object.freeze(floorOf(exactMembers(value, path, floorMembers), path));
}

function readTurinFloor(value: unknown, path: string): TurinTcbFloor | null {
  if (value === null) return null;
  const given = exactMembers(value, path, ["fmc", ...floorMembers]);
  return Object.freeze({ fmc: rangedNumber(given["fmc"], `${path}.fmc`, 0xff), ...floorOf(given, path) });
}

function floorOf(given: Readonly<Record<string, unknown>>, path: string): TcbFloor {
  const version = (name: TcbComponent): number => rangedNumber(given[name], `${path}.${name}`, 0xff);
  return {
    bootloader: version("bootloader"),
    tee: version("tee"),
    snp: version("snp"),
    microcode: version("microcode"),
  };
}

function readChips(value: unknown, path: string): SevSnpPolicy["chips"] {
  const { allow, deny } = exactMembers(value, path, ["allow", "deny"]);
  return Object.freeze({
    allow: anyOr(allow, `${path}.allow`, readChipId),
    deny: list(deny, `${path}.deny`, readChipId, 0),
  });
}

function readAbi(value: unknown, path: string): SevSnpPolicy["minAbi"] {
  const { major, minor } = exactMembers(value, path, ["major", "minor"]);
  return Object.freeze({
    major: rangedNumber(major, `${path}.major`, 0xff),
    minor: rangedNumber(minor, `${path}.minor`, 0xff),
  });
}

function readFeatures<Feature extends string>(
  value: unknown,
  path: string,
  known: readonly Feature[],
): FeatureRules<Feature> {
  const given = exactMembers(value, path, ["require", "forbid"]);
  const read = (each: unknown, at: string): Feature => word(each, at, known);
  const require = list(given["require"], `${path}.require`, read, 0);
  const forbid = list(given["forbid"], `${path}.forbid`, read, 0);
  if (require.some((feature) => forbid.includes(feature))) wrong(path, "no feature in both lists");
  return Object.freeze({ require, forbid });
}

type Reader<T> = (value: unknown, path: string) => T;

function anyOr<T>(value: unknown, path: string, read: Reader<T>): "any" | readonly T[] {
  if (value === "any") return value;
  return Array.isArray(value) ? list(value, path, read, 0) : wrong(path, '"any" or a list');
}

function list<T>(value: unknown, path: string, read: Reader<T>, least: 0 | 1): readonly T[] {
  const items =
    least === 1 ? nonEmptyList(value, path) : Array.isArray(value) ? (value as unknown[]) : wrong(path, "a list");
  const values = items.map((each, at) => read(each, `${path}[${at}]`));
  return new Set(values).size === values.length ? Object.freeze(values) : wrong(path, "a list without repetition");
}

function rangedNumber(value: unknown, path: string, max: number): number {
  const number = wholeNumber(value, path, 0);
  return number <= max ? number : wrong(path, `a whole number of at most ${max}`);
}

function readKeyKind(value: unknown, path: string): "vcek" | "vlek" {
  return word(value, path, ["vcek", "vlek"]);
}

function readCspId(value: unknown, path: string): string {
  const fits = typeof value === "string" && /^[\x20-\x7e]{1,256}$/.test(value);
  return fits ? value : wrong(path, "1 to 256 printable ASCII characters");
}

function readSha384(value: unknown, path: string): string {
  const fits = typeof value === "string" && /^[0-9a-f]{96}$/.test(value);
  return fits ? value : wrong(path, "48 bytes in lower-case hex");
}

/** As the report holds it: Turin's 8 bytes are followed by zeros there. */
function readChipId(value: unknown, path: string): string {
  const fits = typeof value === "string" && /^([0-9a-f]{16}|[0-9a-f]{128})$/.test(value);
  return fits ? value.padEnd(128, "0") : wrong(path, "64 bytes in lower-case hex, or Turin's 8");
}

/** The strict default. */
export const strictSevSnpPolicy: SevSnpPolicy = readSevSnpPolicy(
  {
    // Whatever asks at another level shares the guest with code that can read all of it.
    vmpls: [0],
    // What the clouds' machines that were seen in 2026 run: it has the mitigations for BadRAM (CVE-2024-21944) and for forged
    // microcode (CVE-2024-56161). The key is derived from these versions, so a platform cannot claim more than it has.
    products: {
      milan: { bootloader: 4, tee: 0, snp: 0x18, microcode: 0xdb },
      genoa: { bootloader: 0x0a, tee: 0, snp: 0x17, microcode: 0x54 },
      siena: { bootloader: 0x0a, tee: 0, snp: 0x1b, microcode: 0x1b },
      turin: { fmc: 1, bootloader: 1, tee: 1, snp: 4, microcode: 0x51 },
    },
    // A VLEK is one key for many chips of a cloud: whoever takes it out of one of them signs for all.
    endorsementKeys: ["vcek"],
    cspIds: [],
    chips: { allow: "any", deny: [] },
    // The tuple of Reference Values pins what is measured; who signed its launch adds nothing to that.
    idKeyDigests: "any",
    authorKeyDigests: "any",
    // Memory behind a CXL link is memory behind a link that others can reach.
    guestPolicy: { require: [], forbid: ["cxlAllowed"] },
    // Launchers ask for ABI 0.0 or 0.31: the floors above say which firmware runs.
    minAbi: { major: 0, minor: 0 },
    // Without a completed alias check, memory modules that lie about their size defeat the protection (BadRAM).
    platformInfo: { require: ["aliasCheckComplete", "ecc"], forbid: [] },
  },
  "strictPolicy.sevSnp",
);
