/** Applications that say exactly these bytes, and a reader of answers that forgives nothing. */
import { createServer, type AddressInfo } from "node:net";
import type { FakeApp } from "./fake-app.ts";

/** An application that answers `bytes` to the first request of each connection, and `second` to every `/open/second`. */
export async function startHostileApp(bytes: string): Promise<FakeApp> {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket
      .on("error", () => {})
      .on("data", (chunk) => {
        const isSecond = chunk.toString("latin1").includes("/open/second ");
        socket.write(isSecond ? "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond" : bytes, "latin1");
      });
    closing.signal.addEventListener("abort", () => socket.destroy());
  });
  const closing = new AbortController();
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    seen: [],
    connections: () => connections,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        closing.abort();
      }),
  };
}

export interface RawAnswer {
  readonly status: number;
  /** Lines in order, names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** Takes one answer off the front of `text`, as RFC 9112 frames it. Throws where it is not whole, or framed in doubt. */
export function takeAnswer(text: string, method: string): { answer: RawAnswer; rest: string } {
  const end = text.indexOf("\r\n\r\n");
  if (end === -1) throw new Error("no end of the head");
  const [statusLine = "", ...lines] = text.slice(0, end).split("\r\n");
  const status = /^HTTP\/1\.1 ([2-9][0-9]{2}) [\t\x20-\x7e\x80-\xff]*$/.exec(statusLine)?.[1];
  if (status === undefined) throw new Error(`not a status line: ${statusLine.slice(0, 40)}`);
  const headers = lines.map(headerLine);
  const { body, rest } = takeBody(text.slice(end + 4), bodyless(method, status), headers);
  return { answer: { status: Number(status), headers, body }, rest };
}

function headerLine(line: string): [string, string] {
  const [, name = "", value = ""] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([\t\x20-\x7e\x80-\xff]*)$/.exec(line) ?? [];
  if (name === "") throw new Error("not a header line");
  return [name.toLowerCase(), value];
}

function bodyless(method: string, status: string): boolean {
  return method === "HEAD" || status === "204" || status === "304";
}

function takeBody(text: string, isBodyless: boolean, headers: RawAnswer["headers"]): { body: string; rest: string } {
  const lengths = headers.filter(([name]) => name === "content-length").map(([, value]) => value);
  const codings = headers.filter(([name]) => name === "transfer-encoding").map(([, value]) => value);
  if (lengths.length + codings.length > 1) throw new Error("more than one framing");
  if (isBodyless) return { body: "", rest: text };
  if (codings[0] === "chunked") return takeChunks(text);
  if (!/^[0-9]+$/.test(lengths[0] ?? "")) throw new Error("no framing");
  const length = Number(lengths[0]);
  if (text.length < length) throw new Error("the body is cut");
  return { body: text.slice(0, length), rest: text.slice(length) };
}

function takeChunks(text: string): { body: string; rest: string } {
  let body = "";
  let rest = text;
  for (;;) {
    const [line, size = ""] = /^([0-9a-f]+)\r\n/i.exec(rest) ?? [];
    if (line === undefined) throw new Error("not a chunk");
    const length = Number.parseInt(size, 16);
    rest = rest.slice(line.length);
    if (length === 0) break;
    if (rest.slice(length, length + 2) !== "\r\n") throw new Error("the chunk is longer than its size, or cut");
    body += rest.slice(0, length);
    rest = rest.slice(length + 2);
  }
  const trailers = /^(?:[!-9;-~]+: [^\r\n]*\r\n)*\r\n/.exec(rest)?.[0];
  if (trailers === undefined) throw new Error("no end of the chunks");
  return { body, rest: rest.slice(trailers.length) };
}
