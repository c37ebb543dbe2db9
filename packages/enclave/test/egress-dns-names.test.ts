/** Virtual addresses: one for each name, for good. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createVirtualAddresses, nameLimits } from "../src/egress/dns/index.ts";

function addresses(hosts: readonly string[] = ["a.test", "b.test", "a.test"], limits = nameLimits) {
  const clock = { now: 0 };
  return { clock, names: createVirtualAddresses({ hosts, now: () => clock.now, limits }) };
}

describe("virtual addresses", () => {
  test("of written hosts are there from the start, in order, the first being 198.18.0.1", () => {
    const { names } = addresses();
    expect(names.nameAt("198.18.0.1")).toBe("a.test");
    expect(names.nameAt("198.18.0.2")).toBe("b.test");
    expect(names.nameAt("198.18.0.3")).toBeNull();
    expect(names.assign("b.test")).toEqual({ address: "198.18.0.2", isNew: false });
  });

  test("of other names come when they are asked for, and stay", () => {
    const { names } = addresses();
    expect(names.assign("x.wild.test")).toEqual({ address: "198.18.0.3", isNew: true });
    expect(names.assign("x.wild.test")).toEqual({ address: "198.18.0.3", isNew: false });
    expect(names.nameAt("198.18.0.3")).toBe("x.wild.test");
  });

  test("never stand for two names, and no name ever has two, whatever is asked for and how long it takes", () => {
    const step = fc.record({ name: fc.nat({ max: 400 }), wait: fc.nat({ max: 5000 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 600 }), (steps) => {
        const { names, clock } = addresses();
        const seen = new Map<string, string>([
          ["198.18.0.1", "a.test"],
          ["198.18.0.2", "b.test"],
        ]);
        for (const { name, wait } of steps) {
          clock.now += wait;
          const asked = `n${name}.wild.test`;
          const found = names.assign(asked);
          if ("refused" in found) continue;
          expect(found.address).toMatch(/^198\.1[89]\./);
          expect(seen.get(found.address) ?? asked).toBe(asked);
          seen.set(found.address, asked);
        }
        expect(new Set(seen.values()).size).toBe(seen.size);
        for (const [address, name] of seen) expect(names.nameAt(address)).toBe(name);
      }),
      { numRuns: 50 },
    );
  });

  test("are 256 for names below wildcards, and not one more in this boot", () => {
    const { names, clock } = addresses();
    for (let index = 0; index < 256; index += 1) {
      clock.now += 60_000;
      expect(names.assign(`n${index}.wild.test`)).toMatchObject({ isNew: true });
    }
    clock.now += 86_400_000;
    expect(names.assign("one-more.wild.test")).toEqual({ refused: "refused-name-limit" });
    expect(names.assign("n7.wild.test")).toMatchObject({ isNew: false });
    expect(names.assign("a.test")).toMatchObject({ isNew: false });
  });

  test("come at a bounded rate, which known names do not feel", () => {
    const { names, clock } = addresses();
    const ask = (from: number, count: number) =>
      Array.from({ length: count }, (_, index) => names.assign(`n${from + index}.wild.test`));
    expect(ask(0, 40).filter((found) => "refused" in found)).toHaveLength(8);
    expect(names.assign("n39.wild.test")).toEqual({ refused: "refused-name-rate" });
    expect(names.assign("n0.wild.test")).toMatchObject({ isNew: false });
    clock.now += 10_000;
    expect(ask(100, 10).filter((found) => "address" in found)).toHaveLength(5);
  });

  test("reach to 198.19.255.254, and a Manifest with more hosts than that is refused", () => {
    const hosts = Array.from({ length: 131_070 - 1 }, (_, index) => `n${index}.test`);
    const limits = { wildcardNames: 1, newNames: { burst: 9, perMinute: 9 } };
    const { names } = addresses(hosts, limits);
    expect(names.assign("x.wild.test")).toEqual({ address: "198.19.255.254", isNew: true });
    expect(names.assign("y.wild.test")).toEqual({ refused: "refused-name-limit" });
    expect(() => addresses([...hosts, "z.test"], limits)).toThrow(TypeError);
  });
});
