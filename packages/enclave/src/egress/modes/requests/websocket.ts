/** The opening handshake of a WebSocket (RFC 6455, section 4), checked on both sides; after it, the box does not look. */
import { hash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Client, Dispatcher } from "undici";
import { EgressError } from "../../errors.ts";
import type { EgressLimits } from "../limits.ts";
import { reset } from "../../reset.ts";
import { splice } from "../splice.ts";
import { connectionOptions, hasBody, valuesOf } from "./head.ts";
import { headersForApp } from "./headers.ts";
import { rawProblem } from "./problems.ts";
import { refusalOf } from "./relay.ts";

/** The constant of RFC 6455, section 1.3. */
const acceptSuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** Is the request the opening of a WebSocket, and nothing besides? `head` is what came behind it. */
export function isWebSocketRequest(request: IncomingMessage, head: Buffer): boolean {
  const { rawHeaders: raw, method } = request;
  if (method !== "GET" || hasBody(request) || head.length > 0) return false;
  if (!isUpgrade(raw) || valuesOf(raw, "sec-websocket-version").join() !== "13") return false;
  const keys = valuesOf(raw, "sec-websocket-key");
  // 16 bytes in base64.
  return keys.length === 1 && /^[A-Za-z0-9+/]{21}[AQgw]==$/.test(keys[0] ?? "");
}

function isUpgrade(raw: readonly string[]): boolean {
  const protocols = valuesOf(raw, "upgrade");
  return protocols.length === 1 && protocols[0]?.toLowerCase() === "websocket" && connectionOptions(raw).has("upgrade");
}

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
        const raw = rawOf(controller);
        if (status !== 101 || !agrees(request.rawHeaders, raw)) {
          reset(upstream);
          return refuse(new EgressError("refused-answer"));
        }
        app.write(answerText(raw), "latin1");
        void splice(app, upstream, limits.idle);
      },
      onResponseStart(controller) {
        controller.abort(new Error("no WebSocket"));
      },
      onResponseError: (_controller, error) => refuse(refusalOf(error)),
    },
  );
}

function agrees(asked: readonly string[], answered: readonly string[]): boolean {
  const [key = ""] = valuesOf(asked, "sec-websocket-key");
  if (!isUpgrade(answered)) return false;
  if (valuesOf(answered, "sec-websocket-accept").join() !== hash("sha1", key + acceptSuffix, "base64")) return false;
  const offered = listed(asked, "sec-websocket-protocol");
  const chosen = valuesOf(answered, "sec-websocket-protocol");
  if (chosen.length > 1 || !chosen.every((protocol) => offered.includes(protocol))) return false;
  const extensions = listed(asked, "sec-websocket-extensions").map(extensionName);
  return listed(answered, "sec-websocket-extensions").every((each) => extensions.includes(extensionName(each)));
}

function listed(raw: readonly string[], name: string): string[] {
  return valuesOf(raw, name).flatMap((value) => value.split(",").map((each) => each.trim()));
}

function extensionName(extension: string): string {
  return extension.split(";")[0]?.trim() ?? "";
}

// The parser let neither CR nor LF into a value.
function answerText(raw: readonly string[]): string {
  const kept = headersForApp(101, raw);
  const lines = kept.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${kept[at + 1] ?? ""}\r\n`] : []));
  return `HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n${lines.join("")}\r\n`;
}

function rawOf({ rawHeaders }: Dispatcher.DispatchController): string[] {
  return Array.isArray(rawHeaders) ? rawHeaders.map((each) => each.toString("latin1")) : [];
}
