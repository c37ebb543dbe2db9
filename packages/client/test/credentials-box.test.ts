/** A client's credentials at the doors of a real box: the same rules that the box enforces, asked by who may and who may not. */
import { ACCESS_LOG_PATH, parseAccessLog, verifyAccessLog } from "@blindbox/attestation";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { authority, type Authority, type ClientIdentity, clientOf } from "../../enclave/test/client-certificates.ts";
import { aliceKey, bobKey, digestOf } from "../../enclave/test/gateway-fixture.ts";
import { issuerKey, termsOf, token } from "../../enclave/test/token-issuer.ts";
import type { Credentials } from "../src/index.ts";
import { manifestFor, type RealBox, startRealBox } from "./real-box.ts";

const signer = issuerKey("ES256");
const stranger = issuerKey("ES256");

let acme: Authority;
let host: ClientIdentity;
let impostor: ClientIdentity;
let box: RealBox;

beforeAll(async () => {
  acme = await authority("Acme CA");
  [host, impostor] = await Promise.all([clientOf(acme), authority("Acme CA").then((other) => clientOf(other))]);
  const jwt = termsOf([signer]);
  const certificate = { issuer: acme.spki, subject: "any", san: null } as const;
  box = await startRealBox(
    manifestFor([
      { id: "key", apiKey: digestOf(aliceKey), audit: false },
      { id: "token", jwt, audit: false },
      { id: "host", certificate, audit: false },
      { id: "both", allOf: [{ apiKey: digestOf(bobKey) }, { jwt }], audit: false },
      { id: "all", allOf: [{ apiKey: digestOf(aliceKey) }, { jwt }, { certificate }], audit: true },
    ]),
  );
});

afterAll(() => box[Symbol.asyncDispose]());

beforeEach(() => {
  box.app.seen.length = 0;
});

async function statusOf(credentials: Credentials, path: string): Promise<number> {
  const session = await box.connect(credentials);
  try {
    return (await session.get(path)).status;
  } finally {
    await session.close();
  }
}

describe("a caller with exactly what a principal of the Manifest asks for is let in:", () => {
  test.each<[string, () => Credentials]>([
    ["key", () => ({ apiKey: aliceKey })],
    ["token", () => ({ token: token(signer) })],
    ["token", () => ({ token: async () => token(signer) })],
    ["host", () => ({ certificate: host })],
    ["both", () => ({ apiKey: bobKey, token: token(signer) })],
    ["all", () => ({ apiKey: aliceKey, token: token(signer), certificate: host })],
  ])("%s", async (id, credentials) => {
    expect(await statusOf(credentials(), `/${id}`)).toBe(200);
    const [seen] = box.app.seen;
    expect(seen?.rawHeaders.slice(-2)).toEqual(["x-blindbox-principal", id]);
    // Not one of its credentials.
    const text = JSON.stringify(seen);
    for (const secret of [aliceKey, bobKey, "eyJ", "Bearer"]) expect(text).not.toContain(secret);
  });
});

describe("a caller is refused, and the application sees nothing:", () => {
  test.each<[string, () => Credentials, string, number]>([
    ["nobody", () => ({ anonymous: true }), "/key", 401],
    ["with the key of another", () => ({ apiKey: bobKey }), "/key", 401],
    ["with a key where a token is asked for", () => ({ apiKey: aliceKey }), "/token", 403],
    ["with a token that a stranger signed", () => ({ token: token(stranger) }), "/token", 401],
    ["with a token that is over", () => ({ token: token(signer, { now: 1_700_000_000 }) }), "/token", 401],
    ["with half of what is asked for", () => ({ token: token(signer) }), "/both", 403],
    ["with more than is asked for", () => ({ apiKey: aliceKey, certificate: host }), "/host", 401],
    ["with a certificate of another issuer of the same name", () => ({ certificate: impostor }), "/host", 401],
  ])("%s", async (_, credentials, path, status) => {
    expect(await statusOf(credentials(), path)).toBe(status);
    expect(box.app.seen).toEqual([]);
  });
});

test("an application's own Authorization arrives as it is beside a token for the box", async () => {
  const session = await box.connect({ token: token(signer) });
  await (await session.get("/token", { headers: { authorization: "Bearer for-the-app" } })).text();
  await session.close();
  const headers = box.app.seen[0]?.rawHeaders ?? [];
  expect(headers[headers.findIndex((name) => name.toLowerCase() === "authorization") + 1]).toBe("Bearer for-the-app");
});

test("an auditor reads the access log over the session, and its head is in a fresh Statement", async () => {
  const session = await box.connect({ apiKey: aliceKey, token: token(signer), certificate: host });
  await (await session.get("/all")).text();
  await session.close();
  const auditor = await box.connect({ apiKey: aliceKey, token: token(signer), certificate: host });
  const { audit } = auditor.attestation.claims;
  const log = parseAccessLog(new Uint8Array(await (await auditor.get(ACCESS_LOG_PATH)).arrayBuffer()));
  await auditor.close();
  expect(await verifyAccessLog(log, audit)).toEqual([]);
  expect(log.records.at(-1)).toMatchObject({ principal: "all", path: "/all", outcome: "answered", status: 200 });
});
