/**
 * What a PostgreSQL client says before its TLS (PostgreSQL 17, "Message Flow", 54.2.10 and 54.2.11): it asks the server
 * for TLS, and may ask for GSSAPI encryption first. Nothing else of that protocol is understood.
 */
import type { Socket } from "node:net";
import { EgressError } from "../errors.ts";
import { peek, PeekError } from "../tls/peek.ts";

const tlsRequest = Buffer.from("0000000804d2162f", "hex");
const gssRequest = Buffer.from("0000000804d21630", "hex");

/** What a connection begins with: a TLS record (not checked any further), or the request for TLS. */
export type Prelude = "tls" | "request";

/**
 * Looks at how the application begins. A TLS record stays unread, a request is taken off; one for GSSAPI is answered with
 * no, once, as it would hide the name of the server.
 *
 * @throws EgressError where it begins in any other way.
 */
export async function readPrelude(socket: Socket, ms: number): Promise<Prelude> {
  const first = await peek(socket, ms, firstMessage());
  if (first !== "gss") return first;
  socket.read(gssRequest.length);
  socket.write("N");
  const second = await peek(socket, ms, firstMessage());
  if (second !== "request") throw new EgressError("refused-hello");
  return second;
}

function firstMessage(): (chunk: Buffer) => Prelude | "gss" | null {
  let seen: Buffer = Buffer.alloc(0);
  return (chunk) => {
    seen = Buffer.concat([seen, chunk]);
    if (seen[0] !== 0) return "tls";
    // The client waits for the answer, so whatever comes behind its request was put there by someone else.
    if (seen.equals(tlsRequest)) return "request";
    if (seen.equals(gssRequest)) return "gss";
    if (seen.length >= tlsRequest.length) throw new EgressError("refused-hello");
    return null;
  };
}

/**
 * Asks `upstream` for TLS in the application's place, and lets the application go on where the answer is exactly yes.
 * Bytes behind that answer were not protected by TLS, and are refused (CVE-2021-23222).
 *
 * @throws EgressError where the server answers anything else.
 */
export async function forwardTlsRequest(app: Socket, upstream: Socket, ms: number): Promise<void> {
  app.read(tlsRequest.length);
  upstream.write(tlsRequest);
  const answer = await answerOf(upstream, ms);
  if (answer !== "S" || app.readableLength > 0) throw new EgressError("refused-no-tls");
  upstream.read(1);
  app.write("S");
}

async function answerOf(upstream: Socket, ms: number): Promise<string> {
  try {
    return await peek(upstream, ms, (chunk) => chunk.toString("latin1"));
  } catch (error) {
    if (!(error instanceof PeekError)) throw error;
    throw new EgressError(error.reason === "timeout" ? "refused-upstream-timeout" : "refused-no-tls");
  }
}
