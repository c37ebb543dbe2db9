/** What a real chip does in hardware: holds the key, knows the measurement, signs. */
import { hash, type KeyObject, sign, X509Certificate } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { encodeSimulatedReportBody, SIMULATED_TCB } from "@blindbox/attestation";
import { concatBytes, toBase64url } from "@blindbox/encoding";
import type { DeviceEvidence } from "../../parts.ts";
import { issueCrl } from "./certificates.ts";
import type { Identities } from "./keys.ts";

/** What differs from chip to chip. Only tests have others than {@link currentSilicon}. */
export interface Silicon {
  readonly debug: boolean;
  readonly tcb: bigint;
  /** Milliseconds that one report takes. */
  readonly delayMs: number;
}

export const currentSilicon: Silicon = Object.freeze({ debug: false, tcb: BigInt(SIMULATED_TCB), delayMs: 0 });

export interface SiliconParts {
  readonly silicon: Silicon;
  readonly identities: Identities;
  /** 48 bytes. */
  readonly measurement: Uint8Array;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** CRLs that are older are made anew, so that a device that runs for long never staples old ones. */
const crlAgeMs = 3_600_000;

/** Returns the device's one function: Evidence for a Binding of 64 bytes. */
export function createSilicon(parts: SiliconParts): (binding: Uint8Array) => Promise<DeviceEvidence> {
  const { silicon, identities, measurement } = parts;
  const chipId = chipIdOf(identities.device.certificate);
  const crls = createCrls(parts);
  return async (binding) => {
    if (silicon.delayMs > 0) await setTimeout(silicon.delayMs);
    const body = encodeSimulatedReportBody({ debug: silicon.debug, tcb: silicon.tcb, measurement, binding, chipId });
    const chain = [identities.device.certificate, identities.intermediate.certificate];
    const endorsements = { chain: chain.map((der) => toBase64url(der)), crls: await crls() };
    return { evidence: concatBytes(body, signRaw(body, identities.device.privateKey)), endorsements };
  };
}

function chipIdOf(certificate: Uint8Array): Uint8Array {
  const spki = new X509Certificate(certificate).publicKey.export({ format: "der", type: "spki" });
  return hash("sha256", spki, "buffer");
}

function signRaw(body: Uint8Array, key: KeyObject): Uint8Array {
  return sign("sha384", body, { key, dsaEncoding: "ieee-p1363" });
}

function createCrls({ identities, now }: SiliconParts): () => Promise<readonly string[]> {
  let made = Number.NEGATIVE_INFINITY;
  let crls: Promise<readonly string[]> = Promise.resolve([]);
  const issue = async (at: number): Promise<readonly string[]> => [
    toBase64url(await issueCrl("root", identities.root.privateKey, at)),
    toBase64url(await issueCrl("intermediate", identities.intermediate.privateKey, at)),
  ];
  return () => {
    const at = now();
    if (at - made < crlAgeMs) return crls;
    made = at;
    crls = issue(at);
    return crls;
  };
}
