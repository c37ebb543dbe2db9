/** The application: an ordinary node:http server that answers every request with 200 bytes of JSON. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { answerParent } from "./child.ts";
import { body } from "./body.ts";

export interface AppReady {
  readonly port: number;
}

const headers = { "content-type": "application/json", "content-length": body.length };
const server = createServer({ keepAliveTimeout: 65_000 }, (_request, response) => {
  response.writeHead(200, headers);
  response.end(body);
});
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  answerParent({ port } satisfies AppReady, () => 0);
});
