/** The supervisor, with a sandbox and a clock that the test moves. */
import { describe, expect, test } from "vitest";
import type { AppProcess, BoxEvent } from "../src/parts.ts";
import { fakeApp, type Scene, scene } from "./supervisor-scene.ts";

const named = (events: readonly BoxEvent[]) => events.map(({ event }) => event);

describe("an application", () => {
  test("is starting until it accepts, then ready, and dials go through only then", async () => {
    const { supervisor, sandbox, events, states, wake } = scene();
    expect(supervisor.state()).toBe("starting");
    await supervisor.start();
    expect(supervisor.state()).toBe("starting");
    await expect(supervisor.dial()).rejects.toThrow("starting");
    await sandbox.listen();
    await wake();
    await expect.poll(() => supervisor.state()).toBe("ready");
    (await supervisor.dial()).destroy();
    expect(named(events)).toEqual(["app-started", "app-ready"]);
    expect(states).toEqual(["starting", "ready"]);
    await supervisor.stop();
  });

  test("that has a path of readiness is ready when that answers with success, and not before", async () => {
    const { supervisor, sandbox, clock, wake } = scene({ ready: { path: "/health" } });
    let status = "503 Not yet";
    const seen = await sandbox.listen(() => status);
    await supervisor.start();
    for (status of ["404 Not found", "302 Found", "500 Error"]) {
      await wake();
      await expect.poll(() => clock.sleeps.length).toBeGreaterThan(0);
      expect(supervisor.state()).toBe("starting");
    }
    status = "204 No content";
    await wake();
    await expect.poll(() => supervisor.state()).toBe("ready");
    expect(seen.every((request) => request.startsWith("GET /health HTTP/1.1\r\n"))).toBe(true);
    await supervisor.stop();
  });

  test("is asked less and less often whether it is ready", async () => {
    const { supervisor, wake } = scene();
    await supervisor.start();
    const pauses = [];
    for (let count = 0; count < 7; count += 1) pauses.push(await wake());
    expect(pauses).toEqual([25, 50, 100, 200, 400, 500, 500]);
    await supervisor.stop();
  });

  test("that cannot be started at all is reported to who starts it, and not tried again", async () => {
    const { supervisor, sandbox, clock } = scene();
    sandbox.failing = Object.assign(new Error("no such program"), { code: "app-start-failed" });
    await expect(supervisor.start()).rejects.toThrow("no such program");
    expect(clock.sleeps).toEqual([]);
    await supervisor.stop();
  });

  test("cannot be started twice", async () => {
    const { supervisor } = scene();
    await supervisor.start();
    await expect(supervisor.start()).rejects.toThrow(TypeError);
    await supervisor.stop();
  });
});

describe("an application that ends", () => {
  const untilDown = async ({ supervisor, sandbox }: Scene) => {
    sandbox.apps.at(-1)?.end(1);
    await expect.poll(() => supervisor.state()).toBe("down");
  };

  test("is down, and started again after twice the time each time, up to half a minute", async () => {
    const all = scene();
    await all.supervisor.start();
    const pauses = [];
    for (let count = 0; count < 9; count += 1) {
      await untilDown(all);
      await expect(all.supervisor.dial()).rejects.toThrow("down");
      all.clock.sleeps.splice(0, all.clock.sleeps.length - 1);
      pauses.push(await all.wake());
      await expect.poll(() => all.sandbox.apps.length).toBe(count + 2);
    }
    expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    await all.supervisor.stop();
  });

  test("waits at least half of that time, by chance", async () => {
    const all = scene({ random: () => 0 });
    await all.supervisor.start();
    await untilDown(all);
    all.clock.sleeps.splice(0, all.clock.sleeps.length - 1);
    expect(await all.wake()).toBe(250);
    await all.supervisor.stop();
  });

  test("begins anew with the shortest time when it had been ready for a minute, and not when it was only alive", async () => {
    const all = scene();
    await all.sandbox.listen();
    const runFor = async (ms: number) => {
      await expect.poll(() => all.supervisor.state()).toBe("ready");
      all.clock.time += ms;
      await untilDown(all);
      return all.wake();
    };
    await all.supervisor.start();
    expect(await runFor(0)).toBe(500);
    expect(await runFor(59_900)).toBe(1000);
    expect(await runFor(60_001)).toBe(500);
    all.sandbox.port = null;
    await untilDown(all);
    all.clock.sleeps.splice(0, all.clock.sleeps.length - 1);
    expect(await all.wake()).toBe(1000);
    all.clock.time += 120_000;
    await untilDown(all);
    all.clock.sleeps.splice(0, all.clock.sleeps.length - 1);
    expect(await all.wake()).toBe(2000);
    await all.supervisor.stop();
  });

  test("and cannot be started again is tried on and on, and only the code of the failure is told", async () => {
    const all = scene();
    await all.supervisor.start();
    all.sandbox.failing = Object.assign(new Error("secret text"), { code: "gate-down" });
    await untilDown(all);
    all.clock.sleeps.splice(0, all.clock.sleeps.length - 1);
    expect([await all.wake(), await all.wake(), await all.wake()]).toEqual([500, 1000, 2000]);
    all.sandbox.failing = Object.assign(new Error("x"), { code: "Not one of ours\n" });
    await all.wake();
    const codes = all.events.filter(({ event }) => event === "app-start-failed").map(({ code }) => code);
    expect(codes).toEqual(["gate-down", "gate-down", "gate-down", "unknown"]);
    expect(all.supervisor.state()).toBe("down");
    all.sandbox.failing = null;
    await all.wake();
    await expect.poll(() => all.supervisor.state()).toBe("starting");
    expect(JSON.stringify(all.events)).not.toContain("secret");
    await all.supervisor.stop();
  });

  test.each<readonly [string, number | null, string | undefined, object]>([
    ["its exit code", 3, undefined, { code: 3, signal: null }],
    ["the signal that ended it", null, "SIGKILL", { code: null, signal: "SIGKILL" }],
    ["nothing that is neither, whatever it may be", 1e9, "a text\n", { code: null, signal: null }],
  ])("tells %s, and nothing else", async (_what, code, signal, told) => {
    const all = scene();
    await all.supervisor.start();
    all.sandbox.apps[0]?.stdout.write("secret");
    all.sandbox.apps[0]?.end(code, signal);
    await expect.poll(() => all.supervisor.state()).toBe("down");
    expect(all.events.at(-1)).toEqual({ event: "app-down", ...told });
    await all.supervisor.stop();
  });
});

describe("draining", () => {
  test("asks the application to end with the grace that is given, and never starts it again", async () => {
    const { supervisor, sandbox, events, clock } = scene();
    await sandbox.listen();
    await supervisor.start();
    await expect.poll(() => supervisor.state()).toBe("ready");
    const drained = supervisor.drain(1234);
    expect(supervisor.state()).toBe("draining");
    await drained;
    expect(sandbox.apps.map(({ stops }) => stops)).toEqual([[1234]]);
    expect(supervisor.state()).toBe("draining");
    expect(named(events)).toEqual(["app-started", "app-ready", "app-draining"]);
    expect(clock.sleeps).toEqual([]);
    await supervisor.stop();
    expect(supervisor.state()).toBe("down");
  });

  test("in the pause before a restart ends the pause, and nothing is started", async () => {
    const { supervisor, sandbox } = scene();
    await supervisor.start();
    sandbox.apps[0]?.end(1);
    await expect.poll(() => supervisor.state()).toBe("down");
    await supervisor.drain(10);
    expect(sandbox.apps).toHaveLength(1);
    expect(supervisor.state()).toBe("draining");
  });

  test("while the application is being started stops it as soon as it is there", async () => {
    const { supervisor, sandbox } = scene();
    const app = fakeApp();
    const { promise, resolve } = Promise.withResolvers<AppProcess>();
    sandbox.start = () => promise;
    const started = supervisor.start();
    const drained = supervisor.drain(10);
    resolve(app);
    await Promise.all([started, drained]);
    expect(app.stops).toEqual([0]);
    expect(supervisor.state()).toBe("draining");
  });
});

describe("what the application writes", () => {
  const lines = (count: number) => Array.from({ length: count }, (_, index) => `line ${index}\n`).join("");

  test("is read and goes nowhere by default, however much it is", async () => {
    const { supervisor, sandbox, events } = scene();
    await supervisor.start();
    const [app] = sandbox.apps;
    for (let count = 0; count < 200; count += 1) app?.stdout.write(Buffer.alloc(65_536, "secret\n"));
    app?.stderr.write("secret");
    await expect.poll(() => app?.stdout.readableLength).toBe(0);
    app?.end(0);
    await expect.poll(() => supervisor.state()).toBe("down");
    expect(named(events)).toEqual(["app-started", "app-down"]);
    await supervisor.stop();
  });

  test("is counted, and no more than that, where the Manifest says metadata", async () => {
    const { supervisor, sandbox, events } = scene({ logs: "metadata" });
    await supervisor.start();
    sandbox.apps[0]?.stdout.write("secret");
    sandbox.apps[0]?.stderr.write("also secret");
    sandbox.apps[0]?.end(0);
    await expect
      .poll(() => events.find(({ event }) => event === "app-output-size"))
      .toEqual({ event: "app-output-size", stdout: 6, stderr: 11 });
    expect(JSON.stringify(events)).not.toContain("secret");
    await supervisor.stop();
  });

  test("is told line by line where the Manifest says app, an unfinished last one included", async () => {
    const { supervisor, sandbox, events } = scene({ logs: "app" });
    await supervisor.start();
    const [app] = sandbox.apps;
    for (const piece of ["one\ntw", "o\n\nthr", "ee"]) app?.stdout.write(piece);
    app?.stderr.write("wrong\n");
    app?.end(0);
    await expect.poll(() => supervisor.state()).toBe("down");
    const told = () => events.filter(({ event }) => event === "app-output");
    await expect.poll(told).toHaveLength(5);
    const text = (stream: string) =>
      told()
        .filter((event) => event["stream"] === stream)
        .map((event) => event["text"]);
    expect(text("stdout")).toEqual(["one", "two", "", "three"]);
    expect(text("stderr")).toEqual(["wrong"]);
    await supervisor.stop();
  });

  test("is cut into pieces where a line is too long, and never kept whole", async () => {
    const { supervisor, sandbox, events } = scene({ logs: "app" });
    await supervisor.start();
    sandbox.apps[0]?.stdout.write(`${"x".repeat(20_000)}\nend\n`);
    await expect.poll(() => events.at(-1)?.["text"]).toBe("end");
    const sizes = events.flatMap((event) => (typeof event["text"] === "string" ? [event["text"].length] : []));
    expect(sizes).toEqual([8192, 8192, 20_000 - 2 * 8192, 3]);
    await supervisor.stop();
  });

  test("is dropped beyond so many lines a second, and how many is told", async () => {
    const { supervisor, sandbox, events, clock } = scene({ logs: "app" });
    await supervisor.start();
    sandbox.apps[0]?.stdout.write(lines(700));
    await expect.poll(() => events.filter(({ event }) => event === "app-output")).toHaveLength(500);
    clock.time += 1000;
    sandbox.apps[0]?.stdout.write("after\n");
    await expect.poll(() => events.at(-1)?.["text"]).toBe("after");
    expect(events.at(-2)).toEqual({ event: "app-output-dropped", stream: "stdout", lines: 200 });
    await supervisor.stop();
  });
});
