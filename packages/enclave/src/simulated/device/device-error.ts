/** Why the simulated device does not start. */
export type DeviceErrorCode = "arguments-invalid" | "image-invalid" | "state-unusable" | "socket-unusable";

export class DeviceError extends Error {
  readonly code: DeviceErrorCode;
  /** The next step for whoever starts the device. */
  readonly hint: string;

  constructor(code: DeviceErrorCode, reason: string, hint: string, options?: ErrorOptions) {
    super(reason, options);
    this.name = "DeviceError";
    this.code = code;
    this.hint = hint;
  }
}

/** Runs one step of the start; what it throws becomes a {@link DeviceError} with `code`, unless it is one already. */
export async function orDeviceError<T>(code: DeviceErrorCode, hint: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof DeviceError) throw error;
    const reason = error instanceof Error ? error.message : "unknown error";
    throw new DeviceError(code, reason, diskHint(error) ?? hint, { cause: error });
  }
}

const diskHints: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full: make room there",
  EDQUOT: "the disk quota is used up: make room there",
  EROFS: "the file system is read-only: name a place that you may write to",
  EACCES: "name a place that you may read and write",
  EPERM: "name a place that you may read and write",
};

/** Where the file system refuses, no other hint helps. */
function diskHint(error: unknown): string | null {
  const code = error instanceof Error && "code" in error ? error.code : null;
  return typeof code === "string" ? (diskHints[code] ?? null) : null;
}
