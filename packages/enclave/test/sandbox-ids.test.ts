import fc from "fast-check";
import { expect, test } from "vitest";
import { formatIdMap, type IdRange, ID_COUNT, manyIds, oneId } from "../src/sandbox/ids.ts";
import { unprivileged } from "../src/sandbox/drivers/unprivileged.ts";
import { rooted } from "../src/sandbox/drivers/rooted.ts";
import { SandboxError } from "../src/sandbox/errors.ts";
import { whyNot } from "./fixtures-sandbox/availability.ts";

function outside(ranges: readonly IdRange[], id: number): number | undefined {
  const found = ranges.filter(({ inside, count }) => id >= inside && id < inside + count);
  expect(found.length).toBeLessThanOrEqual(1);
  const [range] = found;
  return range && range.outside + id - range.inside;
}

const id = fc.integer({ min: 0, max: ID_COUNT - 1 });

test("many ids: whatever the user is, inside n is the host's 100000 + n, and nothing is the host's root", () => {
  fc.assert(
    fc.property(id, id, id, (uid, gid, any) => {
      const { outer, inner } = manyIds({ uid, gid });
      for (const kind of ["uids", "gids"] as const) {
        const through = outside(outer[kind], outside(inner[kind], any) ?? -1);
        expect(through).toBe(100_000 + any);
        expect(outer[kind].every((range) => range.outside >= 100_000)).toBe(true);
        expect(outer[kind].reduce((sum, { count }) => sum + count, 0)).toBe(ID_COUNT);
        expect(outside(outer[kind], ID_COUNT)).toBe(undefined);
      }
    }),
  );
});

test("many ids: the outer root is the application, so that what it mounts belongs to the application", () => {
  fc.assert(
    fc.property(id, id, (uid, gid) => {
      const { outer, inner } = manyIds({ uid, gid });
      expect(outside(outer.uids, 0)).toBe(100_000 + uid);
      expect(outside(inner.uids, uid)).toBe(0);
      expect(outside(outer.gids, 0)).toBe(100_000 + gid);
      expect(outside(inner.gids, gid)).toBe(0);
    }),
  );
});

test("one id: the application's own, and no other", () => {
  const { outer, inner } = oneId({ uid: 33, gid: 34 }, { uid: 1000, gid: 1001 });
  expect(outside(outer.uids, outside(inner.uids, 33) ?? -1)).toBe(1000);
  expect(outside(outer.gids, outside(inner.gids, 34) ?? -1)).toBe(1001);
  expect(formatIdMap(inner.uids)).toBe("33 0 1\n");
});

test("the unprivileged driver refuses to make the application the host's root", () => {
  const spec = { user: { uid: 1, gid: 1 } } as Parameters<typeof unprivileged>[0];
  for (const host of [
    { uid: 0, gid: 0 },
    { uid: 0, gid: 5 },
    { uid: 5, gid: 0 },
  ]) {
    expect(() => unprivileged(spec, host)).toThrow(SandboxError);
  }
});

test.skipIf(whyNot("rooted") !== null)("the rooted driver refuses ids that it does not map", () => {
  const resources = { memory: 1, cpus: 1, processes: 1, tmp: 1 };
  for (const user of [
    { uid: ID_COUNT, gid: 0 },
    { uid: 0, gid: -1 },
    { uid: 1.5, gid: 0 },
  ]) {
    const spec = { user, resources, scratch: "/none" } as Parameters<typeof rooted>[0];
    expect(() => rooted(spec)).toThrow(/must be below 65536/);
  }
});
