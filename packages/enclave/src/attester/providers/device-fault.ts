/** Why a TEE's device gave no Evidence. */
import { EncodingError } from "@blindbox/encoding";

export type DeviceFaultCode =
  /** Nothing is there that could be asked. */
  | "absent"
  /** The kernel does not let this process ask. */
  | "denied"
  /** It stayed busy, or was disturbed by another process, for as many attempts as are made. */
  | "busy"
  /** It answered with an error of its own. */
  | "failed"
  /** It answered something that is no Evidence of ours. */
  | "malformed";

const hints: Readonly<Record<DeviceFaultCode, string>> = {
  absent: "start the box inside a TEE, and with the device of that TEE passed on to it",
  denied: "run the box as root, with the device readable and writable for it",
  busy: "let no other process ask the device all the time; hosts limit how often it may be asked",
  failed: "the kernel log of this machine says more; where the host is at fault, move to another one",
  malformed: "look for a newer BlindBox: the device answers in a form that this version does not know",
};

/** A device gave no Evidence. Messages hold numbers and names of errors, never bytes that the host chose. */
export class DeviceFault extends Error {
  override readonly name = "DeviceFault";
  readonly code: DeviceFaultCode;
  /** The next step for whoever runs the machine. */
  readonly hint: string;

  constructor(code: DeviceFaultCode, reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.code = code;
    this.hint = hints[code];
  }
}

const missing: readonly string[] = ["ENOENT", "ENOTDIR", "ENXIO", "ENODEV"];
const forbidden: readonly string[] = ["EACCES", "EPERM", "EROFS"];

/** The name of a system error, `EBUSY` for instance; null for any other error. */
export function errnoOf(error: unknown): string | null {
  const code = error instanceof Error && "code" in error ? error.code : null;
  return typeof code === "string" && /^E[A-Z0-9]+$/.test(code) ? code : null;
}

/** What a system error at `path` means for whoever asks the device. Other errors are returned as they are. */
export function faultOf(error: unknown, path: string): unknown {
  const errno = errnoOf(error);
  if (errno === null) return error;
  if (missing.includes(errno)) return new DeviceFault("absent", `${path}: not there (${errno})`, { cause: error });
  if (forbidden.includes(errno)) return new DeviceFault("denied", `${path}: not allowed (${errno})`, { cause: error });
  return new DeviceFault("failed", `${path}: ${errno}`, { cause: error });
}

/**
 * What `read` makes of what a device answered; `what` is what that ought to be.
 *
 * @throws DeviceFault `malformed`, with the field that is wrong, where `read` throws an EncodingError.
 */
export function readAnswer<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof EncodingError)) throw error;
    throw new DeviceFault("malformed", `expected ${what}: ${error.message}`, { cause: error });
  }
}
