/** Applications as the gateway meets them; each keeps its own log of what reached it. */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from "node:net";

/** What the application saw of one request, once its body was over. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

export interface FakeApp {
  readonly port: number;
  /** Requests in the order in which their bodies were over. */
  readonly seen: SeenRequest[];
  /** Connections that were opened so far. */
  connections(): number;
  close(): Promise<void>;
}

/** An HTTP application. `answer` is called with the whole body; left out, it answers 200 with `ok`. */
export async function startApp(
  answer: (request: SeenRequest, response: ServerResponse) => void = (_, response) => void response.end("ok"),
): Promise<FakeApp> {
  const seen: SeenRequest[] = [];
  return listenHttp(seen, (request, response) => {
    void see(request).then(
      (whole) => {
        seen.push(whole);
        return answer(whole, response);
      },
      () => {},
    );
  });
}

async function see(request: IncomingMessage): Promise<SeenRequest> {
  const { method = "", url = "", rawHeaders } = request;
  return { method, url, rawHeaders, body: await readAll(request) };
}

/** An HTTP application that sees each request as soon as its head is there. */
export function startRawHttpApp(listener: RequestListener): Promise<FakeApp> {
  return listenHttp([], listener);
}

async function listenHttp(seen: SeenRequest[], listener: RequestListener): Promise<FakeApp> {
  const server = createServer({ keepAliveTimeout: 60_000 }, listener);
  return listening(server, seen, () => server.closeAllConnections());
}

/** An application that says exactly these bytes to whatever comes first, and then does as `after` says. */
export async function startScriptedApp(bytes: string, after: (socket: Socket) => void): Promise<FakeApp> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).once("data", () => socket.write(bytes, "latin1", () => after(socket)));
  });
  return listening(server, [], () => sockets.forEach((socket) => socket.destroy()));
}

async function listening(server: Server, seen: SeenRequest[], cut: () => void): Promise<FakeApp> {
  let connections = 0;
  server.on("connection", () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    connections: () => connections,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        cut();
      }),
  };
}

export async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("latin1");
}
