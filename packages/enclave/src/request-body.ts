/** A request's body on its way to whoever is to have it. */
import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";

export interface BodyOptions {
  /** Called with the size of each piece before it is passed on; an error ends the body. */
  readonly faultOf?: (bytes: number) => Error | null;
  /** Calls `next` when the next piece can be taken. Left out: as soon as the one before was. */
  readonly whenReady?: (next: () => void) => void;
}

/**
 * The body as a stream that holds nothing back itself: what it does not take yet waits in `request`, where small pieces
 * are joined. The two are not tied together: when nobody wants the body any more, the connection must live on for the
 * answer.
 */
export function openBody(request: IncomingMessage, options: BodyOptions): Readable {
  const { faultOf = () => null, whenReady = (next) => next() } = options;
  let isWanted = false;
  const give = (): void => {
    if (!isWanted || body.destroyed) return;
    const bytes = request.read() as Buffer | null;
    if (bytes === null) return;
    isWanted = false;
    const fault = faultOf(bytes.length);
    if (fault === null) body.push(bytes);
    else body.destroy(fault);
  };
  const want = (): void => {
    isWanted = true;
    give();
  };
  const body = new Readable({
    highWaterMark: 1,
    read: () => whenReady(want),
    destroy(error, done) {
      request.off("readable", give);
      done(error);
    },
  });
  request.on("readable", give).once("end", () => body.push(null));
  return body;
}
