/** Entry of the enclave on the simulated TEE. Its evidence is refused by every policy that does not ask for it. */
import { run } from "../run.ts";
import { createSimulatedProvider } from "./provider.ts";

await run(process.argv.slice(2), {
  extra: { device: "required" },
  findProvider: ({ device }) => createSimulatedProvider(device),
});
