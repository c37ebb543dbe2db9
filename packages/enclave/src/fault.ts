import type { EmitEvent } from "./parts.ts";

/** Exit code of a box that met a fault of its own. */
export const exitFault = 5;

/**
 * Ends the process at the first error that nobody caught: after that nothing here can be trusted to be as it should. The
 * error's text may hold what a caller or the application sent, so only its code is told, where it has the form of Node's.
 */
export function exitOnFault(onEvent: EmitEvent): void {
  process.on("uncaughtException", (error: NodeJS.ErrnoException) => {
    onEvent({
      event: "fault",
      code: /^[A-Z][A-Z0-9_]{0,63}$/.test(error?.code ?? "") ? (error.code ?? "") : "unknown",
    });
    process.exit(exitFault);
  });
}
