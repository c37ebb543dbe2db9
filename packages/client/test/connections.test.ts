/** Which connections requests go over: each attested, none too old. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { RequestListener } from "node:http";
import { fileURLToPath } from "node:url";
import { NotAnEnclaveError } from "@blindbox/attestation";
import { beforeAll, describe, expect, test } from "vitest";
import { SecureSession } from "../src/index.ts";
import {
  evidenceFor,
  type FakeBox,
  makeWorld,
  optionsFor,
  sendEvidence,
  startFakeBox,
  startHonest,
  startHonestBox,
  type World,
} from "./fake-box/index.ts";

let world: World;

beforeAll(async () => {
  world = await makeWorld();
});

const hello: RequestListener = (_, response) => response.end("hello");

function everyConnectionAsked(box: FakeBox): boolean {
  return box.connections.every(({ asked }) => asked.startsWith("POST /.well-known/blindbox/attestation HTTP/1.1"));
}

describe("connections", () => {
  test("are reused from one request to the next", async () => {
    await using honest = await startHonest(world, hello);
    for (let turn = 0; turn < 5; turn += 1) await (await honest.session.get("/")).text();
    expect(honest.box.connections).toHaveLength(1);
  });

  test("for many parallel requests stay within the limit, and each is attested before its first request", async () => {
    const app: RequestListener = ({ url }, response) => setTimeout(() => response.end(url), 5);
    await using honest = await startHonest(world, app, { maxConnections: 8 });
    const paths = Array.from({ length: 200 }, (_, at) => `/${at}`);
    const answers = await Promise.all(paths.map(async (path) => (await honest.session.get(path)).text()));
    expect(answers).toEqual(paths);
    expect(honest.box.connections).toHaveLength(8);
    expect(everyConnectionAsked(honest.box)).toBe(true);
  });

  test("of two sessions are never shared", async () => {
    await using box = await startHonestBox(world, hello);
    const sessions = [
      await SecureSession.connect(box.url, optionsFor(world)),
      await SecureSession.connect(box.url, optionsFor(world)),
    ];
    for (const session of [...sessions, ...sessions]) await (await session.get("/")).text();
    expect(box.connections).toHaveLength(2);
    for (const session of sessions) await session.close();
  });

  test("that the box closed while idle are replaced by attested ones, for the next request of any method", async () => {
    await using honest = await startHonest(world, hello);
    for (let turn = 0; turn < 3; turn += 1) {
      expect(await (await honest.session.post("/", { body: "x" })).text()).toBe("hello");
      await honest.box.endConnections();
    }
    expect(honest.box.connections).toHaveLength(3);
    expect(everyConnectionAsked(honest.box)).toBe(true);
    expect(honest.box.received().match(/POST \/ HTTP/g)).toHaveLength(3);
  });

  test("that the application closes after each answer are replaced too", async () => {
    await using honest = await startHonest(world, (_, response) =>
      response.setHeader("connection", "close").end("hello"),
    );
    for (let turn = 0; turn < 3; turn += 1) expect(await (await honest.session.get("/")).text()).toBe("hello");
    expect(honest.box.connections).toHaveLength(3);
    expect(everyConnectionAsked(honest.box)).toBe(true);
  });

  test("that a box refuses to attest later on fail their requests, and those that were attested go on", async () => {
    let honestly = true;
    let finish = (): void => {};
    await using box = await startFakeBox({
      identity: world.identity,
      answer: async (asked) =>
        honestly ? sendEvidence(asked.socket, await evidenceFor(world, asked)) : sendEvidence(asked.socket, "{}"),
      app: (request, response) => {
        if (request.url === "/slow") finish = () => response.end("slow");
        else response.end("hello");
      },
    });
    const session = await SecureSession.connect(box.url, optionsFor(world));
    const slow = session.get("/slow").then((response) => response.text());
    while (box.received() === "") await new Promise((resolve) => setTimeout(resolve, 5));
    honestly = false;
    const others = await Promise.allSettled([1, 2, 3].map(() => session.post("/secret", { body: "secret" })));
    expect(others.every((other) => other.status === "rejected" && other.reason instanceof NotAnEnclaveError)).toBe(
      true,
    );
    finish();
    expect(await slow).toBe("slow");
    expect(box.received()).not.toContain("secret");
    await session.close();
  });

  test("do not keep a program running that has nothing more to do", async () => {
    await using box = await startHonestBox(world, hello);
    const script = fileURLToPath(new URL("./fake-box/idle-program.ts", import.meta.url));
    const { release, manifestDigest, vendor } = world;
    const input = JSON.stringify({ url: box.url, release, manifest: manifestDigest, root: vendor.rootPem });
    const child = spawn(process.execPath, ["--conditions=blindbox-source", script, input], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    const [code] = (await once(child, "close")) as [number];
    expect([code, output]).toEqual([0, "attested\nhello\n"]);
  });
});

describe("maxEvidenceAge", () => {
  /** A clock that the test moves, in seconds from now. */
  function movableClock(): { now: () => Date; move(seconds: number): void } {
    let offset = 0;
    return {
      now: () => new Date(Date.now() + offset * 1000),
      move: (seconds) => {
        offset += seconds;
      },
    };
  }

  test("ends a connection before its next request, which goes over a newly attested one", async () => {
    const clock = movableClock();
    await using honest = await startHonest(world, hello, { maxEvidenceAge: 60, now: clock.now });
    await (await honest.session.get("/")).text();
    clock.move(59);
    await (await honest.session.get("/")).text();
    expect(honest.box.connections).toHaveLength(1);
    clock.move(2);
    expect(await (await honest.session.get("/")).text()).toBe("hello");
    expect(honest.box.connections.map(({ socket }) => socket.closed)).toEqual([true, false]);
    expect(everyConnectionAsked(honest.box)).toBe(true);
  });

  test("counts for the first connection as well, before it was used", async () => {
    const clock = movableClock();
    await using honest = await startHonest(world, hello, { maxEvidenceAge: 60, now: clock.now });
    clock.move(61);
    await (await honest.session.get("/")).text();
    expect(honest.box.connections.map(({ received }) => received === "")).toEqual([true, false]);
  });

  test("lets a request that is under way end on the connection that it has", async () => {
    const clock = movableClock();
    let finish = (): void => {};
    const app: RequestListener = ({ url }, response) => {
      if (url === "/slow") finish = () => response.end("slow");
      else response.end("hello");
    };
    await using honest = await startHonest(world, app, { maxEvidenceAge: 60, now: clock.now, maxConnections: 1 });
    const slow = honest.session.get("/slow").then((response) => response.text());
    while (honest.box.received() === "") await new Promise((resolve) => setTimeout(resolve, 5));
    const queued = honest.session.get("/queued").then((response) => response.text());
    clock.move(61);
    finish();
    expect(await slow).toBe("slow");
    expect(await queued).toBe("hello");
    expect(honest.box.connections.map(({ received }) => received.includes("/queued"))).toEqual([false, true]);
  });

  test("holds when the clock is set back", async () => {
    const clock = movableClock();
    await using honest = await startHonest(world, hello, { maxEvidenceAge: 60, now: clock.now });
    await (await honest.session.get("/")).text();
    clock.move(-10);
    await (await honest.session.get("/")).text();
    expect(honest.box.connections).toHaveLength(2);
  });
});
