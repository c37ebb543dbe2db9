/** `fetch(input, init)` reduced to the parts of a request. */
import { type CheckedInit, readInit } from "./init.ts";
import { readMethod } from "./method.ts";

/** The signature of the platform's `fetch`, for libraries that take one. */
export type SessionFetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** One call of `fetch` after every check. */
export interface FetchCall extends CheckedInit {
  readonly method: string;
  readonly url: string | URL;
}

const members = ["method", "headers", "body", "signal", "duplex", "redirect"];

/**
 * Reads a call of `fetch`. Of `init` it knows method, headers, body, signal, `duplex: "half"` and `redirect: "manual"`.
 *
 * @throws TypeError for any other member, and for a `redirect` that would be followed.
 */
export function readFetchCall(input: string | URL | Request, init: unknown = {}): FetchCall {
  const given = asObject(init);
  const { redirect, duplex } = given;
  if (redirect !== undefined && redirect !== "manual") {
    throw new TypeError('init.redirect must be "manual": a session follows no redirect');
  }
  if (duplex !== undefined && duplex !== "half") throw new TypeError('init.duplex must be "half"');
  const { url, parts } = input instanceof Request ? partsOf(input) : { url: input, parts: { method: "GET" } };
  const merged = { ...parts, ...given };
  const method = readMethod(merged.method ?? "GET");
  return { ...readInit(merged, method, members), method, url };
}

function asObject(init: unknown): Readonly<Record<string, unknown>> {
  if (typeof init === "object" && init !== null) return init as Readonly<Record<string, unknown>>;
  throw new TypeError("init must be an object");
}

interface RequestParts {
  readonly url: string;
  readonly parts: Readonly<Record<string, unknown>>;
}

function partsOf({ url, method, headers, body, signal }: Request): RequestParts {
  return { url, parts: { method, headers, body, signal } };
}
