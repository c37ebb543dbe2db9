/** What explanations are. Types only. */

/** What a check keeps from happening, and the specification of what it compares; `null` where there is none but ours. */
export type Explanation = readonly [means: string, specification: string | null];

/** Explanations by check. */
export type Explanations = Readonly<Record<string, Explanation>>;
