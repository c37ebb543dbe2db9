/** One line of the box's or the device's own log: a code, and facts beside it. */
export interface BoxEvent {
  readonly event: string;
  readonly [fact: string]: string | number | boolean | null;
}

/** Lines of the box are far shorter; what is longer is not held. */
const maxLineLength = 1 << 20;

function isEvent(value: unknown): value is BoxEvent {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const isFact = (fact: unknown): boolean => fact === null || ["string", "number", "boolean"].includes(typeof fact);
  return typeof (value as { event?: unknown }).event === "string" && Object.values(value).every(isFact);
}

function parseLine(line: string): BoxEvent | null {
  try {
    const value: unknown = JSON.parse(line);
    return isEvent(value) ? value : null;
  } catch {
    return null;
  }
}

/** Takes text as it arrives and calls `onEvent` for each whole line that is an event; other lines are passed over. */
export function eventReader(onEvent: (event: BoxEvent) => void): (text: string) => void {
  let pending = "";
  return (text) => {
    const lines = `${pending}${text}`.split("\n");
    pending = lines.pop() ?? "";
    if (pending.length > maxLineLength) pending = "";
    for (const line of lines) {
      const event = parseLine(line);
      if (event !== null) onEvent(event);
    }
  };
}
