/** The events of a box in words: what a person who runs it wants to know, the code in front for those who look for it. */
import { constants } from "node:os";
import type { BoxEvent } from "@blindbox/builder";
import { printable } from "./printable.ts";
import { hint, note, paint, type Terminal } from "./terminal.ts";

type Facts = Omit<BoxEvent, "event">;

/** What is known of the application before it runs. */
export interface AppFacts {
  readonly port: number;
  /** Path of `app.ready`; null where a connection suffices. */
  readonly readyPath: string | null;
}

const limitWords: Readonly<Record<string, string>> = {
  "control-group": "for the app as a whole",
  "per-process": "for each process alone",
  "resource-limit": "for the app's user",
  tmpfs: "for each directory",
  none: "not limited here",
};

function limitsOf(facts: Facts): string {
  const names = ["memory", "processes", "cpus", "tmp"].filter((name) => typeof facts[name] === "string");
  return names.map((name) => `${name} ${limitWords[String(facts[name])] ?? String(facts[name])}`).join(", ");
}

/** Who starts a program in the place of another, as a shell or bubblewrap does, tells a signal as 128 and its number. */
function signalOf(code: unknown): string | undefined {
  return Object.entries(constants.signals).find(([, number]) => 128 + number === code)?.[0];
}

function endOf({ code, signal }: Facts): string {
  if (typeof signal === "string") return `was ended by ${signal}`;
  if (typeof code !== "number") return "ended";
  const name = signalOf(code);
  return `ended with exit code ${code}${name === undefined ? "" : ` (as after ${name})`}`;
}

function requestWords({ rule, outcome, ms }: Facts): string {
  return `${String(outcome)}${rule === null ? "" : ` by access.rules[${String(rule)}]`}, ${String(ms)} ms`;
}

const words: Readonly<Record<string, (facts: Facts) => string>> = {
  egress: ({ rules }) =>
    rules === 0 ? "the app has no way out" : `ways out: ${String(rules)}, told by \`blindbox policy explain\``,
  sandbox: (facts) => `${String(facts["driver"])}; limits: ${limitsOf(facts)}`,
  "release-differs": () =>
    "the release beside the image names another measurement: clients that hold it refuse this box",
  "app-started": () => "the app was started; it is not ready yet",
  "app-ready": () => "the app is ready for requests",
  "app-down": (facts) => `the app ${endOf(facts)}; it will be started again`,
  "app-start-failed": ({ code }) => `the app could not be started again (${String(code)}); that is tried on and on`,
  "app-not-answering": ({ seconds }) => `the app has not been ready for ${String(seconds)} s`,
  "app-draining": () => "the app is asked to end",
  "app-output": ({ stream, text }) => `${String(stream)}: ${String(text)}`,
  "app-output-dropped": ({ stream, lines }) => `${String(lines)} lines of ${String(stream)} came too fast`,
  "app-output-size": ({ stdout, stderr }) =>
    `the app wrote ${String(stdout)} bytes to stdout, ${String(stderr)} to stderr`,
  request: requestWords,
  stopping: () => "requests under way are finished first",
  fault: ({ code }) => `a fault of BlindBox (${String(code)})`,
};

/** One event as one line; an event that is not known is shown with its facts as they are. */
export function describeEvent({ event, ...facts }: BoxEvent): string {
  const describe = Object.hasOwn(words, event) ? words[event] : undefined;
  if (describe !== undefined) return printable(`${event}: ${describe(facts)}`);
  return printable([event, ...Object.entries(facts).map(([name, value]) => `${name}=${String(value)}`)].join(" "));
}

const logsHint = "`logs: app` in the Manifest shows what the app writes";

/** What an app that does not answer may lack. */
function missingHint({ answer }: Facts, { port, readyPath }: AppFacts): string {
  if (answer === "no-success" && readyPath !== null) {
    return `the app takes connections, but \`GET ${printable(readyPath)}\` (\`app.ready\` in the Manifest) does not answer 2xx`;
  }
  return `the app must listen on 0.0.0.0:${port}, not on 127.0.0.1 alone; ${port} is \`app.port\` in the Manifest`;
}

/** Events that the command tells in its own way: by its result, by an error, or when all is gone. */
const saidOtherwise: readonly string[] = ["ready", "refused", "stopped"];

function showListening(terminal: Terminal, { listen }: Facts): void {
  // The device listens too, at no address that anybody is to know.
  if (typeof listen === "string") note(terminal, printable(`listening: https://${listen}; the app is not ready yet`));
}

const warnings: readonly string[] = ["app-not-answering", "app-down", "app-start-failed", "release-differs"];

/** Shows events as they come, with advice where the app does not run as it should. `app` is asked only for that. */
export function createEventView(terminal: Terminal, app: () => AppFacts | null): (event: BoxEvent) => void {
  let isLogsHinted = false;
  const advise = (event: BoxEvent): void => {
    const facts = event.event === "app-not-answering" ? app() : null;
    if (facts !== null) hint(terminal, missingHint(event, facts));
    if (!isLogsHinted) hint(terminal, logsHint);
    isLogsHinted = true;
  };
  return (event) => {
    if (saidOtherwise.includes(event.event)) return;
    if (event.event === "listening") return showListening(terminal, event);
    const mark = warnings.includes(event.event) ? `${paint(terminal.stderr, "careful", "warning:")} ` : "";
    note(terminal, `${mark}${describeEvent(event)}`);
    if (event.event === "app-not-answering" || event.event === "app-down") advise(event);
  };
}
