import { Writable } from "node:stream";
import type { BoxEvent } from "@blindbox/builder";
import { describe, expect, test } from "vitest";
import { type AppFacts, createEventView, describeEvent } from "../src/output/box-events.ts";

/** What is written on `stderr` for these events. */
function shown(events: readonly BoxEvent[], app: AppFacts | null = { port: 8080, readyPath: null }): readonly string[] {
  let text = "";
  const stderr = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      text += chunk.toString();
      done();
    },
  });
  const stdout = new Writable({
    write: () => {
      throw new Error("events are no result");
    },
  });
  const view = createEventView({ stdout, stderr }, () => app);
  for (const event of events) view(event);
  return text.split("\n").slice(0, -1);
}

const unready = (answer: string): BoxEvent => ({ event: "app-not-answering", seconds: 5, answer });
const logs = "hint: `logs: app` in the Manifest shows what the app writes";

describe("an event of a box", () => {
  const limits = { memory: "per-process", processes: "resource-limit", cpus: "none", tmp: "tmpfs" };

  test.each<readonly [BoxEvent, string]>([
    [
      { event: "sandbox", driver: "unprivileged", ...limits },
      "sandbox: unprivileged; limits: memory for each process alone, processes for the app's user, cpus not limited here, tmp for each directory",
    ],
    [{ event: "egress", rules: 0, verified: false }, "egress: the app has no way out"],
    [{ event: "egress", rules: 2, verified: true }, "egress: ways out: 2, told by `blindbox policy explain`"],
    [
      { event: "app-down", code: 3, signal: null },
      "app-down: the app ended with exit code 3; it will be started again",
    ],
    [
      { event: "app-down", code: 137, signal: null },
      "app-down: the app ended with exit code 137 (as after SIGKILL); it will be started again",
    ],
    [
      { event: "app-down", code: null, signal: "SIGTERM" },
      "app-down: the app was ended by SIGTERM; it will be started again",
    ],
    [{ event: "app-down", code: null, signal: null }, "app-down: the app ended; it will be started again"],
    [{ event: "app-output", stream: "stdout", text: "a\u001b[2J" }, "app-output: stdout: a\\u{1b}[2J"],
    [{ event: "request", rule: 2, outcome: "answered", ms: 12 }, "request: answered by access.rules[2], 12 ms"],
    [{ event: "request", rule: null, outcome: "forbidden", ms: 1 }, "request: forbidden, 1 ms"],
    [{ event: "to\u202ene", fact: "a\nb", number: 1 }, "to\\u{202e}ne fact=a\\u{a}b number=1"],
    [{ event: "constructor" }, "constructor"],
  ])("is said in words behind its code (%#)", (event, text) => {
    expect(describeEvent(event)).toBe(text);
  });

  test.each([
    "app-started",
    "app-ready",
    "app-draining",
    "app-start-failed",
    "app-output-dropped",
    "stopping",
    "fault",
  ])("has words: %s", (event) => {
    expect(describeEvent({ event, code: "x", stream: "stdout", lines: 1 })).toMatch(new RegExp(`^${event}: .* .*`));
  });
});

describe("what is shown of a run", () => {
  test("is the address as soon as the box listens, and not where the device does", () => {
    const device = { event: "listening", measurement: "00" };
    const box = { event: "listening", listen: "127.0.0.1:8443", driver: "rooted" };
    expect(shown([device, box])).toEqual(["listening: https://127.0.0.1:8443; the app is not ready yet"]);
  });

  test("is nothing that the command itself says by its result or its error", () => {
    expect(shown([{ event: "ready" }, { event: "refused", reason: "x" }, { event: "stopped" }])).toEqual([]);
  });

  test("warns of an app that does not answer, and says where it must listen", () => {
    expect(shown([unready("no-connection")])).toEqual([
      "warning: app-not-answering: the app has not been ready for 5 s",
      "hint: the app must listen on 0.0.0.0:8080, not on 127.0.0.1 alone; 8080 is `app.port` in the Manifest",
      logs,
    ]);
  });

  test("warns of an app that does not answer well, and says on which path", () => {
    const lines = shown([unready("no-success")], { port: 8080, readyPath: "/health" });
    expect(lines[1]).toBe(
      "hint: the app takes connections, but `GET /health` (`app.ready` in the Manifest) does not answer 2xx",
    );
  });

  test("warns of an app that ends, and says only once where its output can be seen", () => {
    const down: BoxEvent = { event: "app-down", code: 1, signal: null };
    const line = "warning: app-down: the app ended with exit code 1; it will be started again";
    expect(shown([down, down])).toEqual([line, logs, line]);
  });

  test("has the warning also where the Manifest is gone by now", () => {
    expect(shown([unready("no-connection")], null)).toHaveLength(2);
  });
});
