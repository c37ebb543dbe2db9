/** Entry for runtimes with files (Node, Bun, Deno): the pack's path is the argument, the answers go to standard output. */
import { readFileSync } from "node:fs";
import { answersText, runSuite, type Pack } from "./suite.ts";

const pack = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as Pack;
process.stdout.write(answersText(await runSuite(pack)));
