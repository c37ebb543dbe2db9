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
    throw new DeviceError(code, error instanceof Error ? error.message : "unknown error", hint, { cause: error });
  }
}
