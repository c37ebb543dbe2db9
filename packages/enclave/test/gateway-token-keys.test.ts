/** Tokens whose keys the Manifest pins and an issuer publishes: a whole gateway, and a key host that is not always honest. */
import { createHmac, generateKeyPairSync } from "node:crypto";
import { jwkThumbprint, type Principal } from "@blindbox/manifest";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type FakeApp, startApp } from "./fake-app.ts";
import { certifyRoot, certifySite, type Identity } from "./fixtures-egress/certificates.ts";
import type { HttpSite } from "./fixtures-egress/sites.ts";
import { type Fixture, startGateway, wide } from "./gateway-fixture.ts";
import {
  createKeyWorld,
  keyRule,
  KEYS_URL,
  keyWay,
  type KeyWay,
  type KeyWorld,
  pinnedStaff,
  setOf,
  startKeyHost,
} from "./key-host.ts";
import { call, openTls, problemCode } from "./tls-caller.ts";
import { encoded, ISSUER, issuerKey, termsOf, token } from "./token-issuer.ts";

const minute = 60_000;
const key = issuerKey("ES256", "one");
const next = issuerKey("ES256", "two");
const stranger = issuerKey("ES256", "one");
const plain = issuerKey("ES256");

interface Scene {
  readonly app: FakeApp;
  readonly site: HttpSite;
  readonly way: KeyWay;
  readonly box: Fixture;
  /** What the key host serves from now on. */
  readonly publish: (text: string) => void;
  /** Of the clock that nobody sets, and of the host's. */
  readonly clock: { monotonic: number; shift: number };
  readonly ask: (bearer: string, path?: string) => Promise<string>;
}

let world: KeyWorld;
let app: FakeApp;
const opened: { close(): Promise<void> }[] = [];
beforeAll(async () => {
  world = await createKeyWorld();
});
beforeEach(async () => {
  app = await startApp();
});
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
  await app.close();
});

interface Wanted {
  readonly principals?: readonly Principal[];
  readonly identity?: Identity;
  readonly deadline?: number;
}

async function scene(published: string, { principals, identity, deadline = 10_000 }: Wanted = {}): Promise<Scene> {
  let text = published;
  const clock = { monotonic: 1000, shift: 0 };
  const site = await startKeyHost(identity ?? world.honest, () => text);
  const way = keyWay([keyRule(world)], site, { deadline });
  const all = principals ?? [await pinnedStaff([key, next, plain])];
  const rules = [{ allow: all.map(({ id }) => id), methods: ["GET" as const], path: "/**", limits: wide }];
  const box = await startGateway({
    appPort: app.port,
    access: { principals: all, rules },
    readKeys: (url) => way.reader.read(url),
    monotonic: () => clock.monotonic,
    now: () => Date.now() + clock.shift,
  });
  opened.push(site, box);
  const publish = (other: string): void => {
    text = other;
  };
  const ask = async (bearer: string, path = "/x"): Promise<string> => {
    const answer = await call(box.port, path, { headers: { authorization: `Bearer ${bearer}` } });
    return answer.status === 200 ? "200" : `${answer.status} ${problemCode(answer)}`;
  };
  return { app, site, way, box, publish, clock, ask };
}

describe("a token of a pinned key that its issuer publishes", () => {
  it("lets its caller through, after one look at what is published", async () => {
    const { site, way, box, ask } = await scene(setOf(key.jwk));
    expect(site.connections()).toBe(0);
    expect(await ask(token(key))).toBe("200");
    expect(await ask(token(key, { claims: { sub: "another" } }))).toBe("200");
    expect(app.seen[0]?.rawHeaders.slice(-2)).toEqual(["x-blindbox-principal", "staff"]);
    expect(site.requests).toEqual(["GET /keys"]);
    await expect.poll(() => way.ledger.verdicts()).toEqual(["keys-requested", "connected", "closed"]);
    expect(box.events).toContainEqual({ event: "token-keys", read: true, known: 1 });
  });

  it("is one request for many callers at once", async () => {
    const { site, ask } = await scene(setOf(key.jwk));
    const tokens = Array.from({ length: 20 }, (_, at) => token(key, { claims: { sub: `s${at}` } }));
    expect(new Set(await Promise.all(tokens.map((each) => ask(each))))).toEqual(new Set(["200"]));
    expect(site.requests).toHaveLength(1);
  });

  it.each(["ES256", "ES384", "EdDSA", "RS256", "PS256"] as const)("may be signed with %s", async (algorithm) => {
    const own = issuerKey(algorithm, "k");
    const published = setOf(
      { kty: "oct", k: "AAAA" },
      { ...own.jwk, use: "sig", alg: algorithm, issuer: "x", n2: [1] },
    );
    const { ask } = await scene(published, { principals: [await pinnedStaff([own])] });
    expect(await ask(token(own))).toBe("200");
  });

  it("opens the doors for auditors too", async () => {
    const { ask } = await scene(setOf(key.jwk));
    expect(await ask(token(key), "/.well-known/blindbox/ledger")).toBe("200");
  });

  it("may be of another principal than those whose keys stand in the Manifest, without a request for these", async () => {
    const inline = issuerKey("ES256", "inline");
    const clerk: Principal = { id: "clerk", jwt: termsOf([inline]), audit: false };
    const { site, ask } = await scene(setOf(key.jwk), { principals: [clerk, await pinnedStaff([key])] });
    expect(await ask(token(inline))).toBe("200");
    expect(site.connections()).toBe(0);
    expect(await ask(token(key))).toBe("200");
    expect(app.seen.map(({ rawHeaders }) => rawHeaders.at(-1))).toEqual(["clerk", "staff"]);
  });

  it("is of the issuer that pinned it, though another publishes at the same URL", async () => {
    const thumbprints = [await jwkThumbprint(next.jwk)];
    const terms = termsOf([next], { issuer: "https://other.test", keys: { url: KEYS_URL, thumbprints } });
    const other: Principal = { id: "other", jwt: terms, audit: false };
    const { site, ask } = await scene(setOf(key.jwk, next.jwk), { principals: [await pinnedStaff([key]), other] });
    expect(await ask(token(key))).toBe("200");
    expect(await ask(token(next, { claims: { iss: "https://other.test" } }))).toBe("200");
    expect(await ask(token(next))).toBe("401 unauthenticated");
    expect(await ask(token(key, { claims: { iss: "https://other.test" } }))).toBe("401 unauthenticated");
    expect(site.requests).toHaveLength(1);
  });
});

describe("a key that its issuer", () => {
  it("changes to the next pinned one is found when a token needs it", async () => {
    const { site, publish, clock, ask } = await scene(setOf(key.jwk));
    expect(await ask(token(key))).toBe("200");
    publish(setOf(key.jwk, next.jwk));
    clock.monotonic += minute;
    expect(await ask(token(next))).toBe("200");
    expect(await ask(token(key))).toBe("200");
    expect(site.requests).toHaveLength(2);
  });

  it("withdraws is out with the next look, for tokens that were seen before too", async () => {
    const { publish, clock, ask, site } = await scene(setOf(key.jwk));
    const seen = token(key);
    expect(await ask(seen)).toBe("200");
    publish(setOf(next.jwk));
    clock.monotonic += 10 * minute;
    await ask(seen);
    await expect.poll(() => site.requests).toHaveLength(2);
    await expect.poll(() => ask(seen)).toBe("401 unauthenticated");
    expect(await ask(token(next))).toBe("200");
  });

  it("gives another algorithm than the token's does not verify it", async () => {
    const rsa = issuerKey("RS256", "rsa");
    const principals = [await pinnedStaff([rsa], { algorithms: ["RS256", "PS256"] })];
    const { ask } = await scene(setOf({ ...rsa.jwk, alg: "PS256" }), { principals });
    expect(await ask(token(rsa))).toBe("401 unauthenticated");
    expect(app.seen).toEqual([]);
  });
});

const secret = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" });
const leaked = { ...key.jwk, ...pick(key.privateKey.export({ format: "jwk" }), "d") };

function pick(of: object, name: string): object {
  return Object.fromEntries(Object.entries(of).filter(([each]) => each === name));
}

function macOf(macKey: string): string {
  const text = token(key, { header: { alg: "HS256" } })
    .split(".")
    .slice(0, 2)
    .join(".");
  return `${text}.${createHmac("sha256", Buffer.from(macKey, "base64url")).update(text).digest("base64url")}`;
}

const good = JSON.stringify(key.jwk);

/** What is published, and a token that somebody hopes to get in with. */
const wrong: readonly (readonly [string, string, string])[] = [
  ["another key of the same name", setOf(stranger.jwk), token(stranger)],
  ["another key behind the right one", setOf(key.jwk, stranger.jwk), token(stranger)],
  ["no key", setOf(), token(key)],
  ["the right key with its private half", setOf(leaked), token(key)],
  ["the right key with an empty private half", setOf({ ...key.jwk, d: "" }), token(key)],
  ["a private key", setOf(secret), token(key)],
  ["a symmetric key", setOf({ kty: "oct", k: "c2VjcmV0", kid: "one", alg: "HS256" }), macOf("c2VjcmV0")],
  ["the right key made symmetric", setOf({ ...key.jwk, kty: "oct", k: "c2VjcmV0" }), macOf("c2VjcmV0")],
  ["the right key for encryption", setOf({ ...key.jwk, use: "enc" }), token(key)],
  ["the right key for signing only", setOf({ ...key.jwk, key_ops: ["sign"] }), token(key)],
  ["the right key of another kind", setOf({ ...key.jwk, kty: "RSA" }), token(key)],
  ["the right key with more zeros in it", setOf({ ...key.jwk, x: `A${String(key.jwk["x"])}` }), token(key)],
  ["the right key on another curve", setOf({ ...key.jwk, crv: "secp256k1" }), token(key)],
  ["the right key under another name", setOf({ ...key.jwk, kid: "other" }), token(key, { header: { kid: "one" } })],
  ["a set with keys twice", `{"keys":[${good}],"keys":[${good}]}`, token(key)],
  ["a key with a member twice", `{"keys":[${good.replace("{", '{"kty":"EC",')}]}`, token(key)],
  ["a key with a member twice, once escaped", `{"keys":[${good.replace("{", '{"\\u006bty":"EC",')}]}`, token(key)],
  ["a set with a prototype", `{"__proto__":1,"keys":[${good}]}`, token(key)],
  ["two sets", `${setOf(key.jwk)}${setOf(key.jwk)}`, token(key)],
  ["a comment behind the set", `${setOf(key.jwk)} // signed`, token(key)],
  ["a byte order mark before the set", `\ufeff${setOf(key.jwk)}`, token(key)],
  ["a list of keys", `[${good}]`, token(key)],
  ["a key alone", good, token(key)],
  ["keys by name", JSON.stringify({ keys: { one: key.jwk } }), token(key)],
  ["a set inside a set", JSON.stringify({ keys: [{ keys: [key.jwk] }] }), token(key)],
  ["brackets in brackets", "[".repeat(32_000) + "]".repeat(32_000), token(key)],
  ["brackets without end", "[".repeat(60_000), token(key)],
  ["HTML", `<html><script>${setOf(key.jwk)}</script></html>`, token(key)],
  ["nothing", "", token(key)],
  ["a megabyte", setOf(key.jwk) + " ".repeat(1_000_000), token(key)],
];

describe("nobody gets in, and the application sees nothing, where the issuer's host publishes", () => {
  it.each(wrong)("%s", async (_, published, bearer) => {
    const { site, ask } = await scene(published);
    // The second makes sure that the set was read, whatever the first one is.
    for (const each of [bearer, token(stranger), bearer]) expect(await ask(each)).toBe("401 unauthenticated");
    expect(app.seen).toEqual([]);
    expect(app.connections()).toBe(0);
    expect(site.requests).toEqual(["GET /keys"]);
  });
});

describe("a host that poses as the issuer's", () => {
  it("with the certificate of another authority is asked nothing, and lets nobody in", async () => {
    const identity = await certifySite(await certifyRoot("root"), "idp.test");
    const { site, way, box, ask } = await scene(setOf(key.jwk), { identity });
    expect(await ask(token(key))).toBe("401 unauthenticated");
    expect(site.requests).toEqual([]);
    expect(app.connections()).toBe(0);
    expect(way.ledger.verdicts()).toEqual(["keys-requested", "refused-certificate-untrusted"]);
    expect(box.events).toContainEqual({ event: "token-keys", read: false, known: 0 });
  });

  it("takes nothing away of what is known", async () => {
    const { publish, clock, ask } = await scene(setOf(key.jwk));
    expect(await ask(token(key))).toBe("200");
    publish("<html>");
    clock.monotonic += 10 * minute;
    expect(await ask(token(next))).toBe("401 unauthenticated");
    expect(await ask(token(key, { claims: { sub: "new" } }))).toBe("200");
  });
});

describe("tokens of keys that nobody knows", () => {
  it("cause one request an interval, however many come", async () => {
    const { site, clock, ask } = await scene(setOf(key.jwk));
    const flood = async (): Promise<void> => {
      const tokens = Array.from({ length: 50 }, (_, at) =>
        token(stranger, { header: { kid: `${clock.monotonic}-${at}` } }),
      );
      expect(new Set(await Promise.all(tokens.map((each) => ask(each))))).toEqual(new Set(["401 unauthenticated"]));
    };
    await flood();
    expect(site.requests).toHaveLength(1);
    clock.monotonic += minute - 1;
    await flood();
    expect(site.requests).toHaveLength(1);
    clock.monotonic += 1;
    await flood();
    expect(site.requests).toHaveLength(2);
    expect(app.seen).toEqual([]);
  });

  it("cause none that is not of the issuer, or not of its algorithms", async () => {
    const { site, ask } = await scene(setOf(key.jwk));
    expect(await ask(token(key, { claims: { iss: "https://evil.test" } }))).toBe("401 unauthenticated");
    expect(await ask(token(key, { header: { alg: "HS256" } }))).toBe("401 unauthenticated");
    expect(await ask(token(key, { header: { jku: KEYS_URL } }))).toBe("401 unauthenticated");
    expect(await ask(`${encoded({ alg: "ES256" })}.${encoded("{}")}.AAAA`)).toBe("401 unauthenticated");
    expect(site.connections()).toBe(0);
  });

  it("cause no more of them when the host sets the clock", async () => {
    const { site, clock, ask } = await scene(setOf(key.jwk));
    for (const shift of [0, 86_400_000, -86_400_000, 315_360_000_000]) {
      clock.shift = shift;
      expect(await ask(token(stranger))).toBe("401 unauthenticated");
    }
    expect(site.requests).toHaveLength(1);
    clock.shift = 0;
    expect(await ask(token(key))).toBe("200");
  });
});

describe("a caller who leaves while keys are read", () => {
  it.each(["/x", "/.well-known/blindbox/ledger"])("disturbs nobody, asking for %s", async (path) => {
    const { box, site, ask } = await scene(setOf(key.jwk));
    const socket = await openTls(box.port);
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token(key)}\r\n\r\n`);
    await expect.poll(() => site.connections()).toBe(1);
    socket.destroy();
    expect(await ask(token(key, { claims: { iss: ISSUER, sub: "x" } }))).toBe("200");
    expect(site.requests).toHaveLength(1);
  });
});
