/** A box with a new Manifest, out of which a principal was taken: what let it in before lets nobody in any more. */
import type { Principal } from "@blindbox/manifest";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type FakeApp, startApp } from "./fake-app.ts";
import type { HttpSite } from "./fixtures-egress/sites.ts";
import { aliceKey, bobKey, digestOf, type Fixture, startGateway, wide } from "./gateway-fixture.ts";
import { createKeyWorld, keyRule, keyWay, type KeyWorld, pinnedStaff, setOf, startKeyHost } from "./key-host.ts";
import { call } from "./tls-caller.ts";
import { issuerKey, termsOf, token } from "./token-issuer.ts";

const key = issuerKey("ES256", "one");
const other = issuerKey("ES256", "two");
const bob: Principal = { id: "bob", apiKey: digestOf(bobKey), audit: false };

let app: FakeApp;
let world: KeyWorld;
let site: HttpSite;
const boxes: Fixture[] = [];
beforeAll(async () => {
  world = await createKeyWorld();
  [app, site] = await Promise.all([startApp(), startKeyHost(world.honest, () => setOf(key.jwk, other.jwk))]);
});
afterAll(async () => {
  await site.close();
  await app.close();
});
beforeEach(() => {
  app.seen.length = 0;
  site.requests.length = 0;
});
afterEach(async () => {
  for (const box of boxes.splice(0)) await box.close();
});

/** A rule names only principals that are there: a Manifest in which one does not is none. */
async function boxOf(principals: readonly Principal[]): Promise<Fixture> {
  const { reader } = keyWay([keyRule(world)], site);
  const rules = [{ allow: principals.map(({ id }) => id), methods: ["GET" as const], path: "/**", limits: wide }];
  const readKeys = (url: string): Promise<Uint8Array> => reader.read(url);
  const box = await startGateway({ appPort: app.port, access: { principals, rules }, readKeys });
  boxes.push(box);
  return box;
}

async function statusOf({ port }: Fixture, bearer: string): Promise<number> {
  return (await call(port, "/x", { headers: { authorization: `Bearer ${bearer}` } })).status;
}

type Removed = readonly [string, () => Promise<Principal>, string];

const removed: readonly Removed[] = [
  ["with an API key", async () => ({ id: "gone", apiKey: digestOf(aliceKey), audit: true }), aliceKey],
  ["with a token", async () => ({ id: "gone", jwt: termsOf([key]), audit: true }), token(key)],
  ["with a token of a published key", async () => ({ ...(await pinnedStaff([key])), id: "gone" }), token(key)],
];

describe("a principal that a new Manifest does not name any more,", () => {
  it.each(removed)("%s, is refused, and the application sees nothing of it", async (_, principal, bearer) => {
    const before = await boxOf([await principal(), bob]);
    expect(await statusOf(before, bearer)).toBe(200);
    const after = await boxOf([bob]);
    app.seen.length = 0;
    site.requests.length = 0;
    // A JWT is the application's own where no principal has any: the caller itself is nobody all the same.
    expect(await statusOf(after, bearer)).toBe(401);
    expect([app.seen, site.requests]).toEqual([[], []]);
    expect(await statusOf(after, bobKey)).toBe(200);
  });

  it("while others of its issuer stay, is refused by the key that is no longer pinned", async () => {
    const before = await boxOf([await pinnedStaff([key, other])]);
    const after = await boxOf([await pinnedStaff([other])]);
    expect([await statusOf(before, token(key)), await statusOf(before, token(other))]).toEqual([200, 200]);
    app.seen.length = 0;
    expect(await statusOf(after, token(key))).toBe(401);
    expect(app.seen).toEqual([]);
    expect(await statusOf(after, token(other))).toBe(200);
  });

  it("while others have its keys, is refused by the claim that it alone had", async () => {
    const admin: Principal = { id: "gone", jwt: termsOf([key], { requiredClaims: { role: "admin" } }), audit: true };
    const clerk: Principal = { id: "clerk", jwt: termsOf([key], { requiredClaims: { role: "clerk" } }), audit: false };
    const asAdmin = token(key, { claims: { role: "admin" } });
    expect(await statusOf(await boxOf([admin, clerk]), asAdmin)).toBe(200);
    app.seen.length = 0;
    expect(await statusOf(await boxOf([clerk]), asAdmin)).toBe(401);
    expect(app.seen).toEqual([]);
  });

  it("takes the right to audit with it", async () => {
    const auditor: Principal = { id: "gone", apiKey: digestOf(aliceKey), audit: true };
    const ledger = async (box: Fixture): Promise<number> =>
      (await call(box.port, "/.well-known/blindbox/ledger", { key: aliceKey })).status;
    expect(await ledger(await boxOf([auditor, bob]))).toBe(200);
    expect(await ledger(await boxOf([bob]))).toBe(401);
    expect(await ledger(await boxOf([{ ...auditor, audit: false }, bob]))).toBe(403);
  });
});
