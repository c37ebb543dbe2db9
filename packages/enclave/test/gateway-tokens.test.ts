/** Callers known by a JWT, and everything that only looks like one: asserts on what the application saw. */
import { createPublicKey, hash } from "node:crypto";
import { createServer, type AddressInfo } from "node:net";
import type { Principal, TokenTerms } from "@blindbox/manifest";
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from "vitest";
import { type FakeApp, startApp } from "./fake-app.ts";
import { aliceKey, digestOf, type Fixture, startGateway, wide } from "./gateway-fixture.ts";
import { call, openTls, problemCode, readUntilClosed } from "./tls-caller.ts";
import {
  AUDIENCE,
  encoded,
  ISSUER,
  issuerKey,
  macToken,
  termsOf,
  token,
  unsigned,
  type TokenSpec,
} from "./token-issuer.ts";

const key = issuerKey("ES256", "one");
const stranger = issuerKey("ES256", "one");
const rsa = issuerKey("RS256", "rsa");
const second = Math.floor(Date.now() / 1000);

let app: FakeApp;
let box: Fixture;

function staff(terms: TokenTerms): Principal {
  return { id: "staff", jwt: terms, audit: false };
}

async function boxFor(principals: readonly Principal[], allow: readonly string[]): Promise<Fixture> {
  const rules = [{ allow, methods: ["GET" as const], path: "/**", limits: wide }];
  return startGateway({ appPort: app.port, access: { principals, rules } });
}

beforeAll(async () => {
  app = await startApp();
  box = await boxFor([staff(termsOf([key, rsa]))], ["staff"]);
});
afterAll(async () => {
  await box.close();
  await app.close();
});
beforeEach(() => {
  app.seen.length = 0;
});

async function asked(bearer: string, port: number = box.port): Promise<string> {
  const answer = await call(port, "/x", { headers: { authorization: `Bearer ${bearer}` } });
  return answer.status === 200 ? "200" : `${answer.status} ${problemCode(answer)}`;
}

describe("a token that is right", () => {
  it("lets its caller through, and never reaches the application", async () => {
    expect(await asked(token(key))).toBe("200");
    const raw = app.seen[0]?.rawHeaders ?? [];
    expect(raw).not.toContainEqual(expect.stringMatching(/authorization/i));
    expect(raw.slice(-2)).toEqual(["x-blindbox-principal", "staff"]);
  });

  it.each(["ES256", "ES384", "EdDSA", "RS256", "PS256"] as const)("may be signed with %s", async (algorithm) => {
    const own = issuerKey(algorithm);
    const other = await boxFor([staff(termsOf([own]))], ["staff"]);
    expect(await asked(token(own), other.port)).toBe("200");
    await other.close();
  });

  it("may stand in the box's own header, beside an Authorization of the application's", async () => {
    const headers = { "x-blindbox-authorization": `Bearer ${token(key)}`, authorization: "Basic YTpi" };
    expect((await call(box.port, "/x", { headers })).status).toBe(200);
    expect(app.seen[0]?.rawHeaders).toContain("Basic YTpi");
  });

  it("is taken the second time without a look at its signature, and still judged by the clock", async () => {
    let now = second * 1000;
    const rules = [{ allow: ["staff"], methods: ["GET" as const], path: "/**", limits: wide }];
    const access = { principals: [staff(termsOf([key]))], rules };
    const clocked = await startGateway({ appPort: app.port, access, now: () => now });
    const text = token(key, { now: second });
    expect(await asked(text, clocked.port)).toBe("200");
    expect(await asked(text, clocked.port)).toBe("200");
    now += 631_000;
    expect(await asked(text, clocked.port)).toBe("401 unauthenticated");
    // A host that sets the clock back brings an expired token back to life, and no more than that one: nothing in the box
    // can know better, which is why a token bounds who asks and never alone what leaves.
    now = second * 1000;
    expect(await asked(text, clocked.port)).toBe("200");
    await clocked.close();
  });
});

const spki = createPublicKey(rsa.privateKey).export({ type: "spki", format: "pem" });
const wrong: readonly (readonly [string, string])[] = [
  ["alg none, without a signature", unsigned(key, { header: { alg: "none" } })],
  ["alg None in other letters", unsigned(key, { header: { alg: "nOnE" } })],
  ["alg none, with the signature of another token", `${unsigned(key, { header: { alg: "none" } })}AAAA`],
  ["HS256 with the RSA public key as the secret", macToken(rsa, spki)],
  ["HS256 with the JWK's text as the secret", macToken(key, JSON.stringify(key.jwk))],
  ["HS256 with an empty secret", macToken(key, "")],
  ["an algorithm that fits another key of the issuer", token(key, { header: { alg: "RS256" } })],
  ["an algorithm that nobody names", token(key, { header: { alg: "ES512" } })],
  ["no algorithm", token(key, { header: { alg: undefined } })],
  ["an algorithm that is no text", token(key, { header: { alg: ["ES256"] } })],
  ["the signature of a stranger with the same kid", token(stranger)],
  ["a key that it brings along", token(stranger, { header: { jwk: stranger.jwk } })],
  ["a key that it points at", token(stranger, { header: { jku: "https://evil.test/keys" } })],
  ["a certificate that it brings along", token(key, { header: { x5c: ["AAAA"] } })],
  ["a certificate that it points at", token(key, { header: { x5u: "https://evil.test/c" } })],
  ["a critical extension", token(key, { header: { crit: ["exp"], exp: 1 } })],
  ["an unencoded payload", token(key, { header: { b64: false, crit: ["b64"] } })],
  ["a compressed payload", token(key, { header: { zip: "DEF" } })],
  ["the header of an encrypted token", token(key, { header: { enc: "A256GCM" } })],
  ["a kid that is a path", token(key, { header: { kid: "../../dev/null" } })],
  ["a kid that is a query", token(key, { header: { kid: "x' OR '1'='1" } })],
  ["a kid that is no text", token(key, { header: { kid: { one: 1 } } })],
  ["a kid of __proto__", token(key, { header: { kid: "__proto__" } })],
  ["another type", token(key, { header: { typ: "dpop+jwt" } })],
  ["no issuer", token(key, { claims: { iss: undefined } })],
  ["another issuer", token(key, { claims: { iss: "https://idp.evil" } })],
  ["the issuer with a slash more", token(key, { claims: { iss: `${ISSUER}/` } })],
  ["an issuer that is a list", token(key, { claims: { iss: [ISSUER] } })],
  ["no audience", token(key, { claims: { aud: undefined } })],
  ["another audience", token(key, { claims: { aud: "other" } })],
  ["a list of other audiences", token(key, { claims: { aud: ["other", "box2"] } })],
  ["an empty list of audiences", token(key, { claims: { aud: [] } })],
  ["an audience inside an object", token(key, { claims: { aud: { box: AUDIENCE } } })],
  ["no expiry", token(key, { claims: { exp: undefined } })],
  ["an expiry in the past", token(key, { claims: { iat: second - 700, exp: second - 60 } })],
  ["an expiry that is text", token(key, { claims: { exp: String(second + 600) } })],
  ["a start in the future", token(key, { claims: { nbf: second + 120 } })],
  ["an issue in the future", token(key, { claims: { iat: second + 120, exp: second + 600 } })],
  ["a lifetime of a day", token(key, { claims: { exp: second + 86_400 } })],
  ["a claim twice", token(key, duplicated('"aud":"other","aud":"box"'))],
  ["a claim twice, once escaped", token(key, duplicated('"\\u0061ud":"box","aud":"box"'))],
  ["a payload that is a list", token(key, { payload: "[]" })],
  ["a payload that is no JSON", token(key, { payload: "{iss}" })],
  ["white space in it", token(key).replace(".", " .")],
  ["padding in it", `${token(key)}=`],
  ["a fourth part", `${token(key)}.AAAA`],
  ["two parts", token(key).split(".").slice(0, 2).join(".")],
  ["an empty payload", `${encoded({ alg: "ES256" })}..AAAA`],
  ["ten thousand characters", token(key, { claims: { pad: "x".repeat(7000) } })],
  ["its signature cut short", token(key).slice(0, -4)],
  ["its signature in DER", derSigned()],
];

function duplicated(members: string): TokenSpec {
  return { payload: `{"iss":"${ISSUER}",${members},"iat":${second},"exp":${second + 600}}` };
}

function derSigned(): string {
  const [header, payload, signature = ""] = token(key).split(".");
  const raw = Buffer.from(signature, "base64url");
  const integer = (half: Buffer): Buffer => Buffer.concat([Buffer.from([2, 33, 0]), half]);
  const body = Buffer.concat([integer(raw.subarray(0, 32)), integer(raw.subarray(32))]);
  return `${header}.${payload}.${Buffer.concat([Buffer.from([0x30, body.length]), body]).toString("base64url")}`;
}

describe("a token that is not right is refused like any other, and the application sees nothing:", () => {
  test.each(wrong)("%s", async (_what, text) => {
    expect(await asked(text)).toBe("401 unauthenticated");
    expect(app.seen).toEqual([]);
  });

  test.each(wrong)("%s, after the right one was seen", async (_what, text) => {
    expect(await asked(token(key))).toBe("200");
    expect(await asked(text)).toBe("401 unauthenticated");
    expect(app.seen).toHaveLength(1);
  });
});

test.each(["Bearer T=", "Bearer T,", "Bearer T x", "JWT T", '"Bearer T"', "T"])(
  "a token sent as %s belongs to nobody, even where anonymous is allowed, and never reaches the application",
  async (form) => {
    const rules = [{ allow: ["staff", "anonymous"], methods: ["GET" as const], path: "/**", limits: wide }];
    const open = await startGateway({ appPort: app.port, access: { principals: [staff(termsOf([key]))], rules } });
    const headers = { authorization: form.replace("T", token(key)) };
    expect((await call(open.port, "/x", { headers })).status).toBe(401);
    expect(app.seen).toEqual([]);
    await open.close();
  },
);

it.each([2, 1.333_33])("ends a WebSocket with the token that opened it, %d s on", async (life) => {
  const now = Math.floor(Date.now() / 1000);
  const terms = termsOf([key], { clockSkew: 0 });
  const rule = { methods: ["GET" as const], path: "/**", limits: wide, upgrade: "websocket" as const };
  const access = { principals: [staff(terms)], rules: [{ ...rule, allow: ["staff"] }] };
  const accept = hash("sha1", "dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11", "base64");
  const agreement = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
  const silent = createServer((socket) => {
    socket.on("error", () => {}).once("data", () => void socket.write(agreement));
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => silent.once("listening", resolve));
  const own = await startGateway({ appPort: (silent.address() as AddressInfo).port, access });
  const text = token(key, { claims: { iat: now - 10, exp: now + life } });
  const socket = await openTls(own.port);
  const received = readUntilClosed(socket);
  socket.write(
    `GET /x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${text}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
  );
  expect(await received).toMatch(/^HTTP\/1\.1 101 /);
  await own.close();
  silent.close();
});

it("is not changed in one character: every such token is another", async () => {
  const text = token(key);
  expect(await asked(text)).toBe("200");
  for (const at of [3, text.indexOf(".") + 5, text.length - 20]) {
    const changed = `${text.slice(0, at)}${text[at] === "A" ? "B" : "A"}${text.slice(at + 1)}`;
    expect(await asked(changed)).toBe("401 unauthenticated");
  }
});

it("required claims are compared by value and type", async () => {
  const terms = termsOf([key], { requiredClaims: { groups: { item: "medics" }, scope: { word: "read" }, level: 3 } });
  const strict = await boxFor([staff(terms)], ["staff"]);
  const right = { groups: ["x", "medics"], scope: "write read", level: 3 };
  expect(await asked(token(key, { claims: right }), strict.port)).toBe("200");
  for (const change of [{ groups: "medics" }, { scope: "reader" }, { level: "3" }, { level: undefined }]) {
    expect(await asked(token(key, { claims: { ...right, ...change } }), strict.port)).toBe("401 unauthenticated");
  }
  await strict.close();
});

describe("a caller who must present both", () => {
  const both: Principal = {
    id: "both",
    allOf: [{ apiKey: digestOf(aliceKey) }, { jwt: termsOf([key]) }],
    audit: false,
  };
  const list = (...bearers: readonly string[]): Record<string, string> => ({
    "x-blindbox-authorization": bearers.map((each) => `Bearer ${each}`).join(", "),
  });

  it("is let through with both, and with neither alone", async () => {
    const strict = await boxFor([both], ["both"]);
    const status = async (headers: Record<string, string>): Promise<number> =>
      (await call(strict.port, "/x", { headers })).status;
    expect(await status(list(aliceKey, token(key)))).toBe(200);
    expect(await status(list(token(key), aliceKey))).toBe(200);
    expect(await status(list(aliceKey))).toBe(401);
    expect(await status(list(token(key)))).toBe(401);
    expect(await status(list(aliceKey, token(stranger)))).toBe(401);
    expect(await status(list(aliceKey, aliceKey))).toBe(400);
    expect(await status(list(aliceKey, token(key), token(key)))).toBe(400);
    expect(
      await status({ authorization: `Bearer ${aliceKey}`, "x-blindbox-authorization": `Bearer ${token(key)}` }),
    ).toBe(400);
    expect(app.seen).toHaveLength(2);
    await strict.close();
  });
});

it("where no principal is known by tokens, a JWT in Authorization is the application's own", async () => {
  const rules = [{ allow: ["anonymous"], methods: ["GET" as const], path: "/**", limits: wide }];
  const plain = await startGateway({ appPort: app.port, access: { principals: [], rules } });
  expect(await asked(token(key), plain.port)).toBe("200");
  expect(app.seen[0]?.rawHeaders).toContainEqual(expect.stringMatching(/^Bearer ey/));
  await plain.close();
});
