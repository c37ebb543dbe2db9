import { strictPolicy, type AppraisalPolicy, type Tee } from "@blindbox/attestation";
import type { Release } from "@blindbox/release";
import type { Timeouts } from "../transport/transport.ts";
import { type CheckedCredentials, readCredentials } from "./credentials.ts";
import { readInteger, readMembers, wrong } from "./members.ts";
import type { AcceptableWarning } from "./options.ts";
import { readReleases } from "./releases.ts";
import { type CheckedRequire, readRequire } from "./requirement.ts";

/** {@link VerifyOptions} after every check, with nothing left out. */
export interface CheckedVerifyOptions {
  readonly releases: readonly Release[];
  readonly tees: readonly Tee[];
  readonly require: CheckedRequire;
  readonly policy: AppraisalPolicy;
  readonly accept: readonly AcceptableWarning[];
  readonly timeouts: Timeouts;
  readonly now: () => Date;
}

/** {@link SessionOptions} after every check, with nothing left out. */
export interface CheckedSessionOptions extends CheckedVerifyOptions {
  readonly credentials: CheckedCredentials;
  readonly maxEvidenceAge: number;
  readonly maxConnections: number;
}

const verifyMembers = {
  required: ["release", "tees", "require"],
  optional: ["policy", "binding", "accept", "timeouts", "now"],
};

const sessionMembers = {
  required: [...verifyMembers.required, "credentials"],
  optional: [...verifyMembers.optional, "maxEvidenceAge", "maxConnections"],
};

/** Most that a timer of a web runtime takes: 2^31 - 1 milliseconds. */
const maxMilliseconds = 2_147_483_647;

/** Evidence older than a year protects nothing. */
const maxAge = 31_536_000;

/** @throws TypeError naming the member that is missing, unknown or wrong. */
export function readVerifyOptions(options: unknown): CheckedVerifyOptions {
  return checkVerifyOptions(readMembers(options, "options", verifyMembers));
}

/** @throws TypeError naming the member that is missing, unknown or wrong. */
export function readSessionOptions(options: unknown): CheckedSessionOptions {
  const members = readMembers(options, "options", sessionMembers);
  const age = { min: 1, max: maxAge, fallback: 3600, unit: "seconds" };
  const connections = { min: 1, max: 4096, fallback: 64, unit: "connections" };
  return {
    ...checkVerifyOptions(members),
    credentials: readCredentials(members["credentials"]),
    maxEvidenceAge: readInteger(members["maxEvidenceAge"], "options.maxEvidenceAge", age),
    maxConnections: readInteger(members["maxConnections"], "options.maxConnections", connections),
  };
}

function checkVerifyOptions(members: Readonly<Record<string, unknown>>): CheckedVerifyOptions {
  checkBinding(members["binding"]);
  return {
    releases: readReleases(members["release"]),
    tees: readTees(members["tees"]),
    require: readRequire(members["require"]),
    policy: members["policy"] === undefined ? strictPolicy : (members["policy"] as AppraisalPolicy),
    accept: readAccept(members["accept"]),
    timeouts: readTimeouts(members["timeouts"]),
    now: readClock(members["now"]),
  };
}

function checkBinding(value: unknown): void {
  if (value === undefined || value === "tls-exporter") return;
  if (value === "tls-key") throw new TypeError('options.binding "tls-key" is not supported yet');
  throw wrong("options.binding", '"tls-exporter"');
}

function readTees(value: unknown): readonly Tee[] {
  if (!Array.isArray(value) || value.length === 0) throw wrong("options.tees", "a list of at least one TEE");
  return [...(value as readonly Tee[])];
}

function readAccept(value: unknown): readonly AcceptableWarning[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw wrong("options.accept", "a list");
  return value.map((warning: unknown) => {
    if (warning === "release-unsigned" || warning === "debug") return warning;
    throw wrong("options.accept", 'a list of "release-unsigned" and "debug"');
  });
}

function readTimeouts(value: unknown): Timeouts {
  const names = ["connect", "attestation", "headers", "body"];
  const members = value === undefined ? {} : readMembers(value, "options.timeouts", { required: [], optional: names });
  const read = (name: string, fallback: number): number => {
    const range = { min: 1, max: maxMilliseconds, fallback, unit: "milliseconds" };
    return readInteger(members[name], `options.timeouts.${name}`, range);
  };
  return {
    connect: read("connect", 10_000),
    attestation: read("attestation", 30_000),
    headers: read("headers", 300_000),
    body: read("body", 300_000),
  };
}

function readClock(value: unknown): () => Date {
  if (value === undefined) return () => new Date();
  if (typeof value !== "function") throw wrong("options.now", "a function that returns a Date");
  return value as () => Date;
}
