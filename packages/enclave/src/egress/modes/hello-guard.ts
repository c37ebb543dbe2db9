/**
 * The first words of a TLS connection into which the box does not look. A server may answer the first ClientHello by
 * asking for another (HelloRetryRequest), and obeys the name in that one; the application can bring it to do so, and knows
 * beforehand what it will say. So nothing behind the first ClientHello goes on before the server has answered that.
 */
import type { Socket } from "node:net";
import type { Destination } from "../contract.ts";
import { EgressError } from "../errors.ts";
import { peek, PeekError } from "../tls/peek.ts";
import { SecondHello } from "../tls/second-hello.ts";
import { type ServerAnswer, ServerHello } from "../tls/server-hello.ts";
import type { EgressLimits } from "./limits.ts";
import type { Crossed } from "./splice-recorded.ts";

export interface Guarded {
  readonly app: Socket;
  readonly upstream: Socket;
  readonly destination: Destination;
  /** Bytes of the ClientHello that was let through, and is unread in `app`. */
  readonly hello: number;
  readonly limits: EgressLimits;
}

/**
 * Carries the ClientHello to the server, and where that asks for another, demands the name of this as well. What follows
 * is for a splice; what crossed is added to `crossed` at once.
 *
 * @throws EgressError, ClientHelloError or PeekError; neither socket is of any use then.
 */
export async function guardHello(
  { app, upstream, destination, hello, limits }: Guarded,
  crossed: Crossed,
): Promise<void> {
  // Both ends were read to the end of what is there, maybe, and still have something to say.
  app.allowHalfOpen = true;
  upstream.allowHalfOpen = true;
  crossed.sent += forward(app, upstream, hello);
  if ((await answerOf(app, upstream, limits.upstreamHandshake)) === "final") return;
  crossed.received += forward(upstream, app);
  const second = new SecondHello();
  const name = await peek(app, limits.hello, (chunk) => second.push(chunk));
  if (name !== destination.name) throw new EgressError("refused-server-name");
}

function forward(from: Socket, to: Socket, bytes?: number): number {
  const chunk: Buffer | null = from.read(bytes);
  if (chunk === null) return 0;
  to.write(chunk);
  return chunk.length;
}

async function answerOf(app: Socket, upstream: Socket, ms: number): Promise<ServerAnswer> {
  const answer = new ServerHello();
  const abandon = (): void => void upstream.destroy();
  app.once("close", abandon);
  if (app.destroyed) abandon();
  try {
    return await peek(upstream, ms, (chunk) => answer.push(chunk));
  } catch (error) {
    if (!(error instanceof PeekError)) throw error;
    if (app.destroyed) throw new EgressError("refused-tls-app");
    throw new EgressError(error.reason === "timeout" ? "refused-upstream-timeout" : "refused-tls-upstream");
  } finally {
    app.off("close", abandon);
  }
}
