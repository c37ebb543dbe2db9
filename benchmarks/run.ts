/** Runs all benchmarks one after the other, and prints one table. */
import { measureAccess } from "./access.ts";
import { measureAttestedSession } from "./attested-session.ts";
import { bounded } from "./bounded.ts";
import { measureChallengeBatching } from "./challenge-batching.ts";
import { measureEgress } from "./egress.ts";
import { measureGatewayCpu } from "./gateway-cpu.ts";
import { measureSandboxIngress } from "./sandbox-ingress.ts";
import { measureStartUp } from "./start-up.ts";
import { printResults } from "./table.ts";

printResults([
  await bounded(measureAttestedSession),
  await bounded(measureGatewayCpu),
  await bounded(measureAccess),
  await bounded(measureChallengeBatching),
  await bounded(measureSandboxIngress),
  await bounded(measureEgress),
  await bounded(measureStartUp),
]);
