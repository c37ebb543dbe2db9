/** The set-up of all benchmarks: an application and a box, each a process of its own, on loopback only. */
import { simulated } from "@blindbox/attestation";
import type { SessionOptions } from "@blindbox/client";
import type { AppReady, AppSettings } from "./app-program.ts";
import type { BoxReady, BoxSettings } from "./box-program.ts";
import { type Child, startChild } from "./child.ts";

export interface Setup extends AsyncDisposable {
  readonly app: Child<AppReady>;
  readonly box: Child<BoxReady>;
}

export async function startSetup(settings: Pick<BoxSettings, "deviceMs"> = { deviceMs: 0 }): Promise<Setup> {
  await using started = new AsyncDisposableStack();
  const anywhere = { host: "127.0.0.1", port: 0 } satisfies AppSettings;
  const app = started.use(await startChild<AppReady>("app-program.ts", anywhere));
  const boxSettings = { ...settings, app: { port: app.ready.port } } satisfies BoxSettings;
  const box = started.use(await startChild<BoxReady>("box-program.ts", boxSettings));
  const both = started.move();
  return { app, box, [Symbol.asyncDispose]: () => both.disposeAsync() };
}

/** Options of a session that accepts the box, under the strict policy. */
export function sessionOptions({ rootPem, release, manifestDigest, apiKey }: BoxReady): SessionOptions {
  return {
    release,
    tees: [simulated({ root: rootPem })],
    require: { manifest: manifestDigest },
    credentials: { apiKey },
  };
}
