/** No box without a tight sandbox: the self-test's verdict, and the text that the Statement vouches for. */
import { formatSelfTest, SELF_TEST_PROBES } from "@blindbox/attestation";
import type { ProbeResult, Sandbox } from "./parts.ts";
import { orRefuse, RefusalError } from "./refusal.ts";

/**
 * Runs the self-test and returns its exact text.
 *
 * @throws RefusalError with code `self-test-failed` where a probe of the closed list is missing, one more is there, or
 * one was not denied.
 */
export async function demandTightSandbox(sandbox: Pick<Sandbox, "driver" | "selfTest">): Promise<string> {
  const hint = "run the box where the kernel allows namespaces and seccomp; nothing is started with a weaker sandbox";
  const results = await orRefuse("self-test-failed", hint, () => sandbox.selfTest());
  const bad = [...SELF_TEST_PROBES.filter((probe) => results[probe] !== "denied"), ...unknownProbes(results)];
  if (bad.length === 0) return formatSelfTest(results);
  throw new RefusalError("self-test-failed", `not denied in the ${sandbox.driver} sandbox: ${bad.join(", ")}`, hint);
}

function unknownProbes(results: Readonly<Record<string, ProbeResult>>): string[] {
  return Object.keys(results).filter((probe) => !SELF_TEST_PROBES.includes(probe));
}
