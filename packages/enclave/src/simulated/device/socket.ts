/** The device's socket, and the folder around it that keeps others away. */
import { mkdir, stat } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import type { DeviceEvidence } from "../../parts.ts";
import { readLine } from "../line.ts";
import { type DeviceFault, formatFault, formatReply, maxRequestBytes, parseRequest } from "../protocol.ts";
import { DeviceError, orDeviceError } from "./device-error.ts";

/** A box asks with one write. */
const requestMs = 5_000;

/** A folder that its owner alone may enter is what lets no other user ask the device. */
const hint = "give a path in a folder of mode 0700 that is yours, of at most 107 bytes, where nothing is yet";

/**
 * Listens at `path`, in a folder that is made if it is not there.
 *
 * @throws DeviceError with code `socket-unusable`
 */
export function listenAt(path: string, sign: (binding: Uint8Array) => Promise<DeviceEvidence>): Promise<Server> {
  return orDeviceError("socket-unusable", hint, async () => {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const { mode, uid } = await stat(dirname(path));
    if ((mode & 0o077) !== 0 || uid !== process.getuid?.()) throw new Error("the socket's folder is open to others");
    const server = createServer({ allowHalfOpen: true }, (socket) => void answer(socket, sign));
    const listening = Promise.withResolvers<void>();
    server.once("error", listening.reject).listen(path, listening.resolve);
    await listening.promise;
    return server;
  });
}

async function answer(socket: Socket, sign: (binding: Uint8Array) => Promise<DeviceEvidence>): Promise<void> {
  socket.on("error", () => socket.destroy());
  let fault: DeviceFault = "bad-request";
  try {
    const binding = parseRequest(await readLine(socket, maxRequestBytes, requestMs));
    fault = "failed";
    socket.end(formatReply(await sign(binding)));
  } catch (error) {
    socket.end(formatFault(error instanceof DeviceError ? "failed" : fault));
  }
}
