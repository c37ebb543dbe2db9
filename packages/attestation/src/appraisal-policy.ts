/** The Appraisal Policy: what the verifying side accepts. Every member is required; what is not said is not allowed. */
import { distinctTexts, exactMembers, wholeNumber, word } from "./arguments.ts";
import { readAzureVtpmPolicy, strictAzureVtpmPolicy, type AzureVtpmPolicy } from "./azure-vtpm/policy.ts";
import { CRL_ISSUERS, ENDORSEMENT_KINDS, type CrlIssuer, type EndorsementKind } from "./endorsement-kinds.ts";
import { readExceptions, type AppraisalException } from "./exceptions.ts";
import { readNitroPolicy, strictNitroPolicy, type NitroPolicy } from "./nitro/policy.ts";
import { SELF_TEST_PROBES } from "./self-test.ts";
import { readSevSnpPolicy, strictSevSnpPolicy, type SevSnpPolicy } from "./sev-snp/policy.ts";
import { readSimulatedPolicy, strictSimulatedPolicy, type SimulatedPolicy } from "./simulated/policy.ts";
import { readTdxPolicy, strictTdxPolicy, type TdxPolicy } from "./tdx/policy.ts";
import type { BindingMode } from "./types.ts";

/** What the verifying side accepts. There are no defaults: start from {@link strictPolicy} and say what differs. */
export interface AppraisalPolicy {
  /** `allow` accepts a TEE whose memory its host may read, as a `warning`. For development only. */
  readonly debug: "refuse" | "allow";
  /** The weakest tie between Evidence and connection that is accepted. `none` lets a thief of the box's key relay. */
  readonly minimumBinding: BindingMode;
  /** How far the box's clock may be from `now`, either way, in seconds. */
  readonly maxClockSkew: number;
  /** Names of the Sandbox drivers that are accepted. Never empty. */
  readonly sandboxDrivers: readonly string[];
  /** The closed list of self-test probes: each must be reported, none more, and all denied. Never empty. */
  readonly selfTestProbes: readonly string[];
  /** How long ago each kind of Endorsement may have been issued, in seconds, however long its issuer calls it good. */
  readonly maxEndorsementAge: Readonly<Record<EndorsementKind, number>>;
  /** The lowest CRL number that is accepted, by issuer: a host could staple an older list that is not expired yet. */
  readonly minCrlNumber: Readonly<Record<CrlIssuer, number>>;
  /** Failures that are accepted on purpose, each until a day. With one in use the status is at most `warning`. */
  readonly exceptions: readonly AppraisalException[];
  readonly sevSnp: SevSnpPolicy;
  readonly tdx: TdxPolicy;
  readonly nitro: NitroPolicy;
  readonly azureVtpm: AzureVtpmPolicy;
  readonly simulated: SimulatedPolicy;
}

const members: readonly (keyof AppraisalPolicy)[] = [
  "debug",
  "minimumBinding",
  "maxClockSkew",
  "sandboxDrivers",
  "selfTestProbes",
  "maxEndorsementAge",
  "minCrlNumber",
  "exceptions",
  "sevSnp",
  "tdx",
  "nitro",
  "azureVtpm",
  "simulated",
];

const day = 24 * 3600;

/** The strict default. Frozen: a laxer policy is a new object that says what it relaxes. */
export const strictPolicy: AppraisalPolicy = readAppraisalPolicy({
  debug: "refuse",
  minimumBinding: "tls-exporter",
  maxClockSkew: 300,
  sandboxDrivers: ["rooted", "unprivileged"],
  selfTestProbes: SELF_TEST_PROBES,
  // AMD and Intel's root reissue their lists once a year; what Intel dates for 30 days it reissues every day.
  maxEndorsementAge: {
    amdCrl: 400 * day,
    intelRootCrl: 400 * day,
    intelPckCrl: 30 * day,
    tcbInfo: 30 * day,
    qeIdentity: 30 * day,
    simulatedCrl: 30 * day,
  },
  minCrlNumber: {
    // The numbers of the lists of May 2025 (Milan) and October 2024 (Genoa).
    amdMilan: 6,
    amdGenoa: 4,
    amdTurin: 0,
    intelRoot: 0,
    intelPlatform: 0,
    intelProcessor: 0,
    simulated: 0,
  },
  exceptions: [],
  sevSnp: strictSevSnpPolicy,
  tdx: strictTdxPolicy,
  nitro: strictNitroPolicy,
  azureVtpm: strictAzureVtpmPolicy,
  simulated: strictSimulatedPolicy,
});

/**
 * A frozen copy of a caller's policy.
 *
 * @throws TypeError naming the path of a member that is missing, unknown or not what it has to be.
 */
export function readAppraisalPolicy(value: unknown): AppraisalPolicy {
  const policy = exactMembers(value, "policy", members);
  return Object.freeze({
    debug: word(policy["debug"], "policy.debug", ["refuse", "allow"]),
    minimumBinding: word(policy["minimumBinding"], "policy.minimumBinding", ["tls-exporter", "none"]),
    maxClockSkew: wholeNumber(policy["maxClockSkew"], "policy.maxClockSkew", 0),
    sandboxDrivers: distinctTexts(policy["sandboxDrivers"], "policy.sandboxDrivers"),
    selfTestProbes: distinctTexts(policy["selfTestProbes"], "policy.selfTestProbes"),
    maxEndorsementAge: numbers(policy["maxEndorsementAge"], "policy.maxEndorsementAge", ENDORSEMENT_KINDS),
    minCrlNumber: numbers(policy["minCrlNumber"], "policy.minCrlNumber", CRL_ISSUERS),
    exceptions: readExceptions(policy["exceptions"]),
    sevSnp: readSevSnpPolicy(policy["sevSnp"], "policy.sevSnp"),
    tdx: readTdxPolicy(policy["tdx"], "policy.tdx"),
    nitro: readNitroPolicy(policy["nitro"], "policy.nitro"),
    azureVtpm: readAzureVtpmPolicy(policy["azureVtpm"], "policy.azureVtpm"),
    simulated: readSimulatedPolicy(policy["simulated"], "policy.simulated"),
  });
}

function numbers<Name extends string>(
  value: unknown,
  path: string,
  names: readonly Name[],
): Readonly<Record<Name, number>> {
  const given = exactMembers(value, path, names);
  const entries = names.map((name) => [name, wholeNumber(given[name], `${path}.${name}`, 0)]);
  return Object.freeze(Object.fromEntries(entries) as Record<Name, number>);
}
