/**
 * The program that is the internet: every address is its own in its network, so whatever leaves the box arrives here and is
 * told of on standard output. Told over standard input what DNS says from then on; ends with that.
 */
import { execFileSync } from "node:child_process";
import { createServer as createHttpsServer, type Server } from "node:https";
import { createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import {
  createAuthority,
  selfSigned,
  type Issued,
} from "../../packages/enclave/test/fixtures-internet/certificates.ts";
import { startResolver } from "../../packages/enclave/test/fixtures-internet/dns.ts";
import { addresses, names, type Line } from "./hosts.ts";

const zone = new Map<string, string>([
  [names.records, addresses.records],
  [names.telemetry, addresses.telemetry],
]);

function say(line: Line): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** Makes the link, whose other end goes to the network of the process that started this one. */
function connectNetworks(): void {
  for (const command of [
    "link set lo up",
    `link add up0 type veth peer name net0 netns ${process.ppid}`,
    `address add ${addresses.gateway}/24 dev up0`,
    // Any address is ours, but only one that is written down can be listened on alone.
    `address add ${addresses.resolver}/32 dev lo`,
    "link set up0 up",
    "route add local 0.0.0.0/0 dev lo table local",
    `route add ${addresses.box}/32 dev up0 table local`,
  ])
    execFileSync("ip", command.split(" "), { stdio: ["ignore", "ignore", "inherit"] });
}

/** An HTTPS server that tells of every request, and thanks. */
function site(address: string, { key, cert }: Issued): Server {
  const server = createHttpsServer({ key, cert, ALPNProtocols: ["http/1.1"] }, (request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      say({ kind: "request", to: address, text: `${request.method} ${request.url} ${body}` });
      response.end("thank you\n");
    });
  });
  return server.on("tlsClientError", ({ code }: NodeJS.ErrnoException, socket) => {
    say({ kind: "no-handshake", to: address, text: code ?? "ended" });
    socket.destroy();
  });
}

async function listen(sites: ReadonlyMap<string, Server>): Promise<void> {
  const take = (socket: Socket): void => {
    socket.on("error", () => socket.destroy());
    const to = socket.localAddress ?? "";
    say({ kind: "connection", to, text: "" });
    const server = sites.get(to);
    if (server === undefined) socket.resume();
    else server.emit("connection", socket);
  };
  for (const port of [80, 443])
    await new Promise<void>((resolve) => createServer(take).listen(port, "0.0.0.0", resolve));
}

connectNetworks();
const authority = await createAuthority();
const stranger = await createAuthority();
const lookup = (name: string): readonly string[] | null => {
  const address = zone.get(name);
  return address === undefined ? null : [address];
};
await startResolver(addresses.resolver, { lookup }, (name) => say({ kind: "question", to: name, text: "" }));
const certified = [
  [addresses.records, await authority.issue(names.records)],
  // For the very name, by an authority that is not the clinic's.
  [addresses.impostor, await stranger.issue(names.records)],
  [addresses.telemetry, await selfSigned(names.telemetry)],
] as const;
await listen(new Map(certified.map(([address, issued]) => [address, site(address, issued)])));
say({ authority: authority.cert });
for await (const line of createInterface(process.stdin)) {
  const { name, address } = JSON.parse(line) as { readonly name: string; readonly address: string };
  zone.set(name, address);
  say({ redirected: name });
}
process.exit();
