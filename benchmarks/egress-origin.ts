/** The internet of the egress benchmark: a resolver, and one HTTPS server for all names. Runs in the fake internet's network. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import { createInterface } from "node:readline";
import { createAuthority } from "../packages/enclave/test/fixtures-internet/certificates.ts";
import { startResolver } from "../packages/enclave/test/fixtures-internet/dns.ts";
import { RESOLVER, SITES } from "../packages/enclave/test/fixtures-internet/names.ts";
import { body } from "./body.ts";

export interface OriginReady {
  readonly ready: true;
  /** Base64 of the DER of its root, and the same in PEM. */
  readonly root: string;
  readonly pem: string;
}

const block = Buffer.alloc(65_536, "x");

/** `/<n>` is n bytes; all else the usual 200 bytes, once the request's body was read. */
function respond(request: IncomingMessage, response: ServerResponse): void {
  const bytes = Number(/^\/(\d+)$/.exec(request.url ?? "")?.[1] ?? 0);
  request.resume().once("end", () => {
    response.writeHead(200, { "content-length": bytes || body.length });
    if (bytes === 0) response.end(body);
    else send(response, bytes);
  });
}

function send(response: ServerResponse, bytes: number): void {
  let left = bytes;
  const more = (): void => {
    while (left > 0) {
      const size = Math.min(left, block.length);
      left -= size;
      if (!response.write(size < block.length ? block.subarray(0, size) : block))
        return void response.once("drain", more);
    }
    response.end();
  };
  more();
}

const authority = await createAuthority();
const server = createServer({ minVersion: "TLSv1.3", ALPNProtocols: ["http/1.1"], keepAliveTimeout: 65_000 }, respond);
for (const name of process.argv.slice(2)) server.addContext(name, await authority.issue(name));
server.on("tlsClientError", () => {});
await startResolver(RESOLVER, { lookup: () => [SITES.allowed] }, () => {});
await new Promise<void>((resolve) => server.listen(443, "0.0.0.0", resolve));
const ready: OriginReady = { ready: true, root: authority.root, pem: authority.cert };
process.stdout.write(`${JSON.stringify(ready)}\n`);
createInterface(process.stdin).once("close", () => process.exit());
