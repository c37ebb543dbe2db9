/** The supervisor's end of what the application dials: takes the sockets from the gate, and closes them with it. */
import type { ChildProcess } from "node:child_process";
import { Socket as DatagramSocket } from "node:dgram";
import { createServer, Server, type Socket } from "node:net";
import type { EgressReceiver } from "../../parts.ts";
import { SandboxError } from "../errors.ts";
import { DNS_PORT, GATE_ADDRESS } from "../network/addresses.ts";
import type { GateMessage, ListenPurpose, ListenRequest } from "./messages.ts";

/** Milliseconds until a gate is given up that says nothing; it takes 20 for all ports together. */
const DEADLINE = 10_000;

export class Listeners {
  readonly #child: ChildProcess;
  readonly #closers: (() => void)[] = [];
  readonly #connections = new Set<Socket>();

  constructor(child: ChildProcess) {
    this.#child = child;
  }

  /**
   * Has the gate open them all, and gives each to `receiver`.
   *
   * @throws SandboxError `network-setup-failed`
   */
  async open(ports: readonly number[], receiver: EgressReceiver): Promise<void> {
    const opened = Promise.withResolvers<void>();
    const fail = (code: string): void => opened.reject(notOpened(code));
    const take = (message: GateMessage, handle: unknown): void => {
      try {
        if ("listens" in message) this.#give(message.listens, handle, receiver);
        else if ("opened" in message && message.opened) opened.resolve();
        else if ("opened" in message) fail(message.code);
      } catch (error) {
        opened.reject(error);
      }
    };
    const gone = (): void => fail("gone");
    const deadline = setTimeout(() => fail("silent"), DEADLINE);
    this.#child.on("message", take).once("exit", gone);
    this.#ask(ports, gone);
    await opened.promise.finally(() => {
      clearTimeout(deadline);
      this.#child.off("message", take).off("exit", gone);
    });
  }

  /** Nothing of the application is answered any more, and none of its connections is left to keep its network alive. */
  close(): void {
    for (const close of this.#closers.splice(0)) close();
    for (const connection of this.#connections) connection.destroy();
  }

  #ask(ports: readonly number[], failed: () => void): void {
    const request: ListenRequest = { ports, dns: { host: GATE_ADDRESS, port: DNS_PORT } };
    this.#child.send(request, (error) => (error ? failed() : undefined));
  }

  #give(purpose: ListenPurpose, handle: unknown, receiver: EgressReceiver): void {
    if (purpose === "dns-datagrams") receiver.dnsSocket(this.#keepSocket(datagrams(handle)));
    else if (purpose === "dns") receiver.dnsListener(this.#keepServer(handle, { allowHalfOpen: false }));
    else receiver.listener(this.#keepServer(handle, { allowHalfOpen: true }));
  }

  // Node makes a server of its own from what arrives, which would read from connections; ours takes its place at once.
  // Who asks for names has its answers at once, so that its end may be answered with ours; others have more to say.
  #keepServer(handle: unknown, { allowHalfOpen }: { readonly allowHalfOpen: boolean }): Server {
    if (!(handle instanceof Server)) throw new TypeError("the gate handed over no listening socket");
    const server = createServer({ pauseOnConnect: true, allowHalfOpen, noDelay: true }).listen(handle);
    server.on("connection", (socket) => this.#keepConnection(socket));
    this.#closers.push(() => server.close());
    return server;
  }

  #keepConnection(socket: Socket): void {
    this.#connections.add(socket);
    socket.once("close", () => this.#connections.delete(socket));
  }

  #keepSocket(socket: DatagramSocket): DatagramSocket {
    this.#closers.push(() => closeDatagrams(socket));
    return socket;
  }
}

// Unlike a server, it complains where whoever has it was quicker.
function closeDatagrams(socket: DatagramSocket): void {
  try {
    socket.close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_SOCKET_DGRAM_NOT_RUNNING") throw error;
  }
}

function datagrams(handle: unknown): DatagramSocket {
  if (handle instanceof DatagramSocket) return handle;
  throw new TypeError("the gate handed over no datagram socket");
}

function notOpened(code: string): SandboxError {
  const reason = `the gate cannot listen for the application (${code})`;
  return new SandboxError("network-setup-failed", reason, "Try again, or check this machine's limits on open files.");
}
