import { hash } from "node:crypto";
import type { Socket } from "node:net";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { openTls, receive } from "./fixtures-egress/app.ts";
import { type Site, startTlsSite } from "./fixtures-egress/sites.ts";
import { createWorld, type World } from "./fixtures-egress/verified.ts";
import type { WayOut } from "./fixtures-egress/way-out.ts";

let world: World;

beforeAll(async () => {
  world = await createWorld();
});
afterEach(() => world.clear());

const key = "dGhlIHNhbXBsZSBub25jZQ==";
const accept = hash("sha1", `${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`, "base64");

interface Ways {
  readonly site: Site;
  readonly way: WayOut;
}

async function start(onConnection: (socket: Socket) => void): Promise<Ways> {
  const site = await world.kept(startTlsSite(world.honest, onConnection));
  const rule = { websocket: true, methods: ["GET"], paths: ["/ws"] } as const;
  return { site, way: await world.wayTo(site, { rule, limits: { idle: 300 } }) };
}

const agreement = (extra = "", value = accept): string =>
  `HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Accept: ${value}\r\n${extra}\r\n`;

/** Says `answer` to the request, then whatever it hears. */
function echo(answer: string): (socket: Socket) => void {
  return (socket) => {
    socket.once("data", () => {
      socket.write(answer);
      socket.on("data", (chunk: Buffer) => socket.write(chunk));
    });
  };
}

const wish = (extra = "", target = "/ws"): string =>
  `GET ${target} HTTP/1.1\r\nHost: api.test\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n${extra}\r\n`;

describe("a WebSocket", () => {
  it("is opened where the rule says so, and carries bytes both ways", async () => {
    const { site, way } = await start(echo(agreement("Sec-WebSocket-Protocol: b\r\nX-A: c\r\nSet-Cookie: d\r\n")));
    const socket = await openTls(way.port, world.authority.certificate);
    const opened = receive(socket, "\r\n\r\n");
    socket.write(wish("Sec-WebSocket-Protocol: a, b\r\nOrigin: https://x.test\r\n"));
    expect(await opened).toBe(
      `HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: b\r\nX-A: c\r\nSet-Cookie: d\r\n\r\n`,
    );
    const echoed = receive(socket, "\x82\x04ping");
    socket.write("\x82\x04ping", "latin1");
    await echoed;
    socket.end();
    expect(await way.recorded("closed")).toMatchObject({ peer: world.honest.fingerprint, sent: site.heard().length });
    expect(way.verdicts()).toEqual(["request-allowed", "connected", "closed"]);
    expect(site.heard()).toMatch(/^GET \/ws HTTP\/1\.1\r\nhost: api\.test\r\n/);
  });

  it("is ended where nothing moves", async () => {
    const { way } = await start(echo(agreement()));
    expect(await world.ask(way, wish())).toMatch(/^HTTP\/1\.1 101/);
    await way.recorded("closed");
  });

  it.each([
    ["another path", wish("", "/other"), "refused-request-path"],
    ["another host", wish().replace("Host: api.test", "Host: other.test"), "refused-request-host"],
    ["another method", wish().replace("GET", "POST"), "refused-request-method"],
    ["another protocol", wish().replace("Upgrade: websocket", "Upgrade: h2c"), "refused-upgrade"],
    ["two protocols", wish().replace("Upgrade: websocket", "Upgrade: websocket, h2c"), "refused-upgrade"],
    ["another version", wish().replace("Version: 13", "Version: 8"), "refused-upgrade"],
    ["no key", wish().replace(/Sec-WebSocket-Key.*\r\n/, ""), "refused-upgrade"],
    ["two keys", wish(`Sec-WebSocket-Key: ${key}\r\n`), "refused-upgrade"],
    ["a key that is none", wish().replace(key, "secret"), "refused-upgrade"],
    ["a body", wish("Content-Length: 6\r\n") + "secret", "refused-upgrade"],
    ["bytes behind it", `${wish()}secret`, "refused-upgrade"],
    ["a request behind it", wish() + wish(), "refused-upgrade"],
    [
      "a request before it that is not answered",
      `GET /ws HTTP/1.1\r\nHost: api.test\r\n\r\n${wish()}`,
      "refused-upgrade",
    ],
  ])("is not asked for with %s", async (_, text, verdict) => {
    const { site, way } = await start(echo(agreement()));
    await world.ask(way, text);
    expect(way.verdicts()).toContain(verdict);
    expect(site.heard()).not.toMatch(/upgrade|secret/i);
  });

  it.each([
    ["another accept", agreement("", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=")],
    ["no accept", agreement().replace(/Sec-WebSocket-Accept.*\r\n/, "")],
    ["another protocol", agreement().replace("WebSocket\r\n", "h2c\r\n")],
    ["a subprotocol that was not offered", agreement("Sec-WebSocket-Protocol: z\r\n")],
    ["an extension that was not offered", agreement("Sec-WebSocket-Extensions: permessage-deflate\r\n")],
    ["a refusal", "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"],
    ["no HTTP", "SSH-2.0-x\r\n"],
  ])("is not opened where the host answers with %s", async (_, answer) => {
    const { way } = await start(echo(answer));
    expect(await world.ask(way, wish("Sec-WebSocket-Protocol: a, b\r\n"))).toMatch(
      /^HTTP\/1\.1 502 [^]*refused-answer/,
    );
    expect(await way.recorded("refused-answer")).toMatchObject({ peer: world.honest.fingerprint });
  });
});
