/**
 * The main job, shown by doing it: wrap a real application, verify the box, send it a confidential recording; then three
 * impostors that get nothing. Exit code 0 only when every step went as it says. Leaves nothing behind, Ctrl-C or not.
 */
import { readFile } from "node:fs/promises";
import { mkdtempSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { AttestationError, SecureSession, simulated } from "@blindbox/client";
import { plainServer, relay, type Impostor } from "./impostors.ts";
import { Processes } from "./processes.ts";
import { openStage, type Stage } from "./show.ts";
import { tamperBox } from "./tamper.ts";
import {
  buildBox,
  makeRecording,
  sourceImage,
  startBox,
  type BuiltBox,
  type RunningBox,
  type Scene,
} from "./vendor.ts";

const sentence = "the patient has a history of high blood pressure";

/** What a session is given; the data owner's whole decision. */
interface Demands {
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

async function transcribe(url: string, demands: Demands, recording: Uint8Array, stage?: Stage): Promise<string> {
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

async function genuine({ stage }: Scene, box: RunningBox, demands: Demands, recording: Uint8Array): Promise<void> {
  stage.step(
    "The client verifies the box, then sends the recording",
    "every check below held before the first byte left",
  );
  const text = await transcribe(box.url, demands, recording, stage);
  stage.line(`bytes of the recording sent, over that connection: ${recording.length}`);
  stage.line(`transcript: "${text}"`);
  if (text !== sentence) throw new Error(`the transcript should read "${sentence}"`);
}

async function refusals(
  scene: Scene,
  built: BuiltBox,
  box: RunningBox,
  demands: Demands,
  recording: Uint8Array,
): Promise<void> {
  const { stage, processes, folder } = scene;
  stage.step("A plain HTTPS server in the box's place", "no evidence, no data");
  await againstImpostor(stage, await plainServer(processes), demands, recording, "NotAnEnclaveError");
  stage.step(
    "A relay that ends TLS and forwards the attestation",
    "evidence is bound to one connection, not just to a key",
  );
  await againstImpostor(stage, await relay(new URL(box.url), processes), demands, recording, "ChannelBindingError");
  await box.stop();
  stage.step(
    "The same box with one byte of the app changed, all digests consistent",
    "what runs is what was published",
  );
  const tampered = join(folder, "tampered.blindbox");
  tamperBox(built.dir, tampered, '"""Speech to text', '"""speech to text');
  const back = await startBox(scene, tampered);
  try {
    showRefusal(stage, await refusal(back.url, demands, recording), "InvalidEnclaveCode");
  } finally {
    await back.stop();
  }
}

async function demonstrate(scene: Scene): Promise<void> {
  const { stage } = scene;
  stage.step(
    "The vendor wraps a speech-to-text service, unmodified",
    "the image goes in as it is; the policy is part of what is measured",
  );
  const built = await buildBox(scene, await sourceImage(scene));
  stage.step("The vendor starts the box on the simulated TEE", "the app runs in its own namespaces, with no way out");
  const box = await startBox(scene, built.dir);
  try {
    stage.step("The data owner has a confidential recording", "real data, made on this machine");
    const recording = await makeRecording(scene, sentence);
    const demands = {
      release: await readFile(join(built.dir, "blindbox.release.json"), "utf8"),
      manifest: built.manifestDigest,
      root: await readFile(box.rootFile, "utf8"),
      apiKey: built.apiKey,
      signal: scene.processes.signal,
    };
    await genuine(scene, box, demands, recording);
    await refusals(scene, built, box, demands, recording);
  } finally {
    await box.stop();
  }
}

/** Aborted by the first signal that asks this process to end; its reason is that signal's name. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => controller.abort(name));
  return controller.signal;
}

function sayHowItEnded(failure: { readonly error: unknown } | null, signal: AbortSignal, seconds: number): void {
  if (signal.aborted) {
    const name = signal.reason as keyof typeof constants.signals;
    console.error(`\nstopped by ${name}: what was started has ended, and its files are removed`);
    process.exitCode = 128 + constants.signals[name];
  } else if (failure !== null) {
    console.error(`\nerror: ${failure.error instanceof Error ? failure.error.message : String(failure.error)}`);
    process.exitCode = 1;
  } else {
    console.log(`\nAll as promised, in ${seconds} s. Nothing is left running.`);
    console.log("The simulated TEE protects nothing: whoever runs this machine could have read the recording.");
  }
}

const started = Date.now();
const processes = new Processes(interruption());
const folder = mkdtempSync(join(tmpdir(), "blindbox-demo-"));
let failure: { readonly error: unknown } | null = null;
try {
  await demonstrate({ stage: openStage(), processes, folder });
} catch (error) {
  failure = { error };
}
await processes.endAll();
rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
sayHowItEnded(failure, processes.signal, Math.round((Date.now() - started) / 1000));
