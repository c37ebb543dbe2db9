import type { RequestListener } from "node:http";
import { SecureSession, type SessionOptions } from "../../src/index.ts";
import { type FakeBox, sendEvidence, startFakeBox } from "./box.ts";
import { evidenceFor } from "./evidence.ts";
import { optionsFor, type World } from "./world.ts";

/** An honest box around an application, with a session to it. */
export interface Honest {
  readonly box: FakeBox;
  readonly session: SecureSession;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function startHonest(
  world: World,
  app: RequestListener,
  changes: Partial<SessionOptions> = {},
): Promise<Honest> {
  const box = await startHonestBox(world, app);
  const session = await SecureSession.connect(box.url, optionsFor(world, changes));
  return {
    box,
    session,
    async [Symbol.asyncDispose]() {
      await box[Symbol.asyncDispose]();
      await session.close();
    },
  };
}

export function startHonestBox(world: World, app: RequestListener): Promise<FakeBox> {
  return startFakeBox({
    identity: world.identity,
    answer: async (asked) => sendEvidence(asked.socket, await evidenceFor(world, asked)),
    app,
  });
}
