/** Entry of the production enclave. No way leads from here to the simulated TEE. */
import { RefusalError } from "./refusal.ts";
import { run } from "./run.ts";

await run(process.argv.slice(2), {
  extra: [],
  findProvider: () => {
    throw new RefusalError(
      "no-tee-device",
      "no TEE device found: this version has no driver for hardware TEEs yet",
      "build with --tee simulated to try the box without TEE hardware",
    );
  },
});
