/** The opening handshake of a WebSocket (RFC 6455, section 4), checked on both sides; after it, the box does not look. */
import { hash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Dispatcher } from "undici";

/** The constant of RFC 6455, section 1.3. */
const acceptSuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** Is the request the opening of a WebSocket, and nothing besides? `head` is what came behind it. */
export function isWebSocketRequest(request: IncomingMessage, head: Buffer): boolean {
  const { rawHeaders: raw, method } = request;
  if (method !== "GET" || announcesBody(raw) || head.length > 0) return false;
  if (!isUpgrade(raw) || valuesOf(raw, "sec-websocket-version").join() !== "13") return false;
  const keys = valuesOf(raw, "sec-websocket-key");
  // 16 bytes in base64.
  return keys.length === 1 && /^[A-Za-z0-9+/]{21}[AQgw]==$/.test(keys[0] ?? "");
}

function announcesBody(raw: readonly string[]): boolean {
  const [length] = valuesOf(raw, "content-length");
  return length === undefined ? valuesOf(raw, "transfer-encoding").length > 0 : Number(length) > 0;
}

function isUpgrade(raw: readonly string[]): boolean {
  const protocols = valuesOf(raw, "upgrade");
  const options = listed(raw, "connection").map((option) => option.toLowerCase());
  return protocols.length === 1 && protocols[0]?.toLowerCase() === "websocket" && options.includes("upgrade");
}

/** Does the answer agree to the very handshake that was asked for, with nothing that was not offered? */
export function agreesToWebSocket(asked: readonly string[], status: number, answered: readonly string[]): boolean {
  const [key = ""] = valuesOf(asked, "sec-websocket-key");
  if (status !== 101 || !isUpgrade(answered)) return false;
  if (valuesOf(answered, "sec-websocket-accept").join() !== hash("sha1", key + acceptSuffix, "base64")) return false;
  const offered = listed(asked, "sec-websocket-protocol");
  const chosen = valuesOf(answered, "sec-websocket-protocol");
  if (chosen.length > 1 || !chosen.every((protocol) => offered.includes(protocol))) return false;
  const extensions = listed(asked, "sec-websocket-extensions").map(extensionName);
  return listed(answered, "sec-websocket-extensions").every((each) => extensions.includes(extensionName(each)));
}

function extensionName(extension: string): string {
  return extension.split(";")[0]?.trim() ?? "";
}

/** The answer that agrees, with these headers beside it. The parser let neither CR nor LF into a value. */
export function agreementText(headers: readonly string[]): string {
  const lines = headers.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${headers[at + 1] ?? ""}\r\n`] : []));
  return `HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n${lines.join("")}\r\n`;
}

/** The raw header lines of an answer, names and values in turn. */
export function rawHeadersOf({ rawHeaders }: Dispatcher.DispatchController): string[] {
  return Array.isArray(rawHeaders)
    ? rawHeaders.map((each) => (typeof each === "string" ? each : each.toString("latin1")))
    : [];
}

function listed(raw: readonly string[], name: string): string[] {
  return valuesOf(raw, name).flatMap((value) => value.split(",").map((each) => each.trim()));
}

function valuesOf(raw: readonly string[], lowerCaseName: string): string[] {
  return raw.filter((_, at) => at % 2 === 1 && raw[at - 1]?.toLowerCase() === lowerCaseName);
}
