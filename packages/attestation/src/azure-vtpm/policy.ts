/** What the verifying side accepts of the TEE `azure-vtpm`. */
import { exactMembers } from "../arguments.ts";

/** For the TEE `azure-vtpm`. */
export interface AzureVtpmPolicy {}

/** The strict default. */
export const strictAzureVtpmPolicy: AzureVtpmPolicy = Object.freeze({});

/** A frozen copy. @throws TypeError naming the member that is missing, unknown or wrong. */
export function readAzureVtpmPolicy(value: unknown, path: string): AzureVtpmPolicy {
  exactMembers(value, path, []);
  return Object.freeze({});
}
