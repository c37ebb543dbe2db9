/** Tokens and certificates: what arrives where, and when. */
import type { RequestListener } from "node:http";
import type { TLSSocket } from "node:tls";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { authority, type ClientIdentity, clientOf } from "../../enclave/test/client-certificates.ts";
import { type Credentials, SecureSession } from "../src/index.ts";
import {
  apiKey,
  evidenceFor,
  type FakeBox,
  makeIdentity,
  makeWorld,
  optionsFor,
  sendEvidence,
  startFakeBox,
  startHonest,
  type World,
} from "./fake-box/index.ts";

let world: World;
let client: ClientIdentity;

beforeAll(async () => {
  world = await makeWorld();
  client = await clientOf(await authority("Acme CA"));
});

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A token of the right form; nobody verifies it here. `name` tells it from others. */
function tokenOf(name: string, exp: unknown): string {
  return `${encoded({ alg: "ES256" })}.${encoded({ sub: name, exp })}.${"s".repeat(86)}`;
}

const token = tokenOf("the caller", 4_000_000_000);

/** Answers with the two headers that can hold a credential. */
const authorizations: RequestListener = ({ headers }, response) =>
  void response.end(JSON.stringify([headers["authorization"] ?? null, headers["x-blindbox-authorization"] ?? null]));

async function arrived(credentials: Credentials, headers: Record<string, string> = {}): Promise<unknown> {
  await using honest = await startHonest(world, authorizations, { credentials });
  return (await honest.session.get("/", { headers })).json();
}

describe("a token", () => {
  test("goes where no application sees it, whether the caller has an Authorization of its own or not", async () => {
    expect(await arrived({ token })).toEqual([null, `Bearer ${token}`]);
    expect(await arrived({ token }, { authorization: "Bearer app" })).toEqual(["Bearer app", `Bearer ${token}`]);
  });

  test("goes beside a key in one header", async () => {
    const both = `Bearer ${apiKey}, Bearer ${token}`;
    expect(await arrived({ token, apiKey })).toEqual([null, both]);
    expect(await arrived({ token, apiKey }, { authorization: "Basic app" })).toEqual(["Basic app", both]);
  });

  test("that a function returns is sent like any other", async () => {
    expect(await arrived({ token: () => token })).toEqual([null, `Bearer ${token}`]);
    expect(await arrived({ token: async () => token })).toEqual([null, `Bearer ${token}`]);
  });
});

/** A function that gives a token with a life of so many seconds, and counts. */
function issuer(life: number, clock: { seconds: number }) {
  let calls = 0;
  const next = async (): Promise<string> => {
    calls += 1;
    return tokenOf(`number ${calls}`, clock.seconds + life);
  };
  return { next, calls: () => calls };
}

async function subjectOf(response: Response): Promise<string> {
  const [, ours] = (await response.json()) as [null, string];
  return (JSON.parse(Buffer.from(ours.split(".")[1] ?? "", "base64url").toString()) as { sub: string }).sub;
}

describe("a function for tokens", () => {
  test("is not called while a box is verified, nor for one that is refused", async () => {
    const clock = { seconds: Date.now() / 1000 };
    const { next, calls } = issuer(600, clock);
    const credentials = { token: next };
    await using honest = await startHonest(world, authorizations, { credentials });
    expect(calls()).toBe(0);
    const liar = await makeIdentity();
    await using box = await startFakeBox({
      identity: liar,
      answer: async (asked) => sendEvidence(asked.socket, await evidenceFor(world, asked)),
    });
    await expect(SecureSession.connect(box.url, optionsFor(world, { credentials }))).rejects.toThrow();
    await box.allClosed();
    expect([calls(), box.received()]).toEqual([0, ""]);
    await (await honest.session.get("/")).text();
    expect(calls()).toBe(1);
  });

  test.each([
    [600, 539, 541],
    // The half of a short life.
    [40, 19, 21],
  ])("is called again when a token of %i s is about to expire", async (life, before, after) => {
    const clock = { seconds: Math.floor(Date.now() / 1000) };
    const start = clock.seconds;
    const { next } = issuer(life, clock);
    const now = (): Date => new Date(clock.seconds * 1000);
    await using honest = await startHonest(world, authorizations, {
      credentials: { token: next },
      now,
      maxEvidenceAge: 3600,
    });
    const subjects: string[] = [];
    for (const later of [0, before, after]) {
      clock.seconds = start + later;
      subjects.push(await subjectOf(await honest.session.get("/")));
    }
    expect(subjects).toEqual(["number 1", "number 1", "number 2"]);
  });

  test("is called once for requests that come together, and each time for tokens without an end", async () => {
    const clock = { seconds: Date.now() / 1000 };
    const whole = issuer(600, { seconds: Math.floor(clock.seconds) });
    await using honest = await startHonest(world, authorizations, { credentials: { token: whole.next } });
    await Promise.all([1, 2, 3, 4].map(async () => (await honest.session.get("/")).text()));
    expect(whole.calls()).toBe(1);
    for (const exp of [undefined, "4000000000", 1.5, null]) {
      let calls = 0;
      const endless = (): string => tokenOf(`number ${(calls += 1)}`, exp);
      await using other = await startHonest(world, authorizations, { credentials: { token: endless } });
      for (let turn = 0; turn < 3; turn += 1) await (await other.session.get("/")).text();
      expect(calls).toBe(3);
    }
  });

  test("that fails rejects this request with its own error, and is asked again for the next", async () => {
    let calls = 0;
    const failing = (): string => {
      calls += 1;
      if (calls === 1) throw new RangeError("the identity provider is away");
      return token;
    };
    await using honest = await startHonest(world, authorizations, { credentials: { token: failing } });
    await expect(honest.session.get("/")).rejects.toThrow(new RangeError("the identity provider is away"));
    expect(honest.box.received()).toBe("");
    expect((await honest.session.get("/")).status).toBe(200);
  });

  test.each([
    ["nothing", undefined],
    ["an API key", apiKey],
    ["a token and a line", `${token}\r\nx-other: 1`],
    ["two tokens", `${token}, Bearer ${token}`],
    ["a token of 9 KiB", `a.${"b".repeat(9216)}.c`],
    ["an unsigned token", `${encoded({ alg: "none" })}.${encoded({})}.`],
  ])("that returns %s is a TypeError which does not repeat it, and nothing is sent", async (_, value) => {
    await using honest = await startHonest(world, authorizations, { credentials: { token: () => value as string } });
    const error: unknown = await honest.session.get("/").catch((reason: unknown) => reason);
    expect(error).toEqual(new TypeError("options.credentials.token must return a JWT in compact form"));
    expect(honest.box.received()).toBe("");
  });

  test("that never answers does not hold a request which is aborted, nor send one after the session was closed", async () => {
    const answer = Promise.withResolvers<string>();
    await using honest = await startHonest(world, authorizations, { credentials: { token: () => answer.promise } });
    const abort = new AbortController();
    const aborted = honest.session.get("/", { signal: abort.signal });
    abort.abort(new Error("enough"));
    await expect(aborted).rejects.toThrow("enough");
    const late = honest.session.get("/");
    await honest.session.close();
    answer.resolve(token);
    await expect(late).rejects.toThrow(new TypeError("the session is closed"));
    expect(honest.box.received()).toBe("");
  });
});

/** A box whose listener asks for a certificate, and what it was shown, before it answered anything. */
async function mutualBox(requestCert: boolean): Promise<FakeBox & { readonly shown: (string | null)[] }> {
  const shown: (string | null)[] = [];
  const box = await startFakeBox({
    identity: world.identity,
    tls: { requestCert, rejectUnauthorized: false },
    async answer(asked) {
      shown.push(shownOn(asked.socket));
      sendEvidence(asked.socket, await evidenceFor(world, asked));
    },
    app: authorizations,
  });
  onTestFinished(() => box[Symbol.asyncDispose]());
  return { ...box, shown };
}

function shownOn(socket: TLSSocket): string | null {
  return socket.getPeerX509Certificate()?.subject ?? null;
}

describe("a client certificate", () => {
  test("is shown in the handshake of every connection to a listener that asks for one, and in no header", async () => {
    const box = await mutualBox(true);
    const session = await SecureSession.connect(box.url, optionsFor(world, { credentials: { certificate: client } }));
    expect(await (await session.get("/")).json()).toEqual([null, null]);
    await box.endConnections();
    expect((await session.get("/")).status).toBe(200);
    await session.close();
    expect(box.shown).toEqual(["CN=host-1\nO=Acme", "CN=host-1\nO=Acme"]);
  });

  test("goes together with a key and a token", async () => {
    const box = await mutualBox(true);
    const credentials = { certificate: client, apiKey, token };
    const session = await SecureSession.connect(box.url, optionsFor(world, { credentials }));
    expect(await (await session.get("/")).json()).toEqual([null, `Bearer ${apiKey}, Bearer ${token}`]);
    await session.close();
    expect(box.shown).toEqual(["CN=host-1\nO=Acme"]);
  });

  test("is shown to nobody who does not ask, and by nobody who has none", async () => {
    for (const [asks, credentials] of [
      [false, { certificate: client }],
      [true, { apiKey }],
      [true, { anonymous: true }],
    ] as const) {
      const box = await mutualBox(asks);
      await (await SecureSession.connect(box.url, optionsFor(world, { credentials }))).close();
      expect(box.shown).toEqual([null]);
    }
  });
});

describe("options.credentials", () => {
  const refusal = async (credentials: unknown): Promise<unknown> => {
    await using box = await startFakeBox({ identity: world.identity, answer: () => {} });
    const options = optionsFor(world, { credentials: credentials as Credentials });
    const error: unknown = await SecureSession.connect(box.url, options).catch((reason: unknown) => reason);
    expect(box.connections).toEqual([]);
    return error;
  };

  test.each<[string, () => unknown, string]>([
    ["nobody at all", () => ({}), "options.credentials must be one or more of"],
    ["a token beside anonymous", () => ({ token, anonymous: true }), "options.credentials must be one or more of"],
    ["a certificate beside anonymous", () => ({ certificate: client, anonymous: true }), "options.credentials must be"],
    ["anonymous: false beside a token", () => ({ token, anonymous: false }), "options.credentials must be one or more"],
    ["an empty token", () => ({ token: "" }), "options.credentials.token must be a JWT in compact form, or a function"],
    ["a token with its scheme", () => ({ token: `Bearer ${token}` }), "options.credentials.token must be"],
    ["a token with a line break", () => ({ token: `${token}\n` }), "options.credentials.token must be"],
    ["an API key for a token", () => ({ token: apiKey }), "options.credentials.token must be"],
    ["a null token", () => ({ token: null }), "options.credentials.token must be"],
    [
      "a path for a certificate",
      () => ({ certificate: "./key.pem" }),
      "options.credentials.certificate must be an obj",
    ],
    ["a certificate without its key", () => ({ certificate: { cert: client.cert } }), "certificate.key is missing"],
    ["a key without its certificate", () => ({ certificate: { key: client.key } }), "certificate.cert is missing"],
    ["a passphrase", () => ({ certificate: { ...client, passphrase: "x" } }), "certificate.passphrase is unknown"],
    [
      "a key in DER",
      () => ({ certificate: { ...client, key: Buffer.alloc(9) } }),
      "certificate.key must be one private",
    ],
    [
      "a certificate for a key",
      () => ({ certificate: { ...client, key: client.cert } }),
      "certificate.key must be one",
    ],
    ["a key for a certificate", () => ({ certificate: { ...client, cert: client.key } }), "certificate.cert must be"],
    ["two keys", () => ({ certificate: { ...client, key: client.key + client.key } }), "certificate.key must be one"],
    [
      "an encrypted key",
      () => ({ certificate: { ...client, key: client.key.replaceAll("PRIVATE", "ENCRYPTED PRIVATE") } }),
      "certificate.key must be a private key that is not encrypted",
    ],
    [
      "a certificate without its issuer's",
      () => ({ certificate: { ...client, cert: client.cert.split("\n\n")[0]?.split("-----END")[0] ?? "" } }),
      "certificate.cert must be the certificate and behind it that of its issuer",
    ],
  ])("that are %s are refused before any connection", async (_, credentials, message) => {
    const error = await refusal(credentials());
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).toContain(message);
    for (const secret of [apiKey, token, client.key]) expect(String(error)).not.toContain(secret);
  });

  test("with a key of another certificate, or one that is damaged, are refused before any connection", async () => {
    const other = await clientOf(await authority("Other CA"));
    for (const key of [other.key, client.key.replace(/^M.*$/m, "AAAA")]) {
      const error = await refusal({ certificate: { cert: client.cert, key } });
      expect(error).toBeInstanceOf(TypeError);
      expect(String(error)).toMatch(/options\.credentials\.certificate must be a readable key/);
      expect(error).not.toHaveProperty("cause");
    }
  });
});
