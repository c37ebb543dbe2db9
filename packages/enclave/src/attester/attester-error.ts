const messages = {
  "queue-full": "more callers wait for Evidence than the queue takes",
  "device-failed": "the TEE's device gave no Evidence",
};

/** Why no Evidence could be given. */
export class AttesterError extends Error {
  readonly code: keyof typeof messages;

  constructor(code: keyof typeof messages, options?: ErrorOptions) {
    super(messages[code], options);
    this.name = "AttesterError";
    this.code = code;
  }
}
