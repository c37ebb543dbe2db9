/** Builds a box in a process of its own: argument 1 is its options in JSON, the answer goes to standard output. */
import { buildBox } from "../../src/index.ts";

const { directory, imageDigest } = await buildBox(JSON.parse(process.argv[2] ?? ""));
process.stdout.write(JSON.stringify({ directory, imageDigest }));
