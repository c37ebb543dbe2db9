import type { Socket } from "node:net";
import { fromUtf8 } from "@blindbox/encoding";

/**
 * The first line that arrives on `socket`, without its end. Bytes behind it are dropped.
 *
 * @throws RangeError where it is longer than `maxBytes` or the connection ends before it does; a TimeoutError
 * (a DOMException) after `ms` milliseconds.
 */
export async function readLine(socket: Socket, maxBytes: number, ms: number): Promise<string> {
  const timer = setTimeout(() => socket.destroy(new DOMException("took too long", "TimeoutError")), ms);
  const chunks: Buffer[] = [];
  let seen = 0;
  try {
    for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      const end = chunk.indexOf(0x0a);
      chunks.push(end === -1 ? chunk : chunk.subarray(0, end));
      if (end !== -1) return fromUtf8(Buffer.concat(chunks));
      seen += chunk.length;
      if (seen > maxBytes) throw new RangeError("line: too long");
    }
  } finally {
    clearTimeout(timer);
  }
  throw new RangeError("line: not complete");
}
