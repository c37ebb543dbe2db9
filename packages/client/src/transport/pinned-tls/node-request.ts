import type { Dispatcher, Pool } from "undici";
import { untilAborted } from "../../request/until-aborted.ts";
import type { Timeouts, TransportRequest } from "../transport.ts";
import { bodyForUndici } from "./node-body.ts";
import { toFault } from "./node-faults.ts";
import { toResponse } from "./node-response.ts";

/** Sends one request over an attested connection. It is never sent twice, and no redirect is followed. */
export async function sendRequest(pool: Pool, request: TransportRequest, timeouts: Timeouts): Promise<Response> {
  const { signal } = request;
  signal?.throwIfAborted();
  try {
    // undici looks at a signal only once a connection is there: an abort while one is being attested must not wait for it.
    const answer = await untilAborted(pool.request(undiciOptions(request)), signal);
    return await toResponse(answer, request.method, timeouts);
  } catch (error) {
    throw signal?.aborted === true ? signal.reason : toFault(error, "headers", timeouts);
  }
}

function undiciOptions({ method, target, headers, body, signal }: TransportRequest): Dispatcher.RequestOptions {
  return {
    path: target,
    method,
    headers: [...headers].flat(),
    body: body === null ? null : bodyForUndici(body),
    signal,
  };
}
