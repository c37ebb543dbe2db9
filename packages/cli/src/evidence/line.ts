/** How one value is shown. Types only. */
import type { JsonValue } from "@blindbox/encoding";

/** How a line is to be taken: `bad` takes protection away, `careful` is a thing to know, `good` is as it should be. */
export type Tone = "plain" | "good" | "careful" | "bad";

/** One line about a value. */
export interface Line {
  readonly text: string;
  readonly tone: Tone;
}

/** Values by name. */
export type Facts = Readonly<Record<string, JsonValue>>;

/** How one value is shown where its own form does not say enough. */
export type Show = (value: JsonValue, facts: Facts) => readonly Line[];
