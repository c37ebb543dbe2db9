import { randomBytes } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import type { TLSSocket } from "node:tls";
import {
  bindingOf,
  EVIDENCE_MEDIA_TYPE,
  EVIDENCE_PATH,
  type EvidenceDocument,
  EXPORTER_LABEL,
  formatAttestationRequest,
  leafHash,
  parseEvidenceDocument,
  parseStatement,
} from "@blindbox/attestation";
import { merkleRoot, toBase64url } from "@blindbox/encoding";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { exporterOf } from "../src/gateway/exporter.ts";
import type { EvidenceProvider } from "../src/parts.ts";
import { type FakeApp, startApp } from "./fake-app.ts";
import { type Fixture, plainDevice, startGateway } from "./gateway-fixture.ts";
import { type Answer, call, openTls, problemCode, receive, sendRaw } from "./tls-caller.ts";

let app: FakeApp;
let box: Fixture;

beforeAll(async () => {
  app = await startApp();
  box = await startGateway({ appPort: app.port });
});
afterAll(async () => {
  await box.close();
  await app.close();
});
afterEach(() => expect(app.seen).toEqual([]));

function post(port: number, body: string | Buffer): Promise<Answer> {
  return call(port, EVIDENCE_PATH, { method: "POST", body });
}

async function exchange(socket: TLSSocket, body: string): Promise<EvidenceDocument> {
  const answered = receive(socket, /\r\n\r\n\{[^]*\}$/);
  socket.write(`POST ${EVIDENCE_PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  const text = await answered;
  return parseEvidenceDocument(text.slice(text.indexOf("\r\n\r\n") + 4));
}

async function leadsToChallenge(document: EvidenceDocument, leaf: Uint8Array): Promise<boolean> {
  if (document.proof === null) return false;
  const root = await merkleRoot(leaf, document.proof);
  return toBase64url(root) === parseStatement(document.statement).challenge;
}

describe("POST to the attestation endpoint", () => {
  it("binds nonce and connection: both ends derive the same exporter", async () => {
    const socket = await openTls(box.port);
    const nonce = randomBytes(32);
    const document = await exchange(socket, formatAttestationRequest({ binding: "tls-exporter", nonce }));
    const exporter = socket.exportKeyingMaterial(32, EXPORTER_LABEL, Buffer.alloc(0));
    expect(await leadsToChallenge(document, await leafHash("tls-exporter", nonce, exporter))).toBe(true);
    expect(parseStatement(document.statement).tls).toBe(box.spkiDigest);
    expect(Buffer.from(document.evidence)).toEqual(Buffer.from(await bindingOf(document.statement)));
    socket.destroy();
  });

  it("binds neither another nonce, another connection nor another mode", async () => {
    const [socket, other] = [await openTls(box.port), await openTls(box.port)];
    const nonce = randomBytes(32);
    const document = await exchange(socket, formatAttestationRequest({ binding: "tls-exporter", nonce }));
    const mine = socket.exportKeyingMaterial(32, EXPORTER_LABEL, Buffer.alloc(0));
    const theirs = other.exportKeyingMaterial(32, EXPORTER_LABEL, Buffer.alloc(0));
    expect(theirs.equals(mine)).toBe(false);
    expect(await leadsToChallenge(document, await leafHash("tls-exporter", nonce, theirs))).toBe(false);
    expect(await leadsToChallenge(document, await leafHash("tls-exporter", randomBytes(32), mine))).toBe(false);
    expect(await leadsToChallenge(document, await leafHash("none", nonce, undefined))).toBe(false);
    socket.destroy();
    other.destroy();
  });

  it("binds the nonce alone only for who asks for that", async () => {
    const nonce = randomBytes(32);
    const answer = await post(box.port, formatAttestationRequest({ binding: "none", nonce }));
    expect(answer).toMatchObject({
      status: 200,
      headers: { "content-type": EVIDENCE_MEDIA_TYPE, "cache-control": "no-store" },
    });
    expect(await leadsToChallenge(parseEvidenceDocument(answer.body), await leafHash("none", nonce, undefined))).toBe(
      true,
    );
  });

  it("attests again on the same connection", async () => {
    const socket = await openTls(box.port);
    const challenges = new Set<string>();
    for (let count = 0; count < 3; count += 1) {
      const document = await exchange(
        socket,
        formatAttestationRequest({ binding: "tls-exporter", nonce: randomBytes(32) }),
      );
      challenges.add(parseStatement(document.statement).challenge);
    }
    expect(challenges.size).toBe(3);
    socket.destroy();
  });

  const good = formatAttestationRequest({ binding: "none", nonce: Buffer.alloc(32, 7) });
  it.each([
    ["nothing", ""],
    ["no JSON", "hello"],
    ["JSON that is not canonical", good.replace(":", ": ")],
    ["members in another order", `{"nonce":"${toBase64url(Buffer.alloc(32, 7))}","binding":"none"}`],
    ["no mode", `{"nonce":"${toBase64url(Buffer.alloc(32, 7))}"}`],
    ["an unknown mode", good.replace("none", "tls-key")],
    ["a mode that is null", good.replace('"none"', "null")],
    ["a nonce of 31 bytes", `{"binding":"none","nonce":"${toBase64url(Buffer.alloc(31))}"}`],
    ["a nonce of 33 bytes", `{"binding":"none","nonce":"${toBase64url(Buffer.alloc(33))}"}`],
    ["a member too many", good.replace("}", ',"url":"http://169.254.169.254/"}')],
    ["bytes behind it", `${good}\n`],
    ["a byte order mark", `\ufeff${good}`],
    ["a repeated member", good.replace("{", '{"binding":"none",')],
  ])("refuses %s", async (_, body) => {
    const answer = await post(box.port, body);
    expect([answer.status, problemCode(answer)]).toEqual([400, "bad-attestation-request"]);
  });

  it.each(Array.from({ length: good.length }, (_, length) => length))(
    "refuses a request cut to %i bytes",
    async (length) => {
      expect((await post(box.port, good.slice(0, length))).status).toBe(400);
    },
  );

  it("refuses more than 1 KiB, declared or not", async () => {
    expect(problemCode(await post(box.port, "x".repeat(1025)))).toBe("body-too-large");
    const chunked = `POST ${EVIDENCE_PATH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n800\r\n${"x".repeat(2048)}\r\n0\r\n\r\n`;
    expect(await sendRaw(box.port, chunked)).toMatch(/^HTTP\/1\.1 413 /);
  });

  it("sends 100 Continue to who waits for it", async () => {
    const socket = await openTls(box.port);
    const go = receive(socket, "\r\n\r\n");
    socket.write(
      `POST ${EVIDENCE_PATH} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: ${good.length}\r\n\r\n`,
    );
    expect(await go).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    const answered = receive(socket, "\r\n\r\n");
    socket.write(good);
    expect(await answered).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    socket.destroy();
  });

  it.each(["PUT", "DELETE", "HEAD", "OPTIONS"])("refuses %s", async (method) => {
    expect(await call(box.port, EVIDENCE_PATH, { method })).toMatchObject({
      status: 405,
      headers: { allow: "GET, POST" },
    });
  });
});

describe("a connection with a nonce outstanding", () => {
  it("gets no second one until the first is answered", async () => {
    const release = Promise.withResolvers<void>();
    let asked = 0;
    const device: EvidenceProvider = {
      tee: "simulated",
      async getEvidence(binding) {
        asked += 1;
        if (asked > 1) await release.promise;
        return plainDevice().getEvidence(binding);
      },
    };
    const slow = await startGateway({ appPort: app.port, device });
    const socket = await openTls(slow.port);
    const answered = receive(socket, /"status":429\}/);
    const body = formatAttestationRequest({ binding: "tls-exporter", nonce: randomBytes(32) });
    const request = `POST ${EVIDENCE_PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    socket.write(request + request);
    await expect.poll(() => asked).toBe(2);
    release.resolve();
    const text = await answered;
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 429"]);
    expect(text).toContain("urn:blindbox:problem:nonce-outstanding");
    socket.destroy();
    await slow.close();
  });
});

describe("GET of the attestation endpoint", () => {
  it("returns the last document, without proof", async () => {
    const [one, two] = [await call(box.port, EVIDENCE_PATH), await call(box.port, EVIDENCE_PATH)];
    expect(one).toMatchObject({ status: 200, headers: { "content-type": EVIDENCE_MEDIA_TYPE } });
    expect(parseEvidenceDocument(one.body).proof).toBeNull();
    expect(two.body).toBe(one.body);
  });
});

describe("a connection that asks and does not read", () => {
  const get = `GET ${EVIDENCE_PATH} HTTP/1.1\r\nHost: x\r\n\r\n`;

  it("is answered as often as it may ask at once", async () => {
    const socket = await openTls(box.port);
    for (let round = 0; round < 5; round += 1) {
      const both = receive(socket, /(HTTP\/1\.1 200[^]*\}){2}/);
      socket.write(get.repeat(2));
      await both;
    }
    socket.destroy();
  });

  it("is cut when it has more requests to the box's own endpoints unanswered", async () => {
    expect(await sendRaw(box.port, get.repeat(3))).toBe("");
  });

  it("is cut whichever of them it asks", async () => {
    const health = "GET /.well-known/blindbox/health HTTP/1.1\r\nHost: x\r\n\r\n";
    expect(await sendRaw(box.port, get + health + get)).toBe("");
  });
});

describe("a device that fails", () => {
  const limits = { waiting: 100, device: 50, latestAge: 0 };

  it.each([
    ["rejects", () => Promise.reject(new Error("secret detail"))],
    ["never answers", () => new Promise<never>(() => {})],
  ])("and %s is a 503 that says when to come back, and nothing else", async (_, fail) => {
    let works = true;
    const device: EvidenceProvider = {
      tee: "simulated",
      getEvidence: (binding) => (works ? plainDevice().getEvidence(binding) : fail()),
    };
    const broken = await startGateway({ appPort: app.port, device, attesterLimits: limits });
    works = false;
    const body = formatAttestationRequest({ binding: "none", nonce: randomBytes(32) });
    for (const answer of [await post(broken.port, body), await call(broken.port, EVIDENCE_PATH)]) {
      expect([answer.status, problemCode(answer), answer.headers["retry-after"]]).toEqual([
        503,
        "evidence-unavailable",
        "1",
      ]);
      expect(answer.body).not.toContain("secret");
    }
    works = true;
    expect((await post(broken.port, body)).status).toBe(200);
    await broken.close();
  });

  it("or is slower than callers come is a 503 for those who are too many", async () => {
    const device: EvidenceProvider = {
      tee: "simulated",
      async getEvidence(binding) {
        await setTimeout(200);
        return plainDevice().getEvidence(binding);
      },
    };
    const busy = await startGateway({
      appPort: app.port,
      device,
      attesterLimits: { waiting: 2, device: 5000, latestAge: 60_000 },
    });
    const ask = (): Promise<Answer> =>
      post(busy.port, formatAttestationRequest({ binding: "none", nonce: randomBytes(32) }));
    const statuses = (await Promise.all(Array.from({ length: 12 }, ask))).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([200, 503]));
    await busy.close();
  });
});

describe("the exporter of a connection", () => {
  const connection = (protocol: string, exporter: Buffer | undefined): TLSSocket =>
    ({ getProtocol: () => protocol, exportKeyingMaterial: () => exporter }) as unknown as TLSSocket;

  it.each([
    ["is all zero", "TLSv1.3", Buffer.alloc(32)],
    ["is too short", "TLSv1.3", Buffer.alloc(16, 1)],
    ["is missing", "TLSv1.3", undefined],
    ["is of TLS 1.2", "TLSv1.2", Buffer.alloc(32, 1)],
  ])("is an error where it %s", (_, protocol, exporter) => {
    expect(() => exporterOf(connection(protocol, exporter))).toThrow(TypeError);
  });
});
