/** One HTTP/1.1 answer, cut from bytes: far cheaper than node:http, whose cost would be the load's and not the server's. */
export interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

/** The answer at the start of `received`, which must have a Content-Length; `null` while it is not complete. */
export function cutAnswer(received: Buffer): Answer | null {
  const headEnd = received.indexOf("\r\n\r\n");
  if (headEnd === -1) return null;
  const head = received.toString("latin1", 0, headEnd + 2);
  const length = /\r\ncontent-length: (\d+)\r\n/i.exec(head)?.[1];
  if (length === undefined) throw new Error("an answer without Content-Length");
  const end = headEnd + 4 + Number(length);
  if (received.length < end) return null;
  return { status: Number(head.slice(9, 12)), body: received.subarray(headEnd + 4, end) };
}
