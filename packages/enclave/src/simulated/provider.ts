import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { DeviceEvidence, EvidenceProvider } from "../parts.ts";
import { readLine } from "./line.ts";
import { formatRequest, maxReplyBytes, parseReply } from "./protocol.ts";

/** The device answers within milliseconds; whoever waits longer waits for nothing. */
const replyMs = 5_000;

/** The box's side of the simulated device that listens at `socketPath`. One connection for each request. */
export function createSimulatedProvider(socketPath: string): EvidenceProvider {
  return {
    tee: "simulated",
    async getEvidence(binding) {
      const socket = connect({ path: socketPath, allowHalfOpen: true });
      try {
        return await ask(socket, binding);
      } finally {
        socket.destroy();
      }
    },
  };
}

async function ask(socket: Socket, binding: Uint8Array): Promise<DeviceEvidence> {
  await once(socket, "connect");
  socket.end(formatRequest(binding));
  return parseReply(await readLine(socket, maxReplyBytes, replyMs));
}
