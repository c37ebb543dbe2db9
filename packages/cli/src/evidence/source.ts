/** Where Evidence comes from: a file, or a box that is asked for its last document. */
import { request as httpsRequest } from "node:https";
import type { IncomingMessage } from "node:http";
import { EVIDENCE_MEDIA_TYPE, EVIDENCE_PATH, MAX_EVIDENCE_DOCUMENT_BYTES } from "@blindbox/attestation";
import { ConnectionError, TimeoutError } from "@blindbox/client";
import { callBox, readBoxUrl } from "../box-call.ts";
import { MAX_BUNDLE_BYTES } from "../exchange/bundle.ts";
import { readInputBytes } from "../files.ts";
import { CliError } from "../output/failure.ts";

/** Reads a file that must hold something. Throws a `CliError` that says why it cannot be read. */
export async function readEvidenceFile(path: string, hint: string): Promise<Uint8Array> {
  const wanted = { what: path, expected: "Evidence", hint };
  const bytes = await readInputBytes(wanted, MAX_BUNDLE_BYTES);
  if (bytes.length === 0) throw new CliError({ ...wanted, actual: "an empty file" });
  return bytes;
}

/** As long as the client waits for an answer to its attestation request. */
const milliseconds = 30_000;

/** Asks the box at `address` for the last document that it made. Whoever answers is believed nothing. */
export function fetchEvidence(address: string): Promise<Uint8Array> {
  const url = readBoxUrl(address);
  return callBox(url, async () => {
    const response = await ask(url);
    const type = response.headers["content-type"];
    if (response.statusCode !== 200 || type !== EVIDENCE_MEDIA_TYPE) {
      response.destroy();
      throw noEvidence(url, `status ${response.statusCode ?? 0} and another kind of content`);
    }
    return readBody(url, response);
  });
}

function ask(url: URL): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    // A box's certificate is self-signed, and nothing that comes back is believed: it is only shown.
    const options = { agent: false, rejectUnauthorized: false, minVersion: "TLSv1.3" } as const;
    const target = new URL(EVIDENCE_PATH, url.origin);
    const request = httpsRequest(target, { ...options, headers: { accept: EVIDENCE_MEDIA_TYPE } });
    // For the head as a whole: a peer that sends a byte now and then is not waited for.
    const late = setTimeout(() => request.destroy(new TimeoutError("attestation", milliseconds)), milliseconds);
    request.on("close", () => clearTimeout(late));
    // The socket says of itself that it is not connecting after a failure as well.
    let reached: Reached = "nobody";
    request.on("socket", (socket) => {
      socket.once("connect", () => (reached = "somebody"));
      socket.once("secureConnect", () => (reached = "tls"));
    });
    request.on("error", (error) => reject(faultOf(error, reached)));
    request.on("response", (response) => {
      clearTimeout(late);
      resolve(response);
    });
    request.end();
  });
}

/** How far a connection came before it failed. */
type Reached = "nobody" | "somebody" | "tls";

function faultOf(error: Error, reached: Reached): Error {
  if (error instanceof ConnectionError) return error;
  const code = "code" in error && typeof error.code === "string" ? error.code : error.name;
  if (reached === "nobody") return new ConnectionError("unreachable", "connect", code);
  if (reached === "somebody") return new ConnectionError("tls-failed", "connect", code);
  // Node's parser of HTTP names its own errors so.
  return new ConnectionError(code.startsWith("HPE_") ? "malformed-response" : "closed", "attestation", code);
}

async function readBody(url: URL, response: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const late = setTimeout(() => response.destroy(new TimeoutError("attestation", milliseconds)), milliseconds);
  try {
    for await (const chunk of response as AsyncIterable<Uint8Array>) {
      length += chunk.length;
      if (length > MAX_EVIDENCE_DOCUMENT_BYTES) throw noEvidence(url, `more than ${MAX_EVIDENCE_DOCUMENT_BYTES} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof CliError || error instanceof ConnectionError) throw error;
    throw new ConnectionError("closed", "attestation", "no complete answer came");
  } finally {
    clearTimeout(late);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

function noEvidence(url: URL, actual: string): CliError {
  return new CliError({
    what: url.origin,
    expected: "an Evidence document",
    actual,
    hint: "check that this is a box's address",
  });
}
