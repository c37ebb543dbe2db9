import type { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import type { Dispatcher } from "undici";
import { ConnectionError } from "../../connection-error.ts";
import type { Timeouts } from "../transport.ts";
import { toFault } from "./node-faults.ts";

/** Statuses that never have a body (Fetch Standard, "null body status"). */
const bodyless: ReadonlySet<number> = new Set([204, 205, 304]);

/** The platform's Response for an answer of undici; its body is read from the connection only as fast as it is asked for. */
export async function toResponse(
  answer: Dispatcher.ResponseData,
  method: string,
  timeouts: Timeouts,
): Promise<Response> {
  const { statusCode, statusText, body } = answer;
  // A body that is given up says so through this event, and one that nobody listens to would end the program.
  body.on("error", () => {});
  const empty = method === "HEAD" || bodyless.has(statusCode);
  try {
    const stream = empty ? null : readBody(body, timeouts);
    const response = new Response(stream, { status: statusCode, statusText, headers: toHeaders(answer.headers) });
    if (empty) await untilReusable(body);
    return response;
  } catch {
    body.destroy();
    throw new ConnectionError("malformed-response", "headers", "a status or a field that is none");
  }
}

/**
 * undici takes a connection back one turn of the event loop after the end of its response. Without that turn a caller
 * that goes on at once would get a second connection, and with it a second attestation.
 */
async function untilReusable(body: Readable): Promise<void> {
  body.resume();
  await setImmediate();
}

function toHeaders(fields: Dispatcher.ResponseData["headers"]): Headers {
  const headers = new Headers();
  for (const [name, values] of Object.entries(fields)) {
    for (const value of [values ?? []].flat()) headers.append(name, value);
  }
  return headers;
}

function readBody(body: Readable, timeouts: Timeouts): ReadableStream<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const chunk = await chunks.next();
          if (chunk.done !== true) return controller.enqueue(chunk.value);
          await untilReusable(body);
          controller.close();
        } catch (error) {
          controller.error(toFault(error, "body", timeouts));
        }
      },
      // Ends the connection: what is left of the body would stand before the next response.
      cancel: () => void body.destroy(),
    },
    { highWaterMark: 0 },
  );
}
