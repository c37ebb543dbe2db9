import { hash, X509Certificate } from "node:crypto";
import { createServer } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTlsIdentity } from "../src/gateway/index.ts";
import { type FakeApp, startApp } from "./fake-app.ts";
import { type Fixture, startGateway } from "./gateway-fixture.ts";
import { openTls, readUntilClosed, receive } from "./tls-caller.ts";

let app: FakeApp;
let box: Fixture;

beforeAll(async () => {
  app = await startApp();
  box = await startGateway({ appPort: app.port, limits: { handshake: 150 } });
});
afterAll(async () => {
  await box.close();
  await app.close();
});

const get = "GET /open/x HTTP/1.1\r\nHost: x\r\n\r\n";

/** Whether each session that one connection gave could be resumed on another. */
async function resumed(port: number): Promise<boolean[]> {
  const first = await openTls(port);
  const saved: Buffer[] = [];
  first.on("session", (session) => saved.push(session));
  const answered = receive(first, "ok");
  first.write(get);
  await answered;
  const own = first.getSession();
  first.destroy();
  const results: boolean[] = [];
  for (const session of [...saved, ...(own === undefined ? [] : [own])]) {
    const second = await openTls(port, { session });
    results.push(second.isSessionReused());
    second.destroy();
  }
  expect(results.length).toBeGreaterThan(0);
  return results;
}

describe("the TLS listener", () => {
  it("speaks TLS 1.3 with the key of its identity", async () => {
    const socket = await openTls(box.port);
    expect(socket.getProtocol()).toBe("TLSv1.3");
    expect(socket.alpnProtocol).toBe("http/1.1");
    const { publicKey } = new X509Certificate(socket.getPeerX509Certificate()?.raw ?? Buffer.alloc(0));
    expect(publicKey.asymmetricKeyDetails).toMatchObject({ namedCurve: "prime256v1" });
    expect(`sha256:${hash("sha256", publicKey.export({ format: "der", type: "spki" }))}`).toBe(box.spkiDigest);
    socket.destroy();
  });

  it.each(["TLSv1.2", "TLSv1.1", "TLSv1"] as const)("refuses %s", async (version) => {
    const old = openTls(box.port, { minVersion: version, maxVersion: version, ciphers: "DEFAULT:@SECLEVEL=0" });
    await expect(old).rejects.toThrow(/alert|protocol/i);
  });

  it("refuses a caller that speaks HTTP/2 only", async () => {
    await expect(openTls(box.port, { ALPNProtocols: ["h2"] })).rejects.toThrow(/alert/i);
  });

  it("takes HTTP/1.1 where HTTP/2 is offered too, and where nothing is", async () => {
    const both = await openTls(box.port, { ALPNProtocols: ["h2", "http/1.1"] });
    expect(both.alpnProtocol).toBe("http/1.1");
    both.destroy();
    const none = await openTls(box.port, { ALPNProtocols: [] });
    expect(none.alpnProtocol).toBe(false);
    none.destroy();
  });

  it("resumes no session, which a usual server does for the same caller", async () => {
    const identity = await createTlsIdentity(Date.now());
    const usual = createServer(
      { key: identity.key, cert: identity.certificate, minVersion: "TLSv1.3" },
      (_, response) => void response.end("ok"),
    );
    await new Promise<void>((resolve) => void usual.listen(0, "127.0.0.1", resolve));
    expect(await resumed((usual.address() as AddressInfo).port)).toContain(true);
    expect(await resumed(box.port)).not.toContain(true);
    usual.closeAllConnections();
    usual.close();
  });

  it("cuts a connection that does not finish its handshake", async () => {
    const silent = connect(box.port, "127.0.0.1");
    const closed = new Promise<string>((resolve) => void silent.once("close", () => resolve("closed")));
    silent.on("error", () => {});
    expect(await closed).toBe("closed");
  });

  it("does not wait for such a connection when it stops", async () => {
    const patient = await startGateway({ appPort: app.port });
    const silent = connect(patient.port, "127.0.0.1");
    const closed = new Promise<string>((resolve) => void silent.once("close", () => resolve("closed")));
    await new Promise<void>((resolve) => void silent.once("connect", () => resolve()));
    await patient.close();
    expect(await closed).toBe("closed");
  });

  it("cuts a caller that speaks plain HTTP, and lives on", async () => {
    const plain = connect(box.port, "127.0.0.1");
    plain.on("error", () => {});
    plain.write(get);
    await new Promise<void>((resolve) => void plain.once("close", () => resolve()));
    const socket = await openTls(box.port);
    const answered = receive(socket, "ok");
    socket.write(get);
    expect(await answered).toMatch(/^HTTP\/1\.1 200 /);
    socket.destroy();
  });

  it("makes another key for each identity", async () => {
    const [one, two] = [await createTlsIdentity(Date.now()), await createTlsIdentity(Date.now())];
    expect(one.spkiDigest).not.toBe(two.spkiDigest);
    const certificate = new X509Certificate(one.certificate);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.ca).toBe(false);
  });

  it("says so where the address is taken", async () => {
    const unheard = await startGateway({ appPort: app.port, port: box.port }).catch((error: unknown) => error);
    expect(unheard).toMatchObject({ code: "EADDRINUSE" });
  });

  it("closes a connection over its bound", async () => {
    const narrow = await startGateway({ appPort: app.port, limits: { connections: 1 } });
    const first = await openTls(narrow.port);
    await expect(openTls(narrow.port)).rejects.toThrow(/disconnected|ECONNRESET/);
    const received = readUntilClosed(first);
    first.write("GET /open/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    expect(await received).toMatch(/^HTTP\/1\.1 200 /);
    await narrow.close();
  });
});
