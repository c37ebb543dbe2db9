import type { Socket } from "node:net";
import type { TcpEgress } from "@blindbox/manifest";
import { afterEach, describe, expect, it } from "vitest";
import { serveTcp } from "../src/egress/modes/tcp.ts";
import { openPlain, readAll, receive } from "./fixtures-egress/app.ts";
import { type Site, startTcpSite } from "./fixtures-egress/sites.ts";
import { startWayOut, type WayOut, type WayOutOptions } from "./fixtures-egress/way-out.ts";

const rule: TcpEgress = { mode: "tcp", host: "203.0.113.5", ports: [22], trusts: "network" };
const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

async function start(
  onConnection: (socket: Socket) => void,
  limits: WayOutOptions["limits"] = {},
): Promise<{ site: Site; way: WayOut }> {
  const site = await startTcpSite(onConnection);
  const way = await startWayOut({ mode: serveTcp, egress: [rule], name: null, site: site.port, limits });
  open.push(site, way);
  return { site, way };
}

describe("plain TCP", () => {
  it("carries bytes both ways, whoever speaks first, and counts them", async () => {
    const { way } = await start((socket) => {
      socket.write("SSH-2.0-x\r\n");
      socket.once("data", () => socket.end("bye"));
    });
    const socket = await openPlain(way.port);
    await receive(socket, "SSH-2.0-x\r\n");
    const rest = readAll(socket);
    socket.write("hello");
    expect(await rest).toEqual({ text: "bye", how: "end" });
    expect(await way.recorded("closed")).toMatchObject({
      rule: 0,
      host: "203.0.113.5",
      port: 22,
      mode: "tcp",
      sent: 5,
      received: 14,
      peer: null,
    });
    expect(way.verdicts()).toEqual(["connected", "closed"]);
  });

  it("lets the application be done before the host answers", async () => {
    const { way } = await start((socket) => {
      let heard = "";
      socket.on("data", (chunk: Buffer) => (heard += chunk.toString()));
      socket.once("end", () => socket.end(`heard ${heard}`));
    });
    const socket = await openPlain(way.port);
    const rest = readAll(socket);
    socket.end("all of it");
    expect(await rest).toEqual({ text: "heard all of it", how: "end" });
  });

  it("lets the host be done before the application is", async () => {
    const { site, way } = await start((socket) => void socket.end("that is all"));
    const socket = await openPlain(way.port);
    await new Promise<void>((resolve) => void socket.once("end", resolve).resume());
    socket.end("thanks");
    expect(await way.recorded("closed")).toMatchObject({ sent: 6, received: 11 });
    expect(site.heard()).toBe("thanks");
  });

  it("breaks for the application where it breaks at the host", async () => {
    const { way } = await start(
      (socket) => void socket.write("half", () => setTimeout(() => socket.resetAndDestroy(), 20)),
    );
    const socket = await openPlain(way.port);
    expect(await readAll(socket)).toEqual({ text: "half", how: "reset" });
    expect(await way.recorded("closed")).toMatchObject({ received: 4 });
  });

  it("breaks at the host where it breaks for the application", async () => {
    const broken = Promise.withResolvers<void>();
    const { way } = await start((socket) => void socket.once("error", () => broken.resolve()));
    const socket = await openPlain(way.port);
    await way.recorded("connected");
    socket.resetAndDestroy();
    await broken.promise;
    await way.recorded("closed");
  });

  it("is over for the host where the box itself ends it for the application", async () => {
    const broken = Promise.withResolvers<void>();
    const { way } = await start((socket) => void socket.once("close", () => broken.resolve()));
    await openPlain(way.port);
    await way.recorded("connected");
    await way.close();
    await broken.promise;
    await way.recorded("closed");
  });

  it("is ended where nothing moves in either direction", async () => {
    const { way } = await start(() => {}, { idle: 150 });
    const socket = await openPlain(way.port);
    expect(await readAll(socket)).toEqual({ text: "", how: "reset" });
    await way.recorded("closed");
  });

  it("lasts where something moves in one direction", async () => {
    const { way } = await start((socket) => void socket.on("error", () => {}), { idle: 600 });
    const socket = await openPlain(way.port);
    const timer = setInterval(() => socket.write("x"), 40);
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(socket.destroyed).toBe(false);
    clearInterval(timer);
    socket.destroy();
    expect((await way.recorded("closed")).sent).toBeGreaterThan(5);
  });

  it("is reset where the host cannot be reached", async () => {
    const way = await startWayOut({ mode: serveTcp, egress: [rule], name: null, site: null });
    open.push(way);
    expect(await readAll(await openPlain(way.port))).toEqual({ text: "", how: "reset" });
    expect(way.records).toMatchObject([{ verdict: "refused-unreachable", rule: 0, sent: 0, received: 0 }]);
  });

  it("holds back a sender whose reader is slow, and loses nothing", async () => {
    const total = 20_000_000;
    let written = 0;
    const { way } = await start((socket) => {
      const more = (): void => {
        while (written < total && !socket.destroyed) {
          written += 50_000;
          if (!socket.write(Buffer.alloc(50_000, 1))) return void socket.once("drain", more);
        }
        socket.end();
      };
      more();
    });
    const socket = await openPlain(way.port);
    socket.pause();
    await way.recorded("connected");
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(written).toBeLessThan(total);
    let received = 0;
    for await (const chunk of socket) received += (chunk as Buffer).length;
    expect(received).toBe(total);
    socket.end();
    expect(await way.recorded("closed")).toMatchObject({ received: total });
  });
});
