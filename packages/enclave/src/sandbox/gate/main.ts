/**
 * The gate: a program that lives in the one network from which the application can be reached, and in which everything ends
 * that the application sends. A socket stays in the network in which it was made, so this program makes it and hands it
 * over, and reads not one byte from it.
 */
import { Socket } from "node:net";
import { openListeners } from "./listen.ts";
import type { GateConfiguration, GateMessage, GateRequest } from "./messages.ts";

run(JSON.parse(process.argv[2] ?? "null") as GateConfiguration);

function run(configuration: GateConfiguration): void {
  process.on("disconnect", () => process.exit());
  process.on("message", (request: GateRequest) => {
    if ("dial" in request) dial(configuration, request.dial);
    else void openListeners(request).then(tell);
  });
  tell({ ready: true });
}

function dial({ host, port, connectDeadline }: GateConfiguration, id: number): void {
  // Paused before it is connected: what the application says first must not be read here.
  const socket = new Socket().pause();
  const fail = (code: string) => {
    socket.removeAllListeners("error").on("error", () => {});
    socket.destroy();
    tell({ dial: id, connected: false, code });
  };
  const deadline = setTimeout(() => fail("ETIMEDOUT"), connectDeadline);
  socket.once("error", (error: NodeJS.ErrnoException) => {
    clearTimeout(deadline);
    fail(error.code ?? "unknown");
  });
  socket.connect({ host, port }, () => {
    clearTimeout(deadline);
    socket.setNoDelay(true);
    tell({ dial: id, connected: true }, socket);
  });
}

// Where the channel is gone, so will this program be: the end of the channel ends it.
function tell(message: GateMessage, socket?: Socket): void {
  if (!process.connected) socket?.destroy();
  else if (socket) process.send?.(message, socket, { keepOpen: false }, () => {});
  else process.send?.(message);
}
