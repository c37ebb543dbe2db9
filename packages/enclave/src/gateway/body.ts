/** Request bodies: bounded while they stream, and read whole where they must be small. */
import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { openBody } from "../request-body.ts";

/** The body went on after the bytes that were allowed. */
export class BodyTooLargeError extends Error {
  readonly code = "body-too-large";

  constructor() {
    super("the request body is larger than allowed");
    this.name = "BodyTooLargeError";
  }
}

/** The declared length of the body; null where it is chunked, 0 where there is none. */
export function declaredLength(request: IncomingMessage): number | null {
  if (request.headers["transfer-encoding"] !== undefined) return null;
  return Number(request.headers["content-length"] ?? "0");
}

/** The body as a stream that fails with {@link BodyTooLargeError} at the first byte over `limit`. */
export function boundedBody(
  request: IncomingMessage,
  limit: number,
  onBytes: (bytes: number) => void = () => {},
): Readable {
  let seen = 0;
  const faultOf = (bytes: number): Error | null => {
    seen += bytes;
    onBytes(bytes);
    return seen > limit ? new BodyTooLargeError() : null;
  };
  return openBody(request, { faultOf });
}

/** The whole body. Rejects with {@link BodyTooLargeError}, or when the connection breaks. */
export async function readWhole(request: IncomingMessage, limit: number): Promise<Buffer> {
  if ((declaredLength(request) ?? 0) > limit) throw new BodyTooLargeError();
  const chunks: Buffer[] = [];
  let seen = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    seen += chunk.length;
    if (seen > limit) throw new BodyTooLargeError();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
