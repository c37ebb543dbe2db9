/** Runs a box in a process of its own, to be killed: argument 1 is the options in JSON; prints every event. */
import { runBox } from "../../src/index.ts";

await runBox({
  ...JSON.parse(process.argv[2] ?? ""),
  onEvent: (event) => void process.stdout.write(`${JSON.stringify(event)}\n`),
});
