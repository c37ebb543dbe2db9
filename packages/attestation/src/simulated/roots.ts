/** The root of the simulator: made on the user's machine, so the caller says which one it is. There is no default. */
import { EncodingError, parsePem } from "@blindbox/encoding";
import { exactMembers, wrong } from "../arguments.ts";
import { parseCertificate, type Certificate } from "../x509/index.ts";

/** The one root that a simulator's chain may end at. */
export interface PinnedRoot {
  readonly certificate: Certificate;
  readonly der: Uint8Array;
}

/**
 * Reads the caller's options.
 *
 * @throws TypeError where `root` is missing, is not one certificate, or stands beside an unknown member.
 */
export function readRoot(options: unknown): PinnedRoot {
  const { root } = exactMembers(options, "simulated", ["root"]);
  try {
    const der = rootDer(root);
    return { certificate: parseCertificate(der, "root"), der };
  } catch (error) {
    if (error instanceof EncodingError)
      return wrong("simulated.root", `one certificate (${error.field}: ${error.expected})`);
    throw error;
  }
}

function rootDer(root: unknown): Uint8Array {
  if (root instanceof Uint8Array) return root.slice();
  if (typeof root !== "string") return wrong("simulated.root", "one certificate, as PEM text or DER bytes");
  const [der, ...more] = parsePem(root, "CERTIFICATE");
  return der !== undefined && more.length === 0 ? der : wrong("simulated.root", "one certificate");
}
