/** What could make this process something else than its measured code, and is shut before anything secret exists. */
import { existsSync } from "node:fs";
import { url as inspectorUrl } from "node:inspector";
import { orRefuse, RefusalError } from "./refusal.ts";
import { forbidCoreDumps } from "./sandbox/index.ts";

const init = "/usr/bin/tini";

/**
 * As PID 1, becomes the child of an init that reaps orphans and passes signals on, since Node does neither. Does not
 * return then: the same program starts anew, with an empty environment.
 *
 * @throws RefusalError with code `init-missing`
 */
export function runBelowInit(): void {
  if (process.pid !== 1) return;
  if (!existsSync(init) || process.execve === undefined) {
    throw new RefusalError(
      "init-missing",
      `PID 1 needs ${init} and a Node with process.execve`,
      "use the image that build writes",
    );
  }
  const program = [process.execPath, ...process.execArgv, "--disable-sigusr1", ...process.argv.slice(1)];
  process.execve(init, [init, "-g", "--", ...program], { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" });
}

/**
 * Refuses to go on where the environment can have changed what runs here, and keeps SIGUSR1 from opening a debugger.
 *
 * @throws RefusalError with code `environment-unsafe`
 */
export function refuseDebugging(): void {
  process.on("SIGUSR1", () => {});
  const variable = ["NODE_OPTIONS", "LD_PRELOAD", "LD_AUDIT"].find((name) => process.env[name] !== undefined);
  if (variable !== undefined) {
    throw new RefusalError("environment-unsafe", `${variable} is set`, "start the box with an empty environment");
  }
  if (inspectorUrl() !== undefined) {
    throw new RefusalError("environment-unsafe", "a debugger is open", "start the box without inspector options");
  }
}

/**
 * Keeps what this process and its children have in memory out of core dumps, wherever the machine sends those.
 *
 * @param scratch the sandbox's: an absolute path, made if it is not there
 * @throws RefusalError with code `sandbox-failed`
 */
export function refuseCoreDumps(scratch: string): Promise<void> {
  return orRefuse("sandbox-failed", "choose another --scratch", () => forbidCoreDumps(scratch));
}
