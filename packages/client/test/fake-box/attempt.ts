import { AttestationError, type Finding } from "@blindbox/attestation";
import { SecureSession, type SessionOptions } from "../../src/index.ts";
import { type FakeBox, type FakeBoxOptions, startFakeBox } from "./box.ts";
import { apiKey, optionsFor, type World } from "./world.ts";

/** What a client tries to send, and what must never arrive at a box that lies. */
export const secret = "the data owner's secret";

/** How an attempt to send the secret ended, at both ends. */
export interface Attempt {
  readonly error: unknown;
  /** The checks that failed, in their order; empty where the error is no refusal of Evidence. */
  readonly failed: readonly string[];
  /** Every byte behind the attestation request, after the client has closed its connections. */
  readonly received: string;
  /** Heads of the attestation requests. */
  readonly asked: readonly string[];
}

/** Opens a session to a box that answers as told, and tries to send the secret with a credential. */
export async function attempt(
  world: World,
  box: Omit<FakeBoxOptions, "identity"> & Partial<FakeBoxOptions>,
  changes: Partial<SessionOptions> = {},
): Promise<Attempt> {
  await using fake = await startFakeBox({ identity: world.identity, ...box });
  return await attemptOn(fake, fake.url, optionsFor(world, changes));
}

/** The same for a box that runs already, at a URL that may lead to somebody in between. */
export async function attemptOn(box: FakeBox, url: string, options: SessionOptions): Promise<Attempt> {
  const error = await sendSecret(url, options);
  await box.allClosed();
  const asked = box.connections.map((connection) => connection.asked);
  return { error, failed: failedChecks(error), received: box.received(), asked };
}

async function sendSecret(url: string, options: SessionOptions): Promise<unknown> {
  try {
    const session = await SecureSession.connect(url, options);
    const response = await session.post("/secret", { body: secret });
    await response.text();
    await session.close();
    return null;
  } catch (error) {
    return error;
  }
}

function failedChecks(error: unknown): readonly string[] {
  const findings: readonly Finding[] = error instanceof AttestationError ? error.findings : [];
  return findings.filter((finding) => finding.status === "failed").map((finding) => finding.check);
}

/** True where a text holds a part of what only an attested box may get. */
export function leaks(text: string): boolean {
  return text.includes(secret) || text.includes(apiKey) || /authorization|POST \/secret/i.test(text);
}
