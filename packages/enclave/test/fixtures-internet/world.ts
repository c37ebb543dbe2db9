/**
 * The program that is the internet: it lives in a network in which every address is its own, so whatever leaves the box
 * arrives here and is told of on standard output, a line each. Told over standard input what DNS says.
 */
import { createHash } from "node:crypto";
import { createSocket } from "node:dgram";
import { createServer as createHttpServer, type IncomingMessage, type RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import type { Duplex } from "node:stream";
import { createAuthority, type Issued, selfSigned } from "./certificates.ts";
import { startResolver } from "./dns.ts";
import { CERTIFIED, RESOLVER, type Seen, type Site, SITES, ZONE } from "./names.ts";

const zone = new Map<string, readonly string[]>(Object.entries(ZONE));

/** Ports on which any address answers, so that whatever gets out is seen. */
const PORTS = [22, 25, 80, 123, 443, 853, 6379, 8080, 8443, 32526];

function say(seen: Seen): void {
  process.stdout.write(`${JSON.stringify(seen)}\n`);
}

function addressed(socket: Socket): string {
  return `${socket.localAddress}:${socket.localPort}`;
}

function siteOf(address: string | undefined): Site | undefined {
  return (Object.keys(SITES) as Site[]).find((site) => SITES[site] === address);
}

/** A WebSocket as far as its handshake; then every byte comes back. */
function upgrade(request: IncomingMessage, socket: Duplex): void {
  say({ kind: "http", to: "upgrade", what: `${request.headers.host} ${request.url}` });
  const accept = createHash("sha1")
    .update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest("base64");
  socket.on("error", () => {});
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
  );
  socket.pipe(socket);
}

const respond: RequestListener = (request, response) => {
  const site = siteOf(request.socket.localAddress) ?? "nobody";
  say({
    kind: "http",
    to: `${addressed(request.socket)} ${site}`,
    what: `${request.method} ${request.headers.host} ${request.url}`,
  });
  let bytes = 0;
  request.on("data", (chunk: Buffer) => (bytes += chunk.length));
  request.on("end", () => {
    say({ kind: "bytes", to: site, what: String(bytes) });
    const size = Number(/^\/size\/(\d+)$/.exec(request.url ?? "")?.[1] ?? 0);
    response.setHeader("x-site", site);
    response.end(size > 0 ? Buffer.alloc(size, "x") : `this is ${site}, ${bytes} bytes\n`);
  });
};

async function certify(): Promise<{ root: string; pem: string; certificates: ReadonlyMap<string, Issued> }> {
  const authority = await createAuthority();
  const another = await createAuthority();
  const certificates = new Map<string, Issued>();
  for (const [site, name] of Object.entries(CERTIFIED)) {
    const address = SITES[site as Site];
    if (site === "selfSigned") certificates.set(address, await selfSigned(name));
    else if (site === "untrusted") certificates.set(address, await another.issue(name));
    else certificates.set(address, await authority.issue(name, site === "expired"));
  }
  return { root: authority.root, pem: authority.cert, certificates };
}

async function listen(certificates: ReadonlyMap<string, Issued>): Promise<void> {
  const http = createHttpServer(respond);
  const tls = new Map(
    Array.from(certificates, ([address, { key, cert }]) => {
      const server = createHttpsServer({ key, cert, ALPNProtocols: ["http/1.1"] }, respond);
      server.on("tlsClientError", () => {});
      server.on("secureConnection", (socket) => say({ kind: "tls", to: address, what: String(socket.servername) }));
      server.on("upgrade", upgrade);
      return [address, server] as const;
    }),
  );
  const take = (socket: Socket): void => {
    socket.on("error", () => {});
    say({ kind: "tcp", to: addressed(socket), what: "connected" });
    const secure = tls.get(socket.localAddress ?? "");
    if (socket.localPort === 443 && secure) secure.emit("connection", socket);
    else if (socket.localPort === 80 || socket.localPort === 8080) http.emit("connection", socket);
    else
      socket.on("data", (bytes) => {
        say({ kind: "bytes", to: addressed(socket), what: String(bytes.length) });
        socket.write(bytes);
      });
  };
  for (const port of PORTS) await new Promise<void>((resolve) => createServer(take).listen(port, "0.0.0.0", resolve));
  for (const port of [53, 123, 443]) {
    const socket = createSocket({ type: "udp4", reuseAddr: true }).on("message", (bytes) => {
      say({ kind: "udp", to: String(port), what: String(bytes.length) });
    });
    await new Promise<void>((resolve) => socket.bind(port, "0.0.0.0", resolve));
  }
}

const { root, pem, certificates } = await certify();
const lookup = (name: string): readonly string[] | null =>
  zone.get(name) ?? (/^[^.]+\.wild\.test$/.test(name) ? [SITES.second] : null);
await startResolver(RESOLVER, { lookup }, (name, type) => say({ kind: "dns", to: name, what: String(type) }));
await listen(certificates);
process.stdout.write(`${JSON.stringify({ ready: true, root, pem })}\n`);
for await (const line of createInterface(process.stdin)) {
  const { name, addresses } = JSON.parse(line) as { name: string; addresses: string[] };
  zone.set(name, addresses);
  process.stdout.write(`${JSON.stringify({ changed: name })}\n`);
}
