/** What the vendor does in the demonstration, with the commands that a vendor would type. */
import type { ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Internet } from "./network.ts";
import type { Processes } from "./processes.ts";
import type { Stage } from "./show.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const example = join(root, "examples/transcriber");
const cache = join(root, ".cache/demo");
const cli = join(root, "packages/cli/bin/blindbox.js");

/** Where the demonstration takes place. */
export interface Scene {
  readonly stage: Stage;
  readonly processes: Processes;
  /** A folder of its own, which is removed at the end. */
  readonly folder: string;
}

/** A box on disk, the digest of its Manifest, and the key of the caller that the Manifest admits. */
export interface BuiltBox {
  readonly dir: string;
  readonly manifestDigest: string;
  readonly apiKey: string;
}

/** A box that answers at `url`; `rootFile` holds the simulated vendor's root certificate. */
export interface RunningBox {
  readonly url: string;
  readonly rootFile: string;
  stop(): Promise<void>;
}

/** Runs the command in the scene's folder, and shows it as it would be typed there. */
export function blindbox({ stage, processes, folder }: Scene, args: readonly string[]): Promise<string> {
  stage.command(`blindbox ${args.join(" ")}`);
  return processes.run(process.execPath, [cli, ...args], { cwd: folder, env: environment(folder) });
}

function environment(folder: string): NodeJS.ProcessEnv {
  return { ...process.env, XDG_STATE_HOME: join(folder, "state"), XDG_CACHE_HOME: join(folder, "cache") };
}

/** The vendor's image, made once and kept until one of the files that it is made of changes. Needs a Debian mirror. */
export async function sourceImage({ stage, processes }: Scene): Promise<string> {
  const inputs = ["build-image.sh", "server.py", "../oci-archive.mjs"].map((file) => readFileSync(join(example, file)));
  const hash = createHash("sha256").update(Buffer.concat(inputs)).digest("hex").slice(0, 16);
  const image = join(cache, `transcriber-${hash}.tar`);
  if (existsSync(image)) return image;
  stage.command("examples/transcriber/build-image.sh transcriber.tar");
  stage.line("making a Debian image with PocketSphinx; this is done once and takes about half a minute");
  mkdirSync(cache, { recursive: true });
  const unfinished = `${image}.new`;
  try {
    await processes.run(join(example, "build-image.sh"), [unfinished], { cwd: cache });
    renameSync(unfinished, image);
  } finally {
    rmSync(unfinished, { force: true });
  }
  return image;
}

/** Makes a key, and returns the Manifest with the digest of it where that principal stands. */
async function admit(scene: Scene, id: string, manifest: string): Promise<string> {
  const line = await blindbox(scene, ["keys", "new", "--id", id, "--out", `${id}.key`]);
  const digest = /sha256:[0-9a-f]{64}/.exec(line)?.[0];
  if (digest === undefined) throw new Error("`blindbox keys new` printed no digest");
  return manifest.replace(new RegExp(`(id: ${id}, apiKey: ")[^"]*`), `$1${digest}`);
}

/** The example's Manifest, filled in: without an internet there is nothing to go out to. */
async function writeManifest(scene: Scene, image: string, internet: Internet | null): Promise<void> {
  const source = readFileSync(join(example, internet === null ? "blindbox.yml" : "webhook.yml"), "utf8");
  const roots = internet?.authority.trim().replaceAll("\n", "\n      ") ?? "";
  const filled = source.replace("./transcriber.tar", image).replace(/PUT-HERE-THE-CERTIFICATE.*/, roots);
  const admitted = await admit(scene, "clinic", filled);
  const manifest = internet === null ? admitted : await admit(scene, "auditor", admitted);
  writeFileSync(join(scene.folder, "blindbox.yml"), manifest);
}

/** Makes the keys, writes the Manifest that admits them, and builds the box. */
export async function buildBox(scene: Scene, image: string, internet: Internet | null): Promise<BuiltBox> {
  const { stage, folder } = scene;
  await writeManifest(scene, image, internet);
  const printed = await blindbox(scene, ["build"]);
  const dir = join(folder, "transcriber.blindbox");
  const manifestDigest = /^manifest\s+(sha256:[0-9a-f]{64})$/m.exec(printed)?.[1];
  if (manifestDigest === undefined) throw new Error("`blindbox build` printed no Manifest digest");
  for (const text of printed.trim().split("\n")) stage.line(text.replace(folder, "."));
  return { dir, manifestDigest, apiKey: (await readFile(join(folder, "clinic.key"), "utf8")).trim() };
}

interface ReadyLine {
  readonly url: string;
  readonly root: string;
}

/** Waits for the line with which `blindbox run` says that the box is up. */
function ready(child: ChildProcess): Promise<ReadyLine> {
  return new Promise((resolve, reject) => {
    let text = "";
    let errors = "";
    child.stderr?.setEncoding("utf8").on("data", (chunk: string) => (errors += chunk));
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      const url = /https:\/\/\S+/.exec(text)?.[0];
      const rootFile = /^root\s+(\S.*)$/m.exec(text)?.[1];
      if (url !== undefined && rootFile !== undefined) resolve({ url, root: rootFile });
    });
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`blindbox run ended with code ${code}: ${errors.trim()}`)));
  });
}

/**
 * Starts a box with `blindbox run` on a free port. Whoever makes networks as an ordinary user has capabilities there, which
 * are dropped first: the box gets along without.
 */
export async function startBox(scene: Scene, boxDir: string, internet: Internet | null): Promise<RunningBox> {
  const { stage, processes, folder } = scene;
  const shown = [
    "run",
    boxDir.replace(`${folder}/`, ""),
    ...(internet === null ? [] : ["--resolver", internet.resolver]),
  ];
  stage.command(`blindbox ${shown.join(" ")}`);
  const run = [process.execPath, cli, ...shown, "--listen", "127.0.0.1:0"];
  const args = ["--ambient-caps=-all", "--inh-caps=-all", "--", ...run];
  const child = processes.start("setpriv", args, { cwd: folder, env: environment(folder) });
  const { url, root: rootFile } = await ready(child);
  stage.line(`listening at ${url}`);
  return { url, rootFile, stop: () => processes.end(child) };
}

/** A recording of the sentence, spoken on this machine by flite. */
export async function makeRecording({ stage, processes, folder }: Scene, sentence: string): Promise<Uint8Array> {
  stage.command(`flite -voice slt -t "${sentence}" -o recording.wav`);
  await processes.run("flite", ["-voice", "slt", "-t", sentence, "-o", "recording.wav"], { cwd: folder });
  return new Uint8Array(await readFile(join(folder, "recording.wav")));
}
