/**
 * The main job, shown by doing it: wrap a real application, verify the box, send it a confidential recording; then what the
 * application and the network try, and three impostors that get nothing.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { AttestationError } from "@blindbox/client";
import { refusal, transcribe, type Demands } from "./client.ts";
import { interruption } from "./ending.ts";
import { plainServer, relay, type Impostor } from "./impostors.ts";
import { startInternet, type Internet } from "./network.ts";
import { Processes } from "./processes.ts";
import { openStage, type Stage } from "./show.ts";
import { strangers } from "./strangers.ts";
import { tamperBox } from "./tamper.ts";
import { blindbox, buildBox, makeRecording, startBox, type BuiltBox, type RunningBox, type Scene } from "./vendor.ts";
import { waysOut } from "./ways-out.ts";

const sentence = "the patient has a history of high blood pressure";

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

interface Played {
  readonly scene: Scene;
  readonly internet: Internet | null;
  readonly built: BuiltBox;
  readonly box: RunningBox;
  readonly demands: Demands;
  readonly recording: Uint8Array;
}

async function refusals({ scene, internet, built, box, demands, recording }: Played): Promise<void> {
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
  const back = await startBox(scene, tampered, internet);
  try {
    showRefusal(stage, await refusal(back.url, demands, recording), "InvalidEnclaveCode");
  } finally {
    await back.stop();
  }
}

/** What `blindbox policy explain` says of the way out, which is one of its paragraphs. */
async function readPolicy(scene: Scene, internet: Internet | null): Promise<void> {
  const { stage } = scene;
  stage.step(
    "The data owner reads what the app can reach",
    "the policy is plain words before it is a digest, and that digest is required below",
  );
  const printed = await blindbox(scene, ["policy", "explain", "transcriber.blindbox"]);
  const paragraph = printed.split("\n\n").find((text) => text.startsWith("What the app can reach"));
  if (paragraph === undefined) throw new Error("`blindbox policy explain` says nothing of what the app can reach");
  for (const text of paragraph.trimEnd().split("\n")) stage.line(text);
  await readExposure(scene);
  if (internet !== null) return;
  stage.line("not shown: what a hostile app and network try; that needs a fake internet, so root or user namespaces");
}

/** What `blindbox exposure` says: whoever sees something because of a member of this Manifest, and what. */
async function readExposure(scene: Scene): Promise<void> {
  const { stage } = scene;
  stage.step(
    "The data owner reads who will see what",
    "the list is made of the members that the box enforces, and names them",
  );
  const printed = await blindbox(scene, ["exposure", "transcriber.blindbox", "--target", "simulated"]);
  const [, ...observers] = printed.trimEnd().split("\n\n");
  const isOfManifest = (line: string): boolean => / \[[a-z][^ ]*\]$/i.test(line) || line.includes("EVERYTHING");
  for (const [who = "", ...sees] of observers.map((text) => text.split("\n"))) {
    const shown = sees.filter(isOfManifest);
    if (shown.length > 0) for (const line of [who, ...shown]) stage.line(line);
  }
  stage.line("and what no Manifest changes: addresses, times and sizes, which are left out here");
}

async function demonstrate(scene: Scene, image: string, internet: Internet | null): Promise<void> {
  const { stage } = scene;
  stage.step(
    "The vendor wraps a speech-to-text service, unmodified",
    "the image goes in as it is; the policy is part of what is measured",
  );
  stage.line("image: transcriber.tar, a Debian with PocketSphinx, made by examples/transcriber/build-image.sh");
  const built = await buildBox(scene, image, internet);
  await readPolicy(scene, internet);
  stage.step(
    "The vendor starts the box on the simulated TEE",
    "the app runs in its own namespaces, and every packet of it ends in the box",
  );
  const box = await startBox(scene, built.dir, internet);
  if (internet !== null)
    stage.line(`${internet.resolver} is in a fake internet, a network namespace: no packet leaves this machine`);
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
    await strangers(scene, box, demands, recording, internet !== null);
    if (internet !== null) await waysOut(scene, internet, box, () => transcribe(box.url, demands, recording));
    await refusals({ scene, internet, built, box, demands, recording });
  } finally {
    await box.stop();
  }
}

const [folder = "", image = "", where] = process.argv.slice(2);
const processes = new Processes(interruption());
const scene = { stage: openStage(), processes, folder };
try {
  const internet = where === "with-network" ? await startInternet(scene) : null;
  await demonstrate(scene, image, internet);
} catch (error) {
  process.exitCode = 1;
  if (!processes.signal.aborted) console.error(`\nerror: ${error instanceof Error ? error.message : String(error)}`);
}
await processes.endAll();
