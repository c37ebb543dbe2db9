import type { Writable } from "node:stream";
import type { BoxEvent, EmitEvent } from "./parts.ts";

/** Writes each event as one line of JSON. A reader that went away is no reason to stop. */
export function createEventWriter(out: Writable): EmitEvent {
  out.on("error", () => {});
  return (event: BoxEvent) => {
    out.write(`${JSON.stringify(event)}\n`);
  };
}
