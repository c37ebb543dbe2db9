import type { PinnedTls } from "../transport.ts";

function refuse(): never {
  throw new TypeError(
    "this runtime does not let a program see the TLS key of its own connection, so SecureSession and verifyBox cannot " +
      "bind Evidence to it: they need Node 22.19 or newer",
  );
}

/** Stands where the runtime has no way to attest a TLS connection. Refuses: there is no weaker mode to fall back to. */
export const pinnedTls: PinnedTls = {
  openTransport: () => Promise.resolve().then(refuse),
  attestOnce: () => Promise.resolve().then(refuse),
};
