/** The data owner's program: verifies a box, sends it a recording, and prints the text. */
import { AttestationError, SecureSession, simulated } from "@blindbox/client";
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

function connect(url: string, demands: Demands): Promise<SecureSession> {
  return SecureSession.connect(url, {
    release: demands.release,
    require: { manifest: demands.manifest },
    tees: [simulated({ root: demands.root })],
    credentials: { apiKey: demands.apiKey },
  });
}

/** The text of a recording. Shows the findings where there is a stage. */
export async function transcribe(url: string, demands: Demands, recording: Uint8Array, stage?: Stage): Promise<string> {
  const session = await connect(url, demands);
  try {
    stage?.findings(session.attestation);
    const form = new FormData();
    form.set("audio", new Blob([recording as Uint8Array<ArrayBuffer>]), "recording.wav");
    const response = await session.post("/transcribe", { body: form, signal: demands.signal });
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
