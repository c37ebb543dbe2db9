/** What the supervisor says of an application that is not ready. */
import { describe, expect, test } from "vitest";
import { type Scene, scene } from "./supervisor-scene.ts";

describe("an application that is not ready for long", () => {
  const unanswered = ({ events }: Scene) => events.filter(({ event }) => event === "app-not-answering");

  test("is told of once, after 5 seconds and not before", async () => {
    const all = scene();
    await all.supervisor.start();
    await all.wake();
    all.clock.time = 4999 - 50;
    await all.wake();
    await expect.poll(() => all.clock.sleeps.length).toBe(1);
    expect(unanswered(all)).toEqual([]);
    for (let count = 0; count < 30; count += 1) await all.wake();
    await expect.poll(() => all.clock.sleeps.length).toBe(1);
    expect(unanswered(all)).toEqual([{ event: "app-not-answering", seconds: 5, answer: "no-connection" }]);
    await all.supervisor.stop();
  });

  test("is told of by what is wrong with its answer, where it accepts connections", async () => {
    const all = scene({ ready: { path: "/health" } });
    await all.sandbox.listen(() => "503 Not yet");
    await all.supervisor.start();
    all.clock.time = 6000;
    await all.wake();
    await expect
      .poll(() => unanswered(all))
      .toEqual([{ event: "app-not-answering", seconds: 6, answer: "no-success" }]);
    await all.supervisor.stop();
  });

  test("because it ends at once, again and again, is told of too", async () => {
    const all = scene();
    await all.supervisor.start();
    for (let count = 0; count < 4; count += 1) {
      all.sandbox.apps.at(-1)?.end(3);
      await expect.poll(() => all.supervisor.state()).toBe("down");
      all.clock.sleeps.splice(0, all.clock.sleeps.length - 1);
      await all.wake();
      await expect.poll(() => all.sandbox.apps.length).toBe(count + 2);
    }
    await expect.poll(() => unanswered(all)).toHaveLength(1);
    await all.supervisor.stop();
  });

  test("is told of again when it was ready in between", async () => {
    const all = scene();
    await all.supervisor.start();
    all.clock.time = 6000;
    await all.wake();
    await expect.poll(() => unanswered(all)).toHaveLength(1);
    await all.sandbox.listen();
    await all.wake();
    await expect.poll(() => all.supervisor.state()).toBe("ready");
    all.sandbox.port = null;
    all.sandbox.apps.at(-1)?.end(3);
    await expect.poll(() => all.supervisor.state()).toBe("down");
    all.clock.sleeps.splice(0, all.clock.sleeps.length - 1);
    await all.wake();
    await expect.poll(() => all.sandbox.apps.length).toBe(2);
    all.clock.time += 6000;
    await all.wake();
    await expect.poll(() => unanswered(all)).toHaveLength(2);
    await all.supervisor.stop();
  });
});
