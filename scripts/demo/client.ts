/** The data owner's program: verifies a box, sends it a recording, and prints the text. */
import { AttestationError, SecureSession, type SessionOptions, simulated } from "@blindbox/client";
import type { Stage } from "./show.ts";

/** What a session is given; the data owner's whole decision. */
export interface Demands {
  readonly release: string;
  readonly manifest: string;
  readonly root: string;
  readonly apiKey: string;
  /** Ends a request that is under way. */
  readonly signal: AbortSignal;
}

/** What the client library is told. */
export function optionsOf({ release, manifest, root, apiKey }: Demands): SessionOptions {
  return { release, require: { manifest }, tees: [simulated({ root })], credentials: { apiKey } };
}

/** A form as the service takes it. */
export function recordingForm(recording: Uint8Array): FormData {
  const form = new FormData();
  form.set("audio", new Blob([recording as Uint8Array<ArrayBuffer>]), "recording.wav");
  return form;
}

/** The text of a recording. Shows the findings where there is a stage. */
export async function transcribe(url: string, demands: Demands, recording: Uint8Array, stage?: Stage): Promise<string> {
  const session = await SecureSession.connect(url, optionsOf(demands));
  try {
    stage?.findings(session.attestation);
    const response = await session.post("/transcribe", { body: recordingForm(recording), signal: demands.signal });
    if (response.status !== 200) throw new Error(`the app answered ${response.status}`);
    return ((await response.json()) as { text: string }).text;
  } finally {
    await session.close();
  }
}

/** Does what a careless program would do, sends the recording, and returns the error that stopped it. */
export async function refusal(url: string, demands: Demands, recording: Uint8Array): Promise<AttestationError> {
  try {
    await transcribe(url, demands, recording);
  } catch (error) {
    if (error instanceof AttestationError) return error;
    throw error;
  }
  throw new Error("the client sent the recording: this demonstration has failed");
}
