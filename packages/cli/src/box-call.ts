import { ConnectionError } from "@blindbox/client";
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
const flagMistake = /^(path|method|init)\b[\s\S]*$/;

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

function connectionFailure(url: URL, error: ConnectionError): CliError {
  const actual = error.message.replace(`; ${error.hint}`, "");
  const exitCode = exitCodes.unreachable;
  return new CliError({ what: url.origin, expected: "a box that answers", actual, hint: error.hint, exitCode });
}

function requestMistake(error: TypeError): CliError {
  const hint = "`blindbox request --help` lists what can be sent";
  return new CliError({ what: "the request", expected: "one that can be sent", actual: error.message, hint });
}
