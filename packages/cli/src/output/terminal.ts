import { fstatSync } from "node:fs";
import type { Writable } from "node:stream";
import { styleText } from "node:util";

/** A stream that may be a terminal. */
export type OutputStream = Writable & { readonly isTTY?: boolean; readonly fd?: number };

/** The two streams that a command writes to: results go to `stdout`, everything said about them to `stderr`. */
export interface Terminal {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
}

/** The few styles in use, by meaning. */
const styles = { bad: "red", good: "green", careful: "yellow", quiet: "dim", strong: "bold" } as const;

/** The meaning that a style carries. */
export type Style = keyof typeof styles;

/** Styles `text` if `stream` is a terminal that wants colour; `NO_COLOR` is honoured. */
export function paint(stream: OutputStream, style: Style, text: string): string {
  return styleText(styles[style], text, { stream });
}

/** Whether both streams come out at one place, a terminal for instance, where one goes on in the line of the other. */
export function isOnePlace({ stdout, stderr }: Terminal): boolean {
  if (stdout.fd === undefined || stderr.fd === undefined) return false;
  const [one, other] = [fstatSync(stdout.fd), fstatSync(stderr.fd)];
  return one.dev === other.dev && one.ino === other.ino;
}

/** Writes one line. */
export function writeLine(stream: OutputStream, text: string): void {
  stream.write(`${text}\n`);
}

/** One line on `stderr` for the person at the keyboard: not a result. */
export function note(terminal: Terminal, text: string): void {
  writeLine(terminal.stderr, text);
}

/** One line of advice on `stderr`. */
export function hint(terminal: Terminal, text: string): void {
  writeLine(terminal.stderr, `${paint(terminal.stderr, "strong", "hint:")} ${text}`);
}
