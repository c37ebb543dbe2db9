/** What an Endorser makes of vendors that answer late, wrong, too much or not at all. */
import { describe, expect, test } from "vitest";
import { retryAfterOf } from "../../src/endorsers/retry.ts";
import { NOW } from "../vendor.ts";
import {
  body,
  endorserWith,
  fakeVendors,
  noConnection,
  refusal,
  silence,
  status,
  virtualTime,
  type Answer,
} from "./surroundings.ts";
import {
  amdCrl,
  intelEndorsements,
  intelRoutes,
  intelUrls,
  milan,
  milanEndorsements,
  milanRoutes,
  milanUrls,
  none,
  platform,
} from "./vendors.ts";

/** AMD's part `crls` is answered by `answers`, everything else rightly. */
function milanWith(answers: readonly Answer[]) {
  const time = virtualTime();
  const vendors = fakeVendors({ ...milanRoutes, [milanUrls.crls]: answers });
  const fetched = (signal?: AbortSignal) => endorserWith(vendors, time).fetch(milan, none, signal);
  const times = (url: string): number => vendors.asked.filter((each) => each.url === url).length;
  return { time, vendors, fetched, crlRequests: () => times(milanUrls.crls) };
}

describe("a whole set", () => {
  test("of SEV-SNP has exactly its members, from KDS", async () => {
    const { time, vendors, fetched } = milanWith([body(amdCrl)]);
    const { endorsements, subject, parts } = await time.pass(fetched());
    expect(endorsements).toEqual(milanEndorsements);
    expect(subject).toBe(milan);
    expect(parts.map(({ members, from, failure }) => ({ members, from, failure }))).toEqual([
      { members: ["ek"], from: "vendor", failure: null },
      { members: ["issuers"], from: "vendor", failure: null },
      { members: ["crls"], from: "vendor", failure: null },
    ]);
    for (const { init } of vendors.asked)
      expect(init).toMatchObject({ method: "GET", redirect: "manual", headers: {} });
    expect(time.open()).toBe(0);
  });

  test("of TDX has exactly its members: texts exact, chains decoded", async () => {
    const time = virtualTime();
    const { endorsements } = await time.pass(endorserWith(fakeVendors(intelRoutes), time).fetch(platform, none));
    expect(endorsements).toEqual(intelEndorsements);
  });

  test("headers count whatever their case, and white space in the text stays", async () => {
    const time = virtualTime();
    const text = ` ${intelEndorsements.tcbInfo}\n`;
    const header = { "tcb-INFO-issuer-CHAIN": encodeURIComponent(intelEndorsements.tcbInfoIssuerChain).toLowerCase() };
    // Lower-case escapes only: the base64 inside must stay as it is.
    header["tcb-INFO-issuer-CHAIN"] = encodeURIComponent(intelEndorsements.tcbInfoIssuerChain).replace(
      /%[0-9A-F]{2}/g,
      (escape) => escape.toLowerCase(),
    );
    const vendors = fakeVendors({ ...intelRoutes, [intelUrls.tcbInfo]: [body(text, header)] });
    const { endorsements } = await time.pass(endorserWith(vendors, time).fetch(platform, none));
    expect(endorsements).toEqual({ ...intelEndorsements, tcbInfo: text });
  });
});

describe("a busy or broken vendor", () => {
  test("429 and then an answer is an answer, after a wait", async () => {
    const { time, fetched, crlRequests } = milanWith([status(429), body(amdCrl)]);
    expect((await time.pass(fetched())).endorsements).toEqual(milanEndorsements);
    expect(crlRequests()).toBe(2);
    expect(time.slept).toEqual([750]);
    expect(time.open()).toBe(0);
  });

  test("Retry-After is honoured where it is longer than our own wait", async () => {
    const { time, fetched } = milanWith([status(429, { "Retry-After": "13" }), body(amdCrl)]);
    await time.pass(fetched());
    expect(time.slept).toEqual([13_000]);
  });

  test("Retry-After as a date is honoured by the clock that is given", async () => {
    const at = new Date((NOW + 9) * 1000).toUTCString();
    const { time, fetched } = milanWith([status(503, { "Retry-After": at }), body(amdCrl)]);
    await time.pass(fetched());
    expect(time.slept).toEqual([9000]);
  });

  test.each(["3600", "999999999"])(
    "Retry-After %s is not waited for: the caller hears of it at once",
    async (seconds) => {
      const { time, fetched, crlRequests } = milanWith([status(429, { "Retry-After": seconds })]);
      const error = await refusal(time.pass(fetched()));
      expect(error).toMatchObject({ code: "throttled", field: "crls", actual: "status 429", missing: ["crls"] });
      expect(crlRequests()).toBe(1);
      expect(time.slept).toEqual([]);
    },
  );

  test.each([
    "-1",
    "soon",
    "1.5",
    "0x10",
    "",
    "1 2",
    "9999999999",
    "Thu, 01 Jan 1970",
    "Sunday, 06-Nov-94 08:49:37 GMT",
  ])("Retry-After %j says nothing, and our own wait counts", (header) => {
    expect(retryAfterOf(header, NOW)).toBeNull();
  });

  test("a date of the past is no wait, and none at all is none", () => {
    expect(retryAfterOf("Thu, 01 Jan 1970 00:00:00 GMT", NOW)).toBe(0);
    expect(retryAfterOf(null, NOW)).toBeNull();
  });

  test.each([
    [500, "unavailable"],
    [502, "unavailable"],
    [503, "unavailable"],
    [429, "throttled"],
  ] as const)("%i again and again ends after five attempts with %s", async (code, expected) => {
    const { time, fetched, crlRequests } = milanWith([status(code)]);
    const error = await refusal(time.pass(fetched()));
    expect(error).toMatchObject({ code: expected, field: "crls", expected: "status 200", actual: `status ${code}` });
    expect(crlRequests()).toBe(5);
    expect(time.slept).toEqual([750, 1500, 3000, 6000]);
    expect(time.open()).toBe(0);
  });

  test("the waits are random between half and whole, and never near zero", async () => {
    for (const [random, waits] of [
      [0, [500, 1000, 2000, 4000]],
      [0.999_999, [1000, 2000, 4000, 8000]],
    ] as const) {
      const time = virtualTime();
      const vendors = fakeVendors({ ...milanRoutes, [milanUrls.crls]: [status(503)] });
      await refusal(time.pass(endorserWith(vendors, time, { random: () => random }).fetch(milan, none)));
      expect(time.slept.map(Math.round)).toEqual(waits);
    }
  });

  test("no connection is tried again, and then said without the runtime's own words", async () => {
    const { time, fetched, crlRequests } = milanWith([noConnection]);
    const error = await refusal(time.pass(fetched()));
    expect(error).toMatchObject({ code: "unreachable", actual: "no connection" });
    expect(String(error)).not.toContain("fetch failed");
    expect(crlRequests()).toBe(5);
    const mended = milanWith([noConnection, body(amdCrl)]);
    expect((await mended.time.pass(mended.fetched())).endorsements).toEqual(milanEndorsements);
  });

  test.each([
    [404, "not-found"],
    [410, "not-found"],
    [400, "refused"],
    [401, "refused"],
    [204, "refused"],
  ] as const)("%i is final: %s", async (code, expected) => {
    const answer: Answer = () => new Response(null, { status: code });
    const { time, fetched, crlRequests } = milanWith([answer]);
    expect(await refusal(time.pass(fetched()))).toMatchObject({ code: expected, actual: `status ${code}` });
    expect(crlRequests()).toBe(1);
  });

  test.each([301, 302, 303, 307, 308])("a redirect (%i) is not followed", async (code) => {
    const { time, vendors, fetched } = milanWith([status(code, { location: "https://evil.example/crl" })]);
    expect(await refusal(time.pass(fetched()))).toMatchObject({ code: "redirected", actual: `status ${code}` });
    expect(vendors.asked.map(({ url }) => new URL(url).host)).not.toContain("evil.example");
  });

  test("nor is an answer taken from a fetch that followed one, or hides one", async () => {
    const followed = Object.defineProperty(new Response(new Uint8Array(amdCrl)), "redirected", { value: true });
    const hidden = Object.defineProperty(new Response(null), "status", { value: 0 });
    for (const response of [followed, hidden]) {
      const { time, fetched } = milanWith([() => response]);
      expect(await refusal(time.pass(fetched()))).toMatchObject({ code: "redirected" });
    }
  });
});

describe("time", () => {
  test("an attempt without an answer ends after 15 s and is made again", async () => {
    const { time, fetched } = milanWith([silence, body(amdCrl)]);
    expect((await time.pass(fetched())).endorsements).toEqual(milanEndorsements);
    expect(time.slept).toEqual([15_000, 750]);
    expect(time.open()).toBe(0);
  });

  test("all attempts together end after 60 s, and the request is told to", async () => {
    const { time, vendors, fetched } = milanWith([silence]);
    expect(await refusal(time.pass(fetched()))).toMatchObject({ code: "timeout", field: "crls" });
    expect(time.milliseconds).toBe(60_000);
    expect(vendors.asked.every(({ init }) => init.signal.aborted)).toBe(true);
    expect(time.open()).toBe(0);
  });

  test("a body that stops in the middle is no answer", async () => {
    const halted: Answer = () => new Response(new ReadableStream({ start: (out) => out.enqueue(new Uint8Array(9)) }));
    const { time, fetched } = milanWith([halted]);
    expect(await refusal(time.pass(fetched()))).toMatchObject({ code: "timeout" });
    expect(time.milliseconds).toBe(60_000);
  });

  test("a caller that gives up is not kept waiting, and the vendors are left alone", async () => {
    const { time, vendors, fetched } = milanWith([silence]);
    const caller = new AbortController();
    const work = refusal(fetched(caller.signal));
    await time.pass(time.sleep(100, caller.signal));
    caller.abort();
    expect(await work).toMatchObject({ code: "aborted" });
    expect(vendors.asked.find(({ url }) => url === milanUrls.crls)?.init.signal.aborted).toBe(true);
    await time.pass(Promise.resolve());
    expect(time.open()).toBe(0);
  });

  test("a caller that gives up between two attempts spares the vendor the second", async () => {
    const { time, fetched, crlRequests } = milanWith([status(429), body(amdCrl)]);
    const caller = new AbortController();
    const work = refusal(fetched(caller.signal));
    await time.pass(time.sleep(100, caller.signal));
    expect(crlRequests()).toBe(1);
    caller.abort();
    expect(await work).toMatchObject({ code: "aborted" });
    await time.pass(Promise.resolve());
    expect(crlRequests()).toBe(1);
    expect(time.open()).toBe(0);
  });

  test("whoever asks after the last one gave up begins anew", async () => {
    const time = virtualTime();
    const vendors = fakeVendors({ ...milanRoutes, [milanUrls.crls]: [silence, body(amdCrl)] });
    const endorser = endorserWith(vendors, time);
    const caller = new AbortController();
    const gone = refusal(endorser.fetch(milan, none, caller.signal));
    await time.pass(time.sleep(100, caller.signal));
    caller.abort();
    const next = endorser.fetch(milan, none);
    expect(await gone).toMatchObject({ code: "aborted" });
    expect((await time.pass(next)).endorsements).toEqual(milanEndorsements);
  });

  test("a caller that gave up before asks nobody", async () => {
    const { vendors, fetched } = milanWith([body(amdCrl)]);
    expect(await refusal(fetched(AbortSignal.abort()))).toMatchObject({ code: "aborted" });
    expect(vendors.asked).toEqual([]);
  });
});

describe("at the same time", () => {
  test("identical requests are one", async () => {
    const time = virtualTime();
    const vendors = fakeVendors({ ...milanRoutes, [milanUrls.crls]: [status(429), body(amdCrl)] });
    const endorser = endorserWith(vendors, time);
    const all = await time.pass(Promise.all(Array.from({ length: 20 }, () => endorser.fetch(milan, none))));
    for (const { endorsements } of all) expect(endorsements).toEqual(milanEndorsements);
    expect(vendors.asked).toHaveLength(4);
  });

  test("one that gives up takes nothing from the others", async () => {
    const time = virtualTime();
    const vendors = fakeVendors({ ...milanRoutes, [milanUrls.crls]: [status(429), body(amdCrl)] });
    const endorser = endorserWith(vendors, time);
    const caller = new AbortController();
    const gone = refusal(endorser.fetch(milan, none, caller.signal));
    const patient = endorser.fetch(milan, none);
    await Promise.resolve();
    caller.abort();
    expect(await gone).toMatchObject({ code: "aborted" });
    expect((await time.pass(patient)).endorsements).toEqual(milanEndorsements);
  });

  test("a failure is not remembered: the next request asks anew", async () => {
    const time = virtualTime();
    const vendors = fakeVendors({ ...milanRoutes, [milanUrls.crls]: [status(404), body(amdCrl)] });
    const endorser = endorserWith(vendors, time);
    expect(await refusal(time.pass(endorser.fetch(milan, none)))).toMatchObject({ code: "not-found" });
    expect((await time.pass(endorser.fetch(milan, none))).endorsements).toEqual(milanEndorsements);
  });
});

describe("what is missing", () => {
  test("is named, all of it, and nothing comes without it", async () => {
    const time = virtualTime();
    const routes = { ...intelRoutes, [intelUrls.tcbInfo]: [status(404)], [intelUrls.rootCaCrl]: [status(500)] };
    const error = await refusal(time.pass(endorserWith(fakeVendors(routes), time).fetch(platform, none)));
    expect(error).toMatchObject({
      name: "EndorserError",
      code: "not-found",
      field: "tcbInfo",
      missing: ["tcbInfo", "tcbInfoIssuerChain", "rootCaCrl"],
    });
    expect(String(error)).toBe(
      "EndorserError: tcbInfo: expected status 200, got status 404 (not-found); missing: tcbInfo, tcbInfoIssuerChain, rootCaCrl",
    );
  });

  test("a fault of a cache is no fault of a vendor, and passes through as it is", async () => {
    const time = virtualTime();
    const fault = new RangeError("disk");
    const cache = { get: () => Promise.resolve(null), put: () => Promise.reject(fault) };
    const endorser = endorserWith(fakeVendors(milanRoutes), time, { cache });
    expect(await refusal(time.pass(endorser.fetch(milan, none)))).toBe(fault);
  });
});
