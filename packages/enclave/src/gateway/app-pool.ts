/** Connections to the application, kept for the next request. */
import { Pool } from "undici";
import type { AppUpstream } from "../parts.ts";
import { within } from "../within.ts";
import type { GatewayLimits } from "./limits.ts";

/** The application did not accept a connection. */
export class AppUnreachableError extends Error {
  readonly code = "app-unreachable";

  constructor(cause: unknown) {
    super("the application does not accept connections", { cause });
    this.name = "AppUnreachableError";
  }
}

/** There are as many connections as requests under way, and those the access rules bound. */
export function createAppPool(upstream: AppUpstream, limits: GatewayLimits): Pool {
  // The name is never looked up, and never sent: every request carries the caller's Host.
  return new Pool("http://app.invalid", {
    connect: (_, done) => {
      dial(upstream, limits.dial).then(
        (socket) => done(null, socket),
        (cause: unknown) => done(new AppUnreachableError(cause), null),
      );
    },
    pipelining: 1,
    allowH2: false,
    useMilo: false,
    headersTimeout: limits.answer,
    bodyTimeout: limits.answerPause,
    keepAliveTimeout: limits.appIdle,
    keepAliveMaxTimeout: limits.appIdle,
    maxHeaderSize: limits.appHeaderBytes,
  });
}

async function dial(upstream: AppUpstream, ms: number): ReturnType<AppUpstream["dial"]> {
  const dialled = upstream.dial();
  try {
    return (await within(ms, dialled)).setNoDelay(true);
  } catch (error) {
    // A socket that comes too late is nobody's.
    dialled.then(
      (socket) => socket.destroy(),
      () => {},
    );
    throw error;
  }
}
