/** The errors of a refusal. One row a class says which steps and checks it stands for. */
import type { AttestationResult, Finding, Step } from "./types.ts";

/** Codes of {@link AttestationError}, one a class. */
export type AttestationErrorCode =
  | "not-an-enclave"
  | "invalid-enclave-code"
  | "debug-mode"
  | "outdated-platform"
  | "revoked-endorsement"
  | "channel-binding"
  | "stale-evidence"
  | "security-policy"
  | "untrusted-release"
  | "outdated-release";

/** A box was refused. `findings` holds every comparison; the message tells of the first that did not pass. */
export class AttestationError extends Error {
  override name: string = "AttestationError";
  readonly code: AttestationErrorCode;
  readonly result: AttestationResult;
  readonly findings: readonly Finding[];
  /** The next step, where one is known. */
  readonly hint: string | undefined;

  constructor(code: AttestationErrorCode, result: AttestationResult, cause: Finding) {
    super(`${cause.check}: ${cause.reason} Expected ${cause.expected}; got ${cause.actual}.`);
    this.code = code;
    this.result = result;
    this.findings = result.findings;
    this.hint = cause.hint;
  }
}

/** No Evidence, malformed Evidence, no signature under a pinned root, or a kind of TEE that is not accepted. */
export class NotAnEnclaveError extends AttestationError {
  override name: string = "NotAnEnclaveError";
  constructor(result: AttestationResult, cause: Finding) {
    super("not-an-enclave", result, cause);
  }
}

/** A genuine TEE that runs something else than a published Release. */
export class InvalidEnclaveCode extends AttestationError {
  override name: string = "InvalidEnclaveCode";
  constructor(result: AttestationResult, cause: Finding) {
    super("invalid-enclave-code", result, cause);
  }
}

/** A genuine TEE in debug mode: its host can read its memory. */
export class DebugModeError extends AttestationError {
  override name: string = "DebugModeError";
  constructor(result: AttestationResult, cause: Finding) {
    super("debug-mode", result, cause);
  }
}

/** A genuine TEE whose platform is below what the policy demands. */
export class OutdatedPlatformError extends AttestationError {
  override name: string = "OutdatedPlatformError";
  constructor(result: AttestationResult, cause: Finding) {
    super("outdated-platform", result, cause);
  }
}

/** An Endorsement is revoked, or nothing current proves that it is not. */
export class RevokedEndorsementError extends AttestationError {
  override name: string = "RevokedEndorsementError";
  constructor(result: AttestationResult, cause: Finding) {
    super("revoked-endorsement", result, cause);
  }
}

/** The Evidence belongs to another connection, another nonce or another key. */
export class ChannelBindingError extends AttestationError {
  override name: string = "ChannelBindingError";
  constructor(result: AttestationResult, cause: Finding) {
    super("channel-binding", result, cause);
  }
}

/** The Evidence is too old, or the box's clock is off. */
export class StaleEvidenceError extends AttestationError {
  override name: string = "StaleEvidenceError";
  constructor(result: AttestationResult, cause: Finding) {
    super("stale-evidence", result, cause);
  }
}

/** The Manifest or the Sandbox is not what was required. The message tells of everything that is too wide. */
export class SecurityPolicyError extends AttestationError {
  override name: string = "SecurityPolicyError";
  constructor(result: AttestationResult, cause: Finding) {
    super("security-policy", result, cause);
    this.message += alsoFailed(result, cause);
  }
}

const maxAlso = 16;

function alsoFailed({ findings }: AttestationResult, cause: Finding): string {
  const others = findings.filter((each) => each.step === cause.step && each.status === "failed" && each !== cause);
  const told = others.slice(0, maxAlso).map((each) => ` ${each.check}: expected ${each.expected}; got ${each.actual}.`);
  const rest = others.length - told.length;
  return told.join("") + (rest > 0 ? ` And ${rest} more.` : "");
}

/** The Release is not signed, logged or vouched for as required. */
export class UntrustedReleaseError extends AttestationError {
  override name: string = "UntrustedReleaseError";
  constructor(result: AttestationResult, cause: Finding) {
    super("untrusted-release", result, cause);
  }
}

/** The Release is genuine and superseded, expired or revoked. */
export class OutdatedReleaseError extends AttestationError {
  override name: string = "OutdatedReleaseError";
  constructor(result: AttestationResult, cause: Finding) {
    super("outdated-release", result, cause);
  }
}

type ErrorClass = new (result: AttestationResult, cause: Finding) => AttestationError;

const stepOrder: readonly Step[] = [
  "parse",
  "authenticate",
  "platform",
  "measurement",
  "binding",
  "freshness",
  "channel",
  "manifest",
  "sandbox",
  "release",
];

const classOfStep: Readonly<Record<Step, ErrorClass>> = {
  parse: NotAnEnclaveError,
  authenticate: NotAnEnclaveError,
  platform: OutdatedPlatformError,
  measurement: InvalidEnclaveCode,
  binding: ChannelBindingError,
  freshness: ChannelBindingError,
  channel: ChannelBindingError,
  manifest: SecurityPolicyError,
  sandbox: SecurityPolicyError,
  release: UntrustedReleaseError,
};

/** Checks whose failure means something else than their step's does. */
const classOfCheck: ReadonlyMap<string, ErrorClass> = new Map([
  ["debug", DebugModeError],
  ["certificate-revocation", RevokedEndorsementError],
  ["crl-presence", RevokedEndorsementError],
  ["collateral-presence", RevokedEndorsementError],
  ["collateral-validity", RevokedEndorsementError],
  ["tcb-evaluation-number", RevokedEndorsementError],
  ["crl-issuer", RevokedEndorsementError],
  ["crl-signature", RevokedEndorsementError],
  ["crl-validity", RevokedEndorsementError],
  ["endorsement-age", RevokedEndorsementError],
  ["crl-number", RevokedEndorsementError],
  ["document-nonce", ChannelBindingError],
  ["document-public-key", ChannelBindingError],
  ["clock", StaleEvidenceError],
  ["evidence-age", StaleEvidenceError],
  ["release-sequence", OutdatedReleaseError],
  ["release-age", OutdatedReleaseError],
  ["release-revocation", OutdatedReleaseError],
]);

/** What is worse comes first: a warning never names the error while something failed. */
const severity: readonly Finding["status"][] = ["failed", "skipped", "warning"];

/**
 * The error for a result that its caller does not accept. The first failed step chooses the class; where nothing failed
 * (a warning that was not accepted), the first skipped check does, then the first warning.
 *
 * @throws TypeError where every check passed: there is nothing to refuse.
 * @example `if (result.status === "contraindicated") throw errorFor(result);`
 */
export function errorFor(result: AttestationResult): AttestationError {
  const inOrder = stepOrder.flatMap((step) => result.findings.filter((finding) => finding.step === step));
  const first = severity.map((status) => inOrder.find((finding) => finding.status === status));
  const cause = first.find((finding) => finding !== undefined);
  if (cause === undefined) throw new TypeError("errorFor: every finding of this result passed");
  const Class = classOfCheck.get(cause.check) ?? classOfStep[cause.step];
  return new Class(result, cause);
}
