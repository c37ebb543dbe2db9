/** What the verifying side accepts of the TEE `azure-vtpm`, beside what it accepts of the hardware below (`sevSnp`, `tdx`). */
import { distinctTexts, exactMembers, word, wrong } from "../arguments.ts";
import { MICROSOFT_ID_KEYS } from "./roots.ts";

/** For the TEE `azure-vtpm`. Every member is required; `"any"` has to be written. */
export interface AzureVtpmPolicy {
  /**
   * On SEV-SNP: SHA-384 of the keys that may have signed the paravisor's launch, 48 bytes in lower-case hex. Never empty. `any`
   * leaves it to the tuple of Reference Values alone to say whose paravisor it is. Has no bearing on TDX, which has no such key.
   */
  readonly idKeyDigests: "any" | readonly string[];
  /** `require`: the machine was started with Secure Boot, as the paravisor says. */
  readonly secureBoot: "require" | "any";
  /** `forbid`: no serial console leads into the machine, as the paravisor says. */
  readonly console: "forbid" | "any";
}

/** The strict default. */
export const strictAzureVtpmPolicy: AzureVtpmPolicy = Object.freeze({
  // Whoever else signs a paravisor signs one whose virtual TPM quotes what its maker likes.
  idKeyDigests: MICROSOFT_ID_KEYS,
  // Without it the PCRs still say what was started; with it the firmware refuses what its key list does not name as well.
  secureBoot: "require",
  // Azure reports a console for every machine that was seen. What answers on it is measured like everything else in the image.
  console: "any",
});

/** A frozen copy. @throws TypeError naming the member that is missing, unknown or wrong. */
export function readAzureVtpmPolicy(value: unknown, path: string): AzureVtpmPolicy {
  const policy = exactMembers(value, path, ["idKeyDigests", "secureBoot", "console"]);
  return Object.freeze({
    idKeyDigests: readIdKeys(policy["idKeyDigests"], `${path}.idKeyDigests`),
    secureBoot: word(policy["secureBoot"], `${path}.secureBoot`, ["require", "any"]),
    console: word(policy["console"], `${path}.console`, ["forbid", "any"]),
  });
}

function readIdKeys(value: unknown, path: string): AzureVtpmPolicy["idKeyDigests"] {
  if (value === "any") return "any";
  const digests = distinctTexts(value, path);
  const bad = digests.findIndex((digest) => !/^[0-9a-f]{96}$/.test(digest));
  return bad === -1 ? digests : wrong(`${path}[${bad}]`, "48 bytes in lower-case hex");
}
