export { main } from "./main.ts";
export { exitCodes } from "./output/exit-codes.ts";
export type { ExitCode } from "./output/exit-codes.ts";
