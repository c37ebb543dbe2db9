/**
 * Mode `passthrough`: TLS into which the box does not look. The name in the ClientHello must be that of the rule, and in a
 * second one as well; whether whoever answers at the address holds a certificate for it, only the application sees, and
 * what is asked inside (another Host, say) nobody. So the network is trusted, and the mode is shown as such.
 */
import type { Socket } from "node:net";
import type { Destination, ModeParts, ServeMode } from "../contract.ts";
import { EgressError } from "../errors.ts";
import { HelloRecords } from "../tls/hello-records.ts";
import { peek } from "../tls/peek.ts";
import { guardHello } from "./hello-guard.ts";
import { egressLimits, type EgressLimits } from "./limits.ts";
import { forwardTlsRequest, readPrelude } from "./postgres.ts";
import { serving } from "./serving.ts";
import { type Crossed, spliceRecorded } from "./splice-recorded.ts";

/** Takes connections of mode `passthrough`. */
export function servePassthrough(parts: ModeParts, limits: EgressLimits = egressLimits): ServeMode {
  return serving(parts.ledger, async (app, destination) => {
    const { upstream, hello } = await prepare(parts, app, destination, limits);
    const begin = (crossed: Crossed): Promise<void> =>
      guardHello({ app, upstream, destination, hello, limits }, crossed);
    await spliceRecorded({ ledger: parts.ledger, app, upstream, destination, limits, begin });
  });
}

interface Prepared {
  readonly upstream: Socket;
  /** Bytes of the ClientHello that waits in the application's socket. */
  readonly hello: number;
}

async function prepare(
  { dialer }: ModeParts,
  socket: Socket,
  destination: Destination,
  limits: EgressLimits,
): Promise<Prepared> {
  if ((await readPrelude(socket, limits.hello)) === "tls") {
    const hello = await demandName(socket, destination, limits);
    return { hello, upstream: await dialer.dial(destination) };
  }
  const upstream = await dialer.dial(destination);
  try {
    await forwardTlsRequest(socket, upstream, limits.hello);
    return { hello: await demandName(socket, destination, limits), upstream };
  } catch (error) {
    upstream.destroy();
    throw error;
  }
}

/**
 * Reads the ClientHello, which stays unread for whoever comes next, and demands that it asks for the destination.
 *
 * @returns bytes of its records.
 */
export async function demandName(socket: Socket, destination: Destination, limits: EgressLimits): Promise<number> {
  const records = new HelloRecords();
  const name = await peek(socket, limits.hello, (chunk) => records.push(chunk));
  if (name !== destination.name) throw new EgressError("refused-server-name");
  return records.length;
}
