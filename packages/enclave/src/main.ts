/** Entry of the production enclave. No way leads from here to the simulated TEE. */
import { findHardware } from "./hardware.ts";
import { thisMachine } from "./machine.ts";
import { run } from "./run.ts";

await run(process.argv.slice(2), {
  extra: { endorsements: "optional" },
  findProvider: ({ endorsements }, onEvent) => findHardware({ machine: thisMachine(), endorsements, onEvent }),
});
