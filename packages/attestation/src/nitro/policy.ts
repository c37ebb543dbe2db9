/** What the verifying side accepts of the TEE `nitro`. */
import { exactMembers, nonEmptyList, wholeNumber, wrong } from "../arguments.ts";

/** Values of one PCR that are accepted, 48 bytes in lower-case hex each; `"any"` has to be written, and a list is never empty. */
export type PcrRule = "any" | readonly string[];

/** For the TEE `nitro`. Every member is required. */
export interface NitroPolicy {
  /**
   * How long before `now` the module may have made the document, by the hypervisor's clock, in whole seconds. It may not be
   * later than `now` by more than the policy's `maxClockSkew`.
   */
  readonly maxDocumentAge: number;
  /** PCR3: SHA-384 of 48 zero bytes and SHA-384 of the parent instance's IAM role ARN. All zero without a role. */
  readonly instanceRoles: PcrRule;
  /** PCR4: the same of the parent instance's id. */
  readonly instances: PcrRule;
  /** PCR8: the same of the certificate that signed the image. All zero where none did. */
  readonly imageSigners: PcrRule;
}

const members: readonly (keyof NitroPolicy)[] = ["maxDocumentAge", "instanceRoles", "instances", "imageSigners"];

/** A frozen copy. @throws TypeError naming the member that is missing, unknown or wrong. */
export function readNitroPolicy(value: unknown, path: string): NitroPolicy {
  const policy = exactMembers(value, path, members);
  return Object.freeze({
    maxDocumentAge: wholeNumber(policy["maxDocumentAge"], `${path}.maxDocumentAge`, 0),
    instanceRoles: readRule(policy["instanceRoles"], `${path}.instanceRoles`),
    instances: readRule(policy["instances"], `${path}.instances`),
    imageSigners: readRule(policy["imageSigners"], `${path}.imageSigners`),
  });
}

function readRule(value: unknown, path: string): PcrRule {
  if (value === "any") return value;
  if (!Array.isArray(value)) return wrong(path, '"any" or a list');
  const values = nonEmptyList(value, path).map((each, at) => readPcr(each, `${path}[${at}]`));
  return new Set(values).size === values.length ? Object.freeze(values) : wrong(path, "a list without repetition");
}

function readPcr(value: unknown, path: string): string {
  const fits = typeof value === "string" && /^[0-9a-f]{96}$/.test(value);
  return fits ? value : wrong(path, "48 bytes in lower-case hex");
}

/** The strict default. */
export const strictNitroPolicy: NitroPolicy = readNitroPolicy(
  {
    // A box has its document made for each batch of askers: one that is older was kept back by somebody.
    maxDocumentAge: 300,
    // The tuple of Reference Values pins all that runs, so whose machine it runs on changes nothing that it does: who wants one
    // customer's role, one machine or one signer alone says so here.
    instanceRoles: "any",
    instances: "any",
    imageSigners: "any",
  },
  "strictPolicy.nitro",
);
