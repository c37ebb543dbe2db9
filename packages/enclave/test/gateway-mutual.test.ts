/** Callers known by a client certificate, on the listener of their own. */
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import type { CertificateTerms, Principal } from "@blindbox/manifest";
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from "vitest";
import { KeyUsageFlags } from "../src/x509.ts";
import { authority, clientOf, type Authority, type ClientIdentity, type ClientSpec } from "./client-certificates.ts";
import { type FakeApp, startApp } from "./fake-app.ts";
import { aliceKey, digestOf, type Fixture, startGateway, wide } from "./gateway-fixture.ts";
import { openTls, readUntilClosed } from "./tls-caller.ts";

let app: FakeApp;
let acme: Authority;
let other: Authority;
let box: Fixture;
let mutualPort = 0;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function terms(change: Partial<CertificateTerms> = {}): CertificateTerms {
  return { issuer: acme.spki, subject: "any", san: null, ...change };
}

async function boxWith(principals: readonly Principal[]): Promise<[Fixture, number]> {
  const port = await freePort();
  const rules = [{ allow: principals.map(({ id }) => id), methods: ["GET" as const], path: "/**", limits: wide }];
  return [await startGateway({ appPort: app.port, access: { principals, rules, mutualTls: { port } } }), port];
}

beforeAll(async () => {
  app = await startApp();
  [acme, other] = await Promise.all([authority("Acme CA"), authority("Acme CA")]);
  [box, mutualPort] = await boxWith([{ id: "host", certificate: terms(), audit: false }]);
});
afterAll(async () => {
  await box.close();
  await app.close();
});
beforeEach(() => {
  app.seen.length = 0;
});

async function statusOf(client: ClientIdentity | null, port: number, header = ""): Promise<string> {
  const socket = await openTls(port, client === null ? {} : { key: client.key, cert: client.cert });
  const received = readUntilClosed(socket);
  socket.write(`GET /x HTTP/1.1\r\nHost: x\r\n${header}Connection: close\r\n\r\n`);
  return (await received).slice(9, 12);
}

it("a certificate of the pinned issuer lets its holder through", async () => {
  expect(await statusOf(await clientOf(acme), mutualPort)).toBe("200");
  expect(app.seen[0]?.rawHeaders.slice(-2)).toEqual(["x-blindbox-principal", "host"]);
});

it("the same certificate means nothing at the door for all, which asks for none", async () => {
  expect(await statusOf(await clientOf(acme), box.port)).toBe("401");
  expect(app.seen).toEqual([]);
});

describe("at the door for certificates, the application sees nothing of", () => {
  const clientSpecs: readonly (readonly [string, ClientSpec])[] = [
    ["an expired one", { notAfter: Date.now() - 60_000 }],
    ["one that is not valid yet", { notBefore: Date.now() + 60_000 }],
    ["one for servers", { ekus: ["1.3.6.1.5.5.7.3.1"] }],
    ["one for anything", { ekus: ["2.5.29.37.0"] }],
    ["one without extended key usage", { ekus: [] }],
    ["one that is an authority itself", { ca: true }],
    ["one without its issuer's certificate", { alone: true }],
  ];
  test.each(clientSpecs)("%s", async (_what, spec) => {
    expect(await statusOf(await clientOf(acme, spec), mutualPort)).toBe("401");
    expect(app.seen).toEqual([]);
  });

  it("the right subject from an issuer of the same name with another key", async () => {
    expect(await statusOf(await clientOf(other), mutualPort)).toBe("401");
    // With the pinned issuer's certificate beside it, which did not sign it.
    expect(await statusOf(await clientOf(other, { companion: acme.pem }), mutualPort)).toBe("401");
    expect(app.seen).toEqual([]);
  });

  it("a leaf that a leaf of the pinned issuer signed", async () => {
    const spec = { ca: false, usage: KeyUsageFlags.digitalSignature };
    const leafIssuer = await authority("Not a CA", spec);
    const [own, port] = await boxWith([{ id: "host", certificate: terms({ issuer: leafIssuer.spki }), audit: false }]);
    expect(await statusOf(await clientOf(leafIssuer), port)).toBe("401");
    const noSigner = await authority("CA without keyCertSign", { usage: KeyUsageFlags.cRLSign });
    expect(await statusOf(await clientOf(noSigner), port)).toBe("401");
    await own.close();
    expect(app.seen).toEqual([]);
  });

  it("nobody: without a certificate the caller is anonymous, and no rule names that", async () => {
    expect(await statusOf(null, mutualPort)).toBe("401");
  });

  it("a good certificate with a key that nobody knows: nothing that is presented is left out", async () => {
    expect(await statusOf(await clientOf(acme), mutualPort, `Authorization: Bearer ${aliceKey}\r\n`)).toBe("401");
    expect(app.seen).toEqual([]);
  });
});

it("subject and alternative name are compared whole", async () => {
  const subject = [
    { type: "CN", value: "host-1" },
    { type: "O", value: "Acme" },
  ] as const;
  const san = { uri: "spiffe://acme/host-1" };
  const [own, port] = await boxWith([{ id: "host", certificate: terms({ subject, san }), audit: false }]);
  const right = { subject: "CN=host-1,O=Acme", uri: san.uri };
  expect(await statusOf(await clientOf(acme, right), port)).toBe("200");
  for (const change of [
    { subject: "CN=host-1" },
    { subject: "CN=host-1,O=Acme,OU=x" },
    { subject: "O=Acme,CN=host-1" },
    { subject: "CN=host-1+O=Acme" },
    { uri: "spiffe://acme/host-10" },
    { uri: "spiffe://acme/HOST-1" },
  ]) {
    expect(await statusOf(await clientOf(acme, { ...right, ...change }), port)).toBe("401");
  }
  await own.close();
});

it("a caller that needs certificate and key is let through with both alone", async () => {
  const allOf = [{ certificate: terms() }, { apiKey: digestOf(aliceKey) }];
  const [own, port] = await boxWith([{ id: "both", allOf, audit: false }]);
  const client = await clientOf(acme);
  const key = `Authorization: Bearer ${aliceKey}\r\n`;
  expect(await statusOf(client, port, key)).toBe("200");
  expect(await statusOf(client, port)).toBe("401");
  expect(await statusOf(null, port, key)).toBe("401");
  await own.close();
});
