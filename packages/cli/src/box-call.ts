import { ConnectionError, TimeoutError, type ConnectionErrorCode, type ConnectionPhase } from "@blindbox/client";
import { exitCodes } from "./output/exit-codes.ts";
import { CliError } from "./output/failure.ts";

/** The URL of a box, or of something inside it. Throws a `CliError` for what is no `https` URL. */
export function readBoxUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol === "https:" && url.username === "" && url.password === "") return url;
  const actual = url === null ? "something else" : url.protocol === "https:" ? "one with a user name" : url.protocol;
  const hint = "`blindbox run` prints the address of its box, https://127.0.0.1:8443 for instance";
  throw new CliError({ what: "the URL", expected: "an https URL", actual, hint });
}

/** Members of the client's options that come from flags: a TypeError about one is the user's mistake, not ours. */
const flagMistake = /^(path|method|init|options\.credentials\.certificate)\b[\s\S]*$/;

/**
 * Talks to the box at `url`, and turns what can go wrong on the way into a `CliError`: no connection, or flags that make no
 * request. What a box proves or fails to prove goes through unchanged.
 */
export async function callBox<T>(url: URL, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof ConnectionError) throw connectionFailure(url, error);
    if (error instanceof TypeError && flagMistake.test(error.message)) throw requestMistake(error);
    throw error;
  }
}

/** What was found, and the next step. */
type Words = readonly [actual: string, hint: string];

const unreachable: ReadonlyMap<string, string> = new Map([
  ["ECONNREFUSED", "nothing that listens there"],
  ["ECONNRESET", "a connection that was cut at once"],
  ["ENOTFOUND", "a name without an address"],
  ["EAI_AGAIN", "no answer from the name service"],
  ["EHOSTUNREACH", "no way to that host"],
  ["ENETUNREACH", "no way to that network"],
  ["ETIMEDOUT", "no answer from that host"],
]);

const nothingSent = "nothing was sent but the attestation request: check what listens there, and try again";
const perhapsDone = "the request may have been carried out: send it again only if that does no harm";

const ended: Readonly<Record<ConnectionPhase, Words>> = {
  connect: ["a connection that was closed at once", nothingSent],
  attestation: ["a connection that was closed without any Evidence", nothingSent],
  headers: ["a connection that was closed before an answer came", perhapsDone],
  body: ["a connection that was closed in the middle of the answer", perhapsDone],
};

const late: Readonly<Record<ConnectionPhase, Words>> = {
  connect: ["no connection", "check the address and the network"],
  attestation: ["no Evidence", nothingSent],
  headers: ["no answer", perhapsDone],
  body: ["nothing more of the answer", perhapsDone],
};

function lateWords(error: ConnectionError): Words {
  const [missing, hint] = late[error.phase];
  const seconds = error instanceof TimeoutError ? ` within ${error.milliseconds / 1000} s` : " in time";
  return [`${missing}${seconds}`, hint];
}

const words: Readonly<Record<ConnectionErrorCode, (error: ConnectionError) => Words>> = {
  unreachable: ({ message, hint }) => {
    const [code = ""] = /\bE[A-Z_]+\b/.exec(message) ?? [];
    return [unreachable.get(code) ?? "no connection", hint];
  },
  "tls-failed": ({ message, hint }) => [
    message.includes("ECONNRESET") ? "a connection that was cut before TLS began" : "something that speaks no TLS 1.3",
    hint,
  ],
  busy: ({ hint }) => ["one that is too busy to attest (status 503)", hint],
  timeout: lateWords,
  closed: (error) => ended[error.phase],
  "malformed-response": ({ hint }) => ["an answer that is no HTTP/1.1", hint],
};

function connectionFailure(url: URL, error: ConnectionError): CliError {
  const [actual, hint] = words[error.code](error);
  return new CliError({
    what: url.origin,
    expected: "a box that answers",
    actual,
    hint,
    exitCode: exitCodes.unreachable,
  });
}

/** The client's words for its options, in those of the command line. */
function asFlags(message: string): string {
  return message
    .replace("init.headers", "--header")
    .replace("init.body", "body")
    .replace("options.credentials.certificate.key", "--cert-key")
    .replace("options.credentials.certificate.cert", "--cert")
    .replace("options.credentials.certificate", "--cert and --cert-key");
}

function requestMistake(error: TypeError): CliError {
  const hint = "`blindbox request --help` lists what can be sent";
  const actual = asFlags(error.message);
  return new CliError({ what: "the request", expected: "one that can be sent", actual, hint });
}
