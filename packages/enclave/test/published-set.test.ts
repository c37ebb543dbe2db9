/** When an issuer's keys are asked for: on the box's schedule, whatever callers, hosts and clocks do. */
import { jwkThumbprint } from "@blindbox/manifest";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createPublishedSet, type PublishedSet, refreshLimits } from "../src/gateway/credentials/published-set.ts";
import type { BoxEvent } from "../src/parts.ts";
import { setOf } from "./key-host.ts";
import { issuerKey } from "./token-issuer.ts";

const { shortest, longest, stale } = refreshLimits;
const key = issuerKey("ES256", "one");
const next = issuerKey("ES256", "two");
const unpinned = issuerKey("ES256", "three");

interface World {
  readonly set: PublishedSet;
  readonly asked: number[];
  readonly events: BoxEvent[];
  published: string | Error;
  now: number;
  kids(): unknown[];
  /** As a token of an unknown key does; true where it asked for the set. */
  refresh(): Promise<boolean>;
}

async function createWorld(): Promise<World> {
  const asked: number[] = [];
  const events: BoxEvent[] = [];
  const thumbprints = new Set(await Promise.all([key, next].map(({ jwk }) => jwkThumbprint(jwk))));
  const set = createPublishedSet({
    url: "https://idp.test/keys",
    thumbprints,
    async readKeys() {
      asked.push(world.now);
      await Promise.resolve();
      if (typeof world.published === "string") return Buffer.from(world.published);
      throw world.published;
    },
    onEvent: (event) => events.push(event),
    monotonic: () => world.now,
  });
  const world: World = {
    set,
    asked,
    events,
    published: setOf(key.jwk),
    now: 0,
    kids: () => set.keys().map(({ jwk }) => jwk["kid"]),
    async refresh() {
      const before = asked.length;
      await set.refresh();
      return asked.length > before;
    },
  };
  return world;
}

describe("a published set", () => {
  it("is asked for by nobody's leave but a token's", async () => {
    const world = await createWorld();
    world.set.refreshStale();
    expect([world.asked, world.kids()]).toEqual([[], []]);
  });

  it("is what was published last, without what is not pinned, and each key once", async () => {
    const world = await createWorld();
    world.published = setOf(unpinned.jwk, key.jwk, { ...key.jwk, kid: "again" }, next.jwk, key.jwk);
    await world.set.refresh();
    expect(world.kids()).toEqual(["one", "two"]);
    world.now += shortest;
    world.published = setOf(next.jwk);
    await world.set.refresh();
    expect(world.kids()).toEqual(["two"]);
  });

  it("stays as it was while there is none, and is asked for less and less often", async () => {
    const world = await createWorld();
    await world.set.refresh();
    const failures: readonly (string | Error)[] = [
      new Error("no way"),
      "",
      "{}",
      '{"keys":1}',
      "\u0000",
      "[1.5]",
      "<p>",
    ];
    let gap = shortest;
    for (const failure of failures) {
      world.published = failure;
      world.now += gap - 1;
      expect(await world.refresh()).toBe(false);
      world.now += 1;
      expect(await world.refresh()).toBe(true);
      expect(world.kids()).toEqual(["one"]);
      gap = world.asked.length === 2 ? shortest : Math.min(longest, 2 * gap);
    }
    expect(gap).toBe(longest);
    world.published = setOf(next.jwk);
    world.now += longest;
    expect(await world.refresh()).toBe(true);
    expect(world.kids()).toEqual(["two"]);
    world.now += shortest;
    expect(await world.refresh()).toBe(true);
  });

  it("is read anew when it is old, though every token is known", async () => {
    const world = await createWorld();
    await world.set.refresh();
    world.published = setOf(next.jwk);
    world.now += stale - 1;
    world.set.refreshStale();
    expect(world.asked).toHaveLength(1);
    world.now += 1;
    for (let at = 0; at < 10; at += 1) world.set.refreshStale();
    await expect.poll(() => world.kids()).toEqual(["two"]);
    expect(world.asked).toHaveLength(2);
  });

  it("tells the log how many keys are known, and nothing else", async () => {
    const world = await createWorld();
    await world.set.refresh();
    world.now += shortest;
    world.published = "secret";
    await world.set.refresh();
    expect(world.events).toEqual([
      { event: "token-keys", read: true, known: 1 },
      { event: "token-keys", read: false, known: 1 },
    ]);
  });

  it("is asked for by one request at a time, and never sooner than the shortest time, whatever comes when", async () => {
    const step = fc.record({
      gap: fc.integer({ min: 0, max: 2 * shortest }),
      fails: fc.boolean(),
      burst: fc.integer({ min: 1, max: 20 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const world = await createWorld();
        for (const { gap, fails, burst } of steps) {
          world.now += gap;
          world.published = fails ? new Error("no") : setOf(key.jwk);
          const waiting = Array.from({ length: burst }, async () => world.set.refresh());
          world.set.refreshStale();
          await Promise.all(waiting);
        }
        world.asked
          .slice(1)
          .forEach((at, index) => expect(at - (world.asked[index] ?? 0)).toBeGreaterThanOrEqual(shortest));
      }),
      { numRuns: 50 },
    );
  });
});
