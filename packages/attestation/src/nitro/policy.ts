/** What the verifying side accepts of the TEE `nitro`. */
import { exactMembers } from "../arguments.ts";

/** For the TEE `nitro`. */
export interface NitroPolicy {}

/** The strict default. */
export const strictNitroPolicy: NitroPolicy = Object.freeze({});

/** A frozen copy. @throws TypeError naming the member that is missing, unknown or wrong. */
export function readNitroPolicy(value: unknown, path: string): NitroPolicy {
  exactMembers(value, path, []);
  return Object.freeze({});
}
