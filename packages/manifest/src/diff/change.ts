/** One thing in which what a Manifest means changed. */
export interface PolicyChange {
  /** `wider`: more is let in or out, kept or told. `narrower`: less. `changed`: neither can be said. */
  readonly direction: "wider" | "narrower" | "changed";
  readonly part: "app" | "access" | "limits" | "audit" | "egress" | "logs" | "operations";
  /** Where, in the document that `document` names: `access.rules[2]`. */
  readonly path: string;
  /** Where it is gone, the path is one of the document before. */
  readonly document: "before" | "after";
  /** What it means, as a sentence without a full stop. */
  readonly words: string;
}

/** From the least to the most: which way has a value gone? Null: nowhere. */
export function directionOf<T>(order: readonly T[], before: T, after: T): "wider" | "narrower" | null {
  if (before === after) return null;
  return order.indexOf(after) > order.indexOf(before) ? "wider" : "narrower";
}

/** A few of many names, for reading. */
export function some(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(", ");
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}
