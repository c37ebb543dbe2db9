/** Why there is no sandbox. Each of these keeps the box from starting; none of them weakens it. */
export type SandboxErrorCode =
  | "architecture-unsupported"
  | "tool-missing"
  | "driver-unavailable"
  | "scratch-unusable"
  | "namespace-refused"
  | "network-setup-failed"
  | "limits-refused"
  | "rootfs-unusable"
  | "app-start-failed"
  | "gate-down"
  | "dial-failed"
  | "self-test-failed"
  | "closed";

/** `code` is public and stable, `reason` names facts of this machine, `hint` the next step. */
export class SandboxError extends Error {
  override readonly name: string = "SandboxError";
  readonly code: SandboxErrorCode;
  readonly reason: string;
  readonly hint: string;

  constructor(code: SandboxErrorCode, reason: string, hint: string) {
    super(`${code}: ${reason}`);
    this.code = code;
    this.reason = reason;
    this.hint = hint;
  }
}
