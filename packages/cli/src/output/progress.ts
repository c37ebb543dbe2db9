import { writeLine, type Terminal } from "./terminal.ts";

/** How far something is; `done` of `total` bytes. */
export interface Progress {
  readonly step: string;
  readonly done: number;
  readonly total: number;
}

/** Shows how far a command is, on `stderr`. */
export interface ProgressLine {
  readonly show: (progress: Progress) => void;
  /** Takes the line away again. Where there is no terminal there is nothing to take away. */
  readonly clear: () => void;
}

const clearLine = "\r\u001b[2K";

/** On a terminal one line that is rewritten; elsewhere one plain line for each step. */
export function createProgress({ stderr }: Terminal, names: Readonly<Record<string, string>>): ProgressLine {
  let shown = "";
  const write = stderr.isTTY === true ? (text: string) => stderr.write(`${clearLine}${text}`) : undefined;
  return {
    show({ step, done, total }) {
      const name = names[step] ?? step;
      const percent = total === 0 ? 100 : Math.floor((100 * done) / total);
      const text = write === undefined ? name : `${name} ${percent} %`;
      if (text === shown) return;
      shown = text;
      if (write === undefined) writeLine(stderr, text);
      else write(text);
    },
    clear() {
      if (shown !== "") write?.("");
    },
  };
}
