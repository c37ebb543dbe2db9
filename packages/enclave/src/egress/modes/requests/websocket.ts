/** A WebSocket of the application to a host. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Client } from "undici";
import { EgressError } from "../../errors.ts";
import type { EgressLimits } from "../limits.ts";
import { reset } from "../../../reset.ts";
import { splice } from "../../../splice.ts";
import { agreementText, agreesToWebSocket, rawHeadersOf } from "../../../websocket.ts";
import { headersForApp } from "./headers.ts";
import { rawProblem } from "./problems.ts";
import { refusalOf } from "./relay.ts";

export interface WebSocketOptions {
  readonly app: Duplex;
  readonly request: IncomingMessage;
  /** What the host gets, without the upgrade itself. */
  readonly headers: string[];
  readonly client: Client;
  readonly limits: EgressLimits;
  readonly onRefusal: (refusal: EgressError) => void;
}

/** Asks the host for the WebSocket, and makes one connection of two where it agrees as RFC 6455 says. */
export function serveWebSocket(options: WebSocketOptions): void {
  const { app, request, headers, client, limits, onRefusal } = options;
  const refuse = (refusal: EgressError): void => {
    // Whoever is gone was refused nothing.
    if (app.destroyed) return;
    onRefusal(refusal);
    if (app.writable) app.end(rawProblem(refusal.code), () => app.destroy());
    else app.destroy();
  };
  client.dispatch(
    { method: "GET", path: request.url ?? "", headers, upgrade: "websocket" },
    {
      onRequestStart() {},
      onRequestUpgrade(controller, status, _headers, upstream) {
        const raw = rawHeadersOf(controller);
        if (!agreesToWebSocket(request.rawHeaders, status, raw)) {
          reset(upstream);
          return refuse(new EgressError("refused-answer"));
        }
        app.write(agreementText(headersForApp(101, raw)), "latin1");
        void splice(app, upstream, limits.idle);
      },
      onResponseStart(controller) {
        controller.abort(new Error("no WebSocket"));
      },
      onResponseError: (_controller, error) => refuse(refusalOf(error)),
    },
  );
}
