/** What is kept, for how long, and what is made of it once the clock or the vendor has moved. */
import { describe, expect, test } from "vitest";
import { memoryCache, type EndorsementCache, type Obtained } from "@blindbox/attestation/endorsers";
import { base64url, NOW } from "../vendor.ts";
import { body, endorserWith, fakeVendors, noConnection, refusal, status, virtualTime } from "./surroundings.ts";
import {
  amdCrl,
  ark,
  DAY,
  intelEndorsements,
  intelRoutes,
  intelUrls,
  list,
  milan,
  milanEndorsements,
  milanRoutes,
  milanUrls,
  none,
  platform,
  thimAnswer,
  thimUrl,
} from "./vendors.ts";

function sources(parts: readonly Obtained[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    parts.map(({ members, from, failure }) => [
      members[0] ?? "",
      failure === null ? from : `${from} for ${failure.code}`,
    ]),
  );
}

/** Milan's Endorsements, fetched once; then `seconds` pass. */
async function fetchedOnce(seconds: number, crls = [body(amdCrl)]) {
  const time = virtualTime();
  const vendors = fakeVendors({ ...milanRoutes, [milanUrls.crls]: crls });
  const endorser = endorserWith(vendors, time);
  await time.pass(endorser.fetch(milan, none));
  vendors.asked.splice(0);
  time.milliseconds += seconds * 1000;
  return { time, vendors, endorser, again: () => time.pass(endorser.fetch(milan, none)) };
}

describe("the cache", () => {
  test("answers for a day without a question to anybody", async () => {
    const { vendors, again } = await fetchedOnce(DAY - 1);
    const { endorsements, parts } = await again();
    expect(endorsements).toEqual(milanEndorsements);
    expect(sources(parts)).toEqual({ ek: "cache", issuers: "cache", crls: "cache" });
    expect(vendors.asked).toEqual([]);
  });

  test("after a day the lists are asked for anew, long before they expire, and certificates are not", async () => {
    const { vendors, again } = await fetchedOnce(DAY);
    expect(sources((await again()).parts)).toEqual({ ek: "cache", issuers: "cache", crls: "vendor" });
    expect(vendors.asked.map(({ url }) => url)).toEqual([milanUrls.crls]);
  });

  test("after a month certificates are asked for anew too", async () => {
    const { again } = await fetchedOnce(30 * DAY);
    expect(sources((await again()).parts)).toEqual({ ek: "vendor", issuers: "vendor", crls: "vendor" });
  });

  test("a list is asked for anew in the last tenth of its life, even on the day on which it came", async () => {
    const short = list(ark, { thisUpdate: NOW - 3600, nextUpdate: NOW + 3600 });
    const early = await fetchedOnce(3600 - 721, [body(short)]);
    expect(sources((await early.again()).parts)).toMatchObject({ crls: "cache" });
    const late = await fetchedOnce(3600 - 719, [body(short)]);
    expect(sources((await late.again()).parts)).toMatchObject({ crls: "vendor" });
  });

  test("stands in for a vendor that is down, says so, and only while it is valid", async () => {
    const crls = [body(amdCrl), noConnection];
    const within = await fetchedOnce(299 * DAY, crls);
    const { endorsements, parts } = await within.again();
    expect(endorsements).toEqual(milanEndorsements);
    expect(sources(parts)).toMatchObject({ crls: "cache for unreachable" });
    const beyond = await fetchedOnce(300 * DAY + 1, crls);
    expect(await refusal(beyond.again())).toMatchObject({ code: "unreachable", missing: ["crls"] });
  });

  test.each([
    ["a sign-in page", body("<html>"), "malformed"],
    ["429 for an hour", status(429, { "retry-after": "3600" }), "throttled"],
    ["another product's list", body(intelEndorsements.rootCaCrl), "malformed"],
  ] as const)("stands in for %s, which does not displace it", async (_name, wrong, code) => {
    const { again } = await fetchedOnce(DAY, [body(amdCrl), wrong]);
    for (const _attempt of [1, 2]) {
      const { endorsements, parts } = await again();
      expect(endorsements).toEqual(milanEndorsements);
      expect(sources(parts)).toMatchObject({ crls: `cache for ${code}` });
    }
  });

  test("does not stand in for a caller that gives up", async () => {
    const { endorser, time } = await fetchedOnce(DAY);
    expect(await refusal(time.pass(endorser.fetch(milan, none, AbortSignal.abort())))).toMatchObject({
      code: "aborted",
    });
  });

  test("a clock that was set back asks anew, and one set back before the issue has nothing", async () => {
    const back = await fetchedOnce(-3600);
    expect(sources((await back.again()).parts)).toEqual({ ek: "vendor", issuers: "vendor", crls: "vendor" });
    const before = await fetchedOnce(-2 * DAY);
    expect(await refusal(before.endorser.recall(milan, none))).toMatchObject({ code: "missing", missing: ["crls"] });
  });

  test("a clock that was set forward beyond every date has nothing", async () => {
    const { endorser } = await fetchedOnce(4000 * DAY);
    expect(await refusal(endorser.recall(milan, none))).toMatchObject({
      code: "missing",
      field: "ek",
      missing: ["ek", "issuers", "crls"],
    });
  });

  test("what the vendor gives beyond its own date is passed on, and not kept", async () => {
    const stale = list(ark, { thisUpdate: NOW - 9 * DAY, nextUpdate: NOW - DAY });
    const { again, vendors, endorser } = await fetchedOnce(0, [body(stale)]);
    const { endorsements, parts } = await again();
    expect(endorsements).toMatchObject({ crls: [base64url(stale)] });
    expect(parts.at(-1)?.dated).toEqual([{ name: "crls[0]", issued: NOW - 9 * DAY, expires: NOW - DAY, number: 7 }]);
    expect(vendors.asked.map(({ url }) => url)).toEqual([milanUrls.crls]);
    expect(await refusal(endorser.recall(milan, none))).toMatchObject({ missing: ["crls"] });
  });

  test("what is not valid yet by this clock is passed on, and does not displace what is", async () => {
    const ahead = list(ark, { thisUpdate: NOW + 9 * DAY, nextUpdate: NOW + 99 * DAY });
    const { again, endorser } = await fetchedOnce(DAY, [body(amdCrl), body(ahead)]);
    expect((await again()).endorsements).toMatchObject({ crls: [base64url(ahead)] });
    expect((await endorser.recall(milan, none)).endorsements).toEqual(milanEndorsements);
  });

  test("recall has what fetch kept, and asks nobody", async () => {
    const { endorser, vendors } = await fetchedOnce(100 * DAY);
    const { endorsements, parts } = await endorser.recall(milan, none);
    expect(endorsements).toEqual(milanEndorsements);
    expect(sources(parts)).toEqual({ ek: "cache", issuers: "cache", crls: "cache" });
    expect(vendors.asked).toEqual([]);
  });

  test("Azure's certificates are kept for their chip and TCB, and as AMD's own", async () => {
    const time = virtualTime();
    const cache = memoryCache();
    const vendors = fakeVendors({ ...milanRoutes, [thimUrl]: [thimAnswer()] });
    const endorser = endorserWith(vendors, time, { cache, amdSource: "thim" });
    const requests = (): number => vendors.asked.filter(({ url }) => url === thimUrl).length;
    await time.pass(endorser.fetch(milan, none));
    await time.pass(endorser.fetch(milan, none));
    expect(requests()).toBe(2);
    expect((await endorserWith(vendors, time, { cache }).recall(milan, none)).endorsements).toEqual(milanEndorsements);
    const updated = { ...milan, reportedTcb: "0401000000000873" };
    expect(await refusal(time.pass(endorser.fetch(updated, none)))).toMatchObject({ code: "mismatch", field: "ek" });
    expect(requests()).toBe(3);
  });
});

describe("a cache that others can write to", () => {
  /** A cache that was filled by a fetch, and in which every part was then replaced by what `change` makes of it. */
  async function tampered(change: (fragment: Readonly<Record<string, unknown>>) => unknown) {
    const time = virtualTime();
    const memory = memoryCache();
    const vendors = fakeVendors(intelRoutes);
    await time.pass(endorserWith(vendors, time, { cache: memory }).fetch(platform, none));
    vendors.asked.splice(0);
    const cache: EndorsementCache = {
      put: (key, part) => memory.put(key, part),
      get: async (key) => {
        const part = await memory.get(key);
        return part === null ? null : ({ ...part, fragment: change(part.fragment) } as typeof part);
      },
    };
    const endorser = endorserWith(vendors, time, { cache });
    return { vendors, result: await time.pass(endorser.fetch(platform, none)) };
  }

  test.each<[string, (fragment: Readonly<Record<string, unknown>>) => unknown]>([
    ["without members", () => ({})],
    [
      "with numbers in the place of texts",
      (fragment) => Object.fromEntries(Object.keys(fragment).map((key) => [key, 1])),
    ],
    ["with HTML", (fragment) => Object.fromEntries(Object.keys(fragment).map((key) => [key, "<html>"]))],
  ])("a part %s is asked for anew", async (_name, change) => {
    const { vendors, result } = await tampered(change);
    expect(vendors.asked).toHaveLength(4);
    expect(result.endorsements).toEqual(intelEndorsements);
  });

  test("a member that does not belong there does not reach the Endorsements", async () => {
    const { vendors, result } = await tampered((fragment) => ({ ...fragment, uvm: "AA", tcbInfo2: "x" }));
    expect(vendors.asked).toEqual([]);
    expect(result.endorsements).toEqual(intelEndorsements);
  });

  test("the memory has a bound", async () => {
    const cache = memoryCache();
    const part = { fragment: {}, fetched: 0, notAfter: 1 };
    for (let at = 0; at < 65; at += 1) await cache.put(`key ${at}`, part);
    expect(await cache.get("key 0")).toBeNull();
    expect(await cache.get("key 1")).toBe(part);
    expect(await cache.get("key 64")).toBe(part);
  });
});

test("a list by number is kept apart from the default one", async () => {
  const time = virtualTime();
  const cache = memoryCache();
  const vendors = fakeVendors(intelRoutes);
  await time.pass(endorserWith(vendors, time, { cache }).fetch(platform, none));
  const early = endorserWith(vendors, time, { cache, intelUpdate: "early" });
  expect(await refusal(time.pass(early.fetch(platform, none)))).toMatchObject({ code: "unreachable" });
  expect(vendors.asked.map(({ url }) => url)).toContain(`${intelUrls.tcbInfo}&update=early`);
});
