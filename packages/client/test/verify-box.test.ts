import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import type { AttestationResult } from "@blindbox/attestation";
import { beforeAll, describe, expect, test } from "vitest";
import { isAccepted, refusalOf, verifyBox } from "../src/index.ts";
import { pinnedTls } from "../src/transport/pinned-tls/unavailable.ts";
import {
  type Asked,
  evidenceFor,
  type Lies,
  makeWorld,
  sendEvidence,
  startFakeBox,
  type World,
} from "./fake-box/index.ts";

let world: World;

beforeAll(async () => {
  world = await makeWorld();
});

async function verify(answer: (asked: Asked) => void | Promise<void>): Promise<AttestationResult> {
  await using box = await startFakeBox({ identity: world.identity, answer });
  const { release, tee, manifestDigest } = world;
  const result = await verifyBox(box.url, { release, tees: [tee], require: { manifest: manifestDigest } });
  await box.allClosed();
  expect([box.connections.length, box.received()]).toEqual([1, ""]);
  return result;
}

const lying = (lies: Lies) => async (asked: Asked) => sendEvidence(asked.socket, await evidenceFor(world, asked, lies));

describe("verifyBox", () => {
  test("returns the result of an honest box with every step, and closes the connection", async () => {
    const result = await verify(lying({}));
    expect(result.status).toBe("warning");
    expect(isAccepted(result, { tees: [world.tee] })).toBe(true);
    const steps = new Set(result.findings.map((finding) => finding.step));
    expect([...steps].sort()).toEqual(
      [
        "authenticate",
        "binding",
        "channel",
        "freshness",
        "manifest",
        "measurement",
        "parse",
        "platform",
        "release",
        "sandbox",
      ].sort(),
    );
    expect(result.claims).toMatchObject({ tee: "simulated", binding: "tls-exporter", manifest: world.manifestDigest });
  });

  test.each<[string, (asked: Asked) => void | Promise<void>, string]>([
    [
      "another measurement",
      lying({ report: (truth) => ({ ...truth, measurement: new Uint8Array(48) }) }),
      "reference-values",
    ],
    ["another nonce", lying({ asked: (asked) => ({ ...asked, nonce: new Uint8Array(32).fill(1) }) }), "challenge"],
    [
      "HTML",
      ({ socket }) => void socket.write("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n"),
      "answer-media-type",
    ],
  ])("returns the result, and does not throw, for a box that answers with %s", async (_, answer, check) => {
    const result = await verify(answer);
    expect(result.status).toBe("contraindicated");
    expect(result.findings.filter((finding) => finding.status === "failed").map((finding) => finding.check)).toContain(
      check,
    );
    expect(isAccepted(result, { tees: [world.tee] })).toBe(false);
  });

  test("calls an honest box contraindicated that enforces another Manifest than required", async () => {
    await using box = await startFakeBox({ identity: world.identity, answer: lying({}) });
    const required = { manifest: `sha256:${"0".repeat(64)}` };
    const result = await verifyBox(box.url, { release: world.release, tees: [world.tee], require: required });
    expect(result.status).toBe("contraindicated");
    expect(refusalOf(result, { tees: [world.tee] })?.code).toBe("security-policy");
  });

  test("rejects with a ConnectionError where nobody listens", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, "close");
    const { release, tee, manifestDigest } = world;
    const verifying = verifyBox(`https://127.0.0.1:${port}`, {
      release,
      tees: [tee],
      require: { manifest: manifestDigest },
    });
    await expect(verifying).rejects.toMatchObject({ name: "ConnectionError", code: "unreachable", phase: "connect" });
  });
});

describe("a runtime without a way to attest TLS", () => {
  test("refuses, and does not fall back to less", async () => {
    await expect(pinnedTls.openTransport({} as never)).rejects.toThrow(/Node/);
    await expect(pinnedTls.attestOnce({} as never)).rejects.toThrow(TypeError);
  });
});
