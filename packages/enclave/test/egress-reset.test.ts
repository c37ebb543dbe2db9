import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { expect, it } from "vitest";
import { reset } from "../src/reset.ts";

it.each([[true], [false]])(
  "closes a connection whose other end has gone, half-open allowed: %s",
  async (allowHalfOpen) => {
    const server = createServer({ pauseOnConnect: true, allowHalfOpen });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const client = connect((server.address() as AddressInfo).port, "127.0.0.1").on("error", () => {});
    const [socket] = (await once(server, "connection")) as [Socket];
    const closed = once(socket, "close");
    socket.on("error", () => {}).on("readable", () => socket.read());
    client.end();
    await once(socket, "end");
    reset(socket);
    await closed;
    expect(socket.destroyed).toBe(true);
    server.close();
  },
);

it("tells the other end that it did not get all", async () => {
  const server = createServer((socket) => reset(socket)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [error] = (await once(client.resume(), "error")) as [NodeJS.ErrnoException];
  expect(error.code).toBe("ECONNRESET");
  server.close();
});
