/** The one request of the box's own, to hosts that are right and hosts that are not: asserts on what reached them. */
import type { RequestListener } from "node:http";
import type { Egress, VerifiedEgress } from "@blindbox/manifest";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { certify, certifyRoot, certifySite, type Identity } from "./fixtures-egress/certificates.ts";
import { type HttpSite, startHttpsSite, startHttpSite } from "./fixtures-egress/sites.ts";
import { answering, createKeyWorld, keyRule, KEYS_URL, keyWay, type KeyWorld } from "./key-host.ts";

let world: KeyWorld;
beforeAll(async () => {
  world = await createKeyWorld();
});

const sites: HttpSite[] = [];
afterEach(async () => {
  for (const site of sites.splice(0)) await site.close();
});

async function hostOf(answer: RequestListener = answering(() => "set"), identity: Identity = world.honest) {
  const site = await startHttpsSite(identity, answer);
  sites.push(site);
  return site;
}

describe("an issuer's keys", () => {
  it("are asked for in one plain request, with nothing of a caller in it", async () => {
    const site = await hostOf();
    const { reader, ledger } = keyWay([keyRule(world)], site);
    expect(Buffer.from(await reader.read(KEYS_URL)).toString()).toBe("set");
    expect(site.requests).toEqual(["GET /keys"]);
    const accept = "application/jwk-set+json, application/json";
    expect(site.heads[0]).toEqual(["host", "idp.test", "connection", "close", "accept", accept]);
    await expect.poll(() => ledger.verdicts()).toEqual(["keys-requested", "connected", "closed"]);
    const [asked, connected, closed] = ledger.entries;
    expect(asked).toMatchObject({ rule: 0, host: "idp.test", port: 443, mode: "verified", peer: null });
    expect([connected?.peer, closed?.peer]).toEqual([world.honest.fingerprint, world.honest.fingerprint]);
    expect(closed?.received).toBeGreaterThan(0);
  });

  it("may be elsewhere than at port 443, and behind a query", async () => {
    const site = await hostOf();
    const { reader } = keyWay([keyRule(world, { ports: [8443] })], site);
    await reader.read("https://idp.test:8443/keys?v=2");
    expect(site.requests).toEqual(["GET /keys?v=2"]);
    expect(site.heads[0]).toContain("idp.test:8443");
  });
});

type Change = Partial<VerifiedEgress>;

const forbidden: readonly (readonly [string, (world: KeyWorld) => readonly Egress[], string, string])[] = [
  ["no rule", () => [], KEYS_URL, "refused-name"],
  ["a rule for another host", (of) => [rule(of, { host: "other.test" })], KEYS_URL, "refused-name"],
  ["a rule for another port", (of) => [rule(of, { ports: [8443] })], KEYS_URL, "refused-port"],
  ["a rule for another method", (of) => [rule(of, { methods: ["POST"] })], KEYS_URL, "refused-request-method"],
  ["a rule for another path", (of) => [rule(of, { paths: ["/other"] })], KEYS_URL, "refused-request-path"],
  ["a path of two readings", (of) => [rule(of, { paths: "any" })], `${KEYS_URL}/../x`, "refused-request-target"],
  ["a URL without TLS", (of) => [rule(of, {})], "http://idp.test/keys", "refused-request-target"],
  ["a URL with a user", (of) => [rule(of, {})], "https://a@idp.test/keys", "refused-request-target"],
  ["a URL with an address", (of) => [rule(of, {})], "https://127.0.0.1/keys", "refused-request-target"],
  [
    "a rule in mode passthrough",
    () => [{ mode: "passthrough", host: "idp.test", ports: [443] }],
    KEYS_URL,
    "refused-no-tls",
  ],
  [
    "a rule in mode tcp",
    () => [{ mode: "tcp", host: "idp.test", ports: [443], trusts: "network" }],
    KEYS_URL,
    "refused-no-tls",
  ],
  [
    "a rule in mode http",
    () => [{ mode: "http", host: "idp.test", ports: [443], methods: "any", paths: "any", trusts: "network" }],
    KEYS_URL,
    "refused-no-tls",
  ],
];

function rule(of: KeyWorld, change: Change): Egress {
  return keyRule(of, change);
}

describe("nothing is asked where the rules do not allow it:", () => {
  it.each(forbidden)("%s", async (_, rules, url, verdict) => {
    const site = await hostOf();
    const { reader, ledger } = keyWay(rules(world), site);
    await expect(reader.read(url)).rejects.toMatchObject({ name: "EgressError", code: verdict });
    expect(ledger.verdicts()).toEqual([verdict]);
    expect(site.connections()).toBe(0);
  });
});

describe("a host that is not the one", () => {
  it.each<[string, () => Promise<Identity>, string]>([
    [
      "of another authority",
      async () => certifySite(await certifyRoot("root"), "idp.test"),
      "refused-certificate-untrusted",
    ],
    [
      "that vouches for itself",
      () => certify({ subject: "idp.test", names: ["idp.test"] }),
      "refused-certificate-self-signed",
    ],
    ["whose time is over", () => expired(world.root), "refused-certificate-expired"],
    ["with another name", () => certifySite(world.root, "evil.test"), "refused-certificate-name"],
  ])("%s is asked nothing", async (_, identity, verdict) => {
    const site = await hostOf(undefined, await identity());
    const { reader, ledger } = keyWay([keyRule(world)], site);
    await expect(reader.read(KEYS_URL)).rejects.toMatchObject({ code: verdict });
    expect(ledger.verdicts()).toEqual(["keys-requested", verdict]);
    expect(site.requests).toEqual([]);
    expect(site.heard()).toBe("");
  });

  it("does not bear the rule's pin, and is asked nothing", async () => {
    const site = await hostOf();
    const { reader, ledger } = keyWay([keyRule(world, { pins: [`sha256:${"0".repeat(64)}`] })], site);
    await expect(reader.read(KEYS_URL)).rejects.toMatchObject({ code: "refused-certificate-pin" });
    expect(ledger.verdicts()).toEqual(["keys-requested", "refused-certificate-pin"]);
    expect(site.requests).toEqual([]);
  });

  it("speaks no TLS, and hears nothing that it understands", async () => {
    const site = await startHttpSite();
    sites.push(site);
    await expect(keyWay([keyRule(world)], site).reader.read(KEYS_URL)).rejects.toMatchObject({
      code: "refused-tls-upstream",
    });
    expect(site.requests).toEqual([]);
  });
});

function expired(issuer: Identity): Promise<Identity> {
  return certify({ subject: "idp.test", issuer, names: ["idp.test"], notAfter: new Date(Date.now() - 1000) });
}

const forever: RequestListener = (_, response) => {
  const timer = setInterval(() => response.write(" "), 20);
  response.once("close", () => clearInterval(timer));
};

const wrong: readonly (readonly [string, RequestListener, string])[] = [
  ["a redirect", answering(() => "", 302, { location: "https://idp.test/other" }), "refused-answer"],
  ["a redirect with a set in it", answering(() => "set", 307, { location: KEYS_URL }), "refused-answer"],
  ["404", answering(() => "set", 404), "refused-answer"],
  ["206", answering(() => "set", 206), "refused-answer"],
  ["a megabyte", answering(() => "x".repeat(1_000_000)), "refused-answer"],
  [
    "a megabyte that it announces",
    answering(() => "x".repeat(1e6), 200, { "content-length": "1000000" }),
    "refused-answer",
  ],
  ["one byte too many", answering(() => "x".repeat(65_537)), "refused-answer"],
  [
    "half of what it announces",
    (_, response) => cutAfter(response.writeHead(200, { "content-length": "10" })),
    "refused-answer",
  ],
  [
    "headers without end",
    (_, response) => void response.writeHead(200, { a: "x".repeat(70_000) }).end(),
    "refused-answer",
  ],
  ["a byte now and then", forever, "refused-upstream-timeout"],
  ["nothing", () => {}, "refused-upstream-timeout"],
];

function cutAfter(response: { write(text: string): unknown; destroy(): unknown }): void {
  response.write("12345");
  setTimeout(() => response.destroy(), 20);
}

describe("an answer that is", () => {
  it.each(wrong)("%s is no set of keys, and its host is asked once", async (_, answer, verdict) => {
    const site = await hostOf(answer);
    const { reader, ledger } = keyWay([keyRule(world)], site, { deadline: 500 });
    await expect(reader.read(KEYS_URL)).rejects.toMatchObject({ code: verdict });
    await expect.poll(() => ledger.verdicts().toSorted()).toEqual(["closed", "connected", "keys-requested", verdict]);
    expect(site.requests).toEqual(["GET /keys"]);
  });

  it("exactly as long as it may be is read whole", async () => {
    const site = await hostOf(answering(() => "x".repeat(65_536)));
    expect(await keyWay([keyRule(world)], site).reader.read(KEYS_URL)).toHaveLength(65_536);
  });
});

describe("requests of the box's own", () => {
  it("are few at once: one more is refused, and in the ledger", async () => {
    const site = await hostOf(() => {});
    const { reader, ledger } = keyWay([keyRule(world)], site, { atOnce: 2 });
    const running = [reader.read(KEYS_URL), reader.read(KEYS_URL)].map((each) => each.catch((error: unknown) => error));
    await expect(reader.read(KEYS_URL)).rejects.toMatchObject({ code: "refused-connection-limit" });
    expect(ledger.verdicts()).toEqual(["keys-requested", "keys-requested", "refused-connection-limit"]);
    await expect.poll(() => site.requests).toHaveLength(2);
    reader.close();
    await Promise.all(running);
  });

  it("are broken off when the way out is closed", async () => {
    const site = await hostOf(() => {});
    const { reader, ledger } = keyWay([keyRule(world)], site);
    const running = expect(reader.read(KEYS_URL)).rejects.toMatchObject({ name: "EgressError" });
    await expect.poll(() => site.requests).toHaveLength(1);
    reader.close();
    await running;
    await expect.poll(() => ledger.verdicts()).toContain("closed");
  });
});
