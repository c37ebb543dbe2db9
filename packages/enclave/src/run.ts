/** The life of the process around a box: arguments, refusals, signals, exit codes, events on standard output. */
import { type BoxArguments, type ExtraOptions, type ExtraValues, parseArguments } from "./arguments.ts";
import { createEventWriter } from "./events.ts";
import { exitFault, exitOnFault } from "./fault.ts";
import type { EmitEvent, EvidenceProvider } from "./parts.ts";
import { onParentEnd } from "./parent.ts";
import { refuseCoreDumps, refuseDebugging, runBelowInit } from "./protections.ts";
import { RefusalError } from "./refusal.ts";
import { type Box, startBox, type StopGrace } from "./start.ts";

/** What one entry of the enclave adds to the others. */
export interface Entry<Extra extends ExtraOptions> {
  /** Its own options. */
  readonly extra: Extra;
  /** Finds the TEE's device. Throws RefusalError with code `no-tee-device` where there is none. */
  readonly findProvider: (
    extra: ExtraValues<Extra>,
    onEvent: EmitEvent,
  ) => EvidenceProvider | Promise<EvidenceProvider>;
}

/** Stopped when asked to. */
const exitStopped = 0;
const exitRefused = 1;
const exitBadArguments = 2;
const exitOrphaned = 3;

// Together below the 30 s that orchestrators give by default.
const grace: StopGrace = { requests: 20_000, app: 5_000 };

/** Runs a box until it is told to stop by SIGTERM or SIGINT; a second signal ends it at once. */
export async function run<const Extra extends ExtraOptions>(
  argv: readonly string[],
  entry: Entry<Extra>,
): Promise<void> {
  const onEvent = createEventWriter(process.stdout);
  exitOnFault(onEvent);
  try {
    runBelowInit();
    refuseDebugging();
    const { extra, ...options }: BoxArguments<Extra> = parseArguments(argv, entry.extra);
    // Nobody waits for an answer any more: the kernel takes the sandbox down with this process.
    if (options.exitWithParent) onParentEnd(() => process.exit(exitOrphaned));
    const provider = await entry.findProvider(extra, onEvent);
    await refuseCoreDumps(options.scratch);
    stopOnSignal(await startBox({ ...options, provider, onEvent }), onEvent);
  } catch (error) {
    if (!(error instanceof RefusalError)) throw error;
    onEvent({ event: "refused", code: error.code, reason: error.message, hint: error.hint });
    process.exit(error.code === "arguments-invalid" ? exitBadArguments : exitRefused);
  }
}

function stopOnSignal(box: Box, onEvent: EmitEvent): void {
  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) process.exit(exitFault);
    stopping = true;
    onEvent({ event: "stopping" });
    await box.stop(grace);
    onEvent({ event: "stopped" });
    process.exit(exitStopped);
  };
  process.on("SIGTERM", () => void stop());
  process.on("SIGINT", () => void stop());
}
