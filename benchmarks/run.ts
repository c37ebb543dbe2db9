/** Runs all benchmarks one after the other, and prints one table. */
import { measureAttestedSession } from "./attested-session.ts";
import { bounded } from "./bounded.ts";
import { measureChallengeBatching } from "./challenge-batching.ts";
import { measureGatewayCpu } from "./gateway-cpu.ts";
import { printResults } from "./table.ts";

printResults([
  await bounded(measureAttestedSession),
  await bounded(measureGatewayCpu),
  await bounded(measureChallengeBatching),
]);
