/** The application: an ordinary node:http server that answers every request with 200 bytes of JSON. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { answerParent } from "./child.ts";
import { body } from "./body.ts";

export interface AppSettings {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
}

export interface AppReady {
  readonly port: number;
}

const { host, port } = JSON.parse(process.argv[2] ?? "") as AppSettings;
const headers = { "content-type": "application/json", "content-length": body.length };
const server = createServer({ keepAliveTimeout: 65_000 }, (_request, response) => {
  response.writeHead(200, headers);
  response.end(body);
});
server.listen(port, host, () => {
  const address = server.address() as AddressInfo;
  answerParent({ port: address.port } satisfies AppReady, () => 0);
});
