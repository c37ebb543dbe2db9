/**
 * The main job, shown by doing it: wrap a real application, verify the box, send it a confidential recording; then three
 * impostors that get nothing. Exit code 0 only when every step went as it says. Leaves nothing running.
 */
import { readFile } from "node:fs/promises";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AttestationError, SecureSession, simulated } from "@blindbox/client";
import { plainServer, relay, type Impostor } from "./impostors.ts";
import { openStage, type Stage } from "./show.ts";
import { tamperBox } from "./tamper.ts";
import { buildBox, makeRecording, sourceImage, startBox, type BuiltBox, type RunningBox } from "./vendor.ts";

const sentence = "the patient has a history of high blood pressure";

/** What a session is given; the data owner's whole decision. */
interface Demands {
  readonly release: string;
  readonly manifest: string;
  readonly root: string;
  readonly apiKey: string;
}

function connect(url: string, demands: Demands): Promise<SecureSession> {
  return SecureSession.connect(url, {
    release: demands.release,
    require: { manifest: demands.manifest },
    tees: [simulated({ root: demands.root })],
    credentials: { apiKey: demands.apiKey },
  });
}

async function transcribe(url: string, demands: Demands, recording: Uint8Array, stage?: Stage): Promise<string> {
  const session = await connect(url, demands);
  try {
    stage?.findings(session.attestation);
    const form = new FormData();
    form.set("audio", new Blob([recording as Uint8Array<ArrayBuffer>]), "recording.wav");
    const response = await session.post("/transcribe", { body: form });
    if (response.status !== 200) throw new Error(`the app answered ${response.status}`);
    return ((await response.json()) as { text: string }).text;
  } finally {
    await session.close();
  }
}

/** Does what a careless program would do, sends the recording, and returns the error that stopped it. */
async function refusal(url: string, demands: Demands, recording: Uint8Array): Promise<AttestationError> {
  try {
    await transcribe(url, demands, recording);
  } catch (error) {
    if (error instanceof AttestationError) return error;
    throw error;
  }
  throw new Error("the client sent the recording: this demonstration has failed");
}

function showRefusal(stage: Stage, error: AttestationError, expected: string): void {
  if (error.name !== expected) throw new Error(`refused with ${error.name}, not with ${expected}: ${error.message}`);
  stage.line(`${error.name}: ${error.message}`);
  stage.line(`hint: ${error.hint}`);
}

async function againstImpostor(
  stage: Stage,
  impostor: Impostor,
  demands: Demands,
  recording: Uint8Array,
  expected: string,
): Promise<void> {
  try {
    showRefusal(stage, await refusal(impostor.url, demands, recording), expected);
    if (impostor.received() !== 0) throw new Error(`the impostor got ${impostor.received()} bytes`);
    stage.line("bytes of the recording that the impostor received: 0");
  } finally {
    await impostor.close();
  }
}

async function genuine(stage: Stage, box: RunningBox, demands: Demands, recording: Uint8Array): Promise<void> {
  stage.step(
    "The client verifies the box, then sends the recording",
    "every check below held before the first byte left",
  );
  const text = await transcribe(box.url, demands, recording, stage);
  stage.line(`transcript: "${text}"`);
  if (text !== sentence) throw new Error(`the transcript should read "${sentence}"`);
}

async function refusals(
  stage: Stage,
  folder: string,
  built: BuiltBox,
  box: RunningBox,
  demands: Demands,
  recording: Uint8Array,
): Promise<void> {
  stage.step("A plain HTTPS server in the box's place", "no evidence, no data");
  await againstImpostor(stage, await plainServer(), demands, recording, "NotAnEnclaveError");
  stage.step(
    "A relay that ends TLS and forwards the attestation",
    "evidence is bound to one connection, not just to a key",
  );
  await againstImpostor(stage, await relay(new URL(box.url)), demands, recording, "ChannelBindingError");
  await box.stop();
  stage.step(
    "The same box with one byte of the app changed, all digests consistent",
    "what runs is what was published",
  );
  const tampered = join(folder, "tampered.blindbox");
  tamperBox(built.dir, tampered, '"""Speech to text', '"""speech to text');
  const back = await startBox(stage, tampered, folder);
  try {
    showRefusal(stage, await refusal(back.url, demands, recording), "InvalidEnclaveCode");
  } finally {
    await back.stop();
  }
}

async function demonstrate(stage: Stage, folder: string): Promise<void> {
  stage.step(
    "The vendor wraps a speech-to-text service, unmodified",
    "the image goes in as it is; the policy is part of what is measured",
  );
  const built = await buildBox(stage, await sourceImage(stage), folder);
  stage.step("The vendor starts the box on the simulated TEE", "the app runs in its own namespaces, with no way out");
  const box = await startBox(stage, built.dir, folder);
  try {
    stage.step("The data owner has a confidential recording", "real data, made on this machine");
    const recording = await makeRecording(stage, folder, sentence);
    const demands = {
      release: await readFile(join(built.dir, "blindbox.release.json"), "utf8"),
      manifest: built.manifestDigest,
      root: await readFile(box.rootFile, "utf8"),
      apiKey: built.apiKey,
    };
    await genuine(stage, box, demands, recording);
    await refusals(stage, folder, built, box, demands, recording);
  } finally {
    await box.stop();
  }
}

const folder = mkdtempSync(join(tmpdir(), "blindbox-demo-"));
const started = Date.now();
try {
  await demonstrate(openStage(), folder);
  console.log(`\nAll as promised, in ${Math.round((Date.now() - started) / 1000)} s. Nothing is left running.`);
} catch (error) {
  console.error(`\nerror: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
