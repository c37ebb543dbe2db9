/** The command in this process, and an exchange that somebody saved: no box, no connection, no waiting. */
import { X509Certificate } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Writable } from "node:stream";
import { formatRelease } from "@blindbox/release";
import { evidenceFor, makeWorld, type Asked, type World } from "../../client/test/fake-box/index.ts";
import { formatBundle, type Bundle } from "../src/exchange/bundle.ts";
import { reportFailure } from "../src/output/report.ts";
import { createProgram, spellOut } from "../src/program.ts";
import { emptyDirectory, type Run } from "./command.ts";

class Text extends Writable {
  text = "";
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/** Runs `blindbox` in this process; paths have to be absolute. */
export async function run(args: readonly string[]): Promise<Run> {
  const terminal = { stdout: new Text(), stderr: new Text() };
  let code: number | null = 0;
  const finish = (with_: number): void => {
    code = with_;
  };
  try {
    await createProgram({ terminal, finish }).parseAsync(spellOut(args), { from: "user" });
  } catch (error) {
    code = reportFailure(terminal, error);
  }
  return { code, stdout: terminal.stdout.text, stderr: terminal.stderr.text };
}

export interface Kept {
  readonly cwd: string;
  /** The bundle's file. */
  readonly file: string;
  readonly path: (name: string) => string;
  /** What makes the command accept it. */
  readonly flags: readonly string[];
  /** The flag that accepts the simulator, and nothing else. */
  readonly root: string;
  /** Judges the bundle with the flags that accept it. */
  readonly verify: (...more: readonly string[]) => Promise<Run>;
}

let world: World | null = null;

/** A directory with a bundle, a release and a root. */
export async function kept(): Promise<Kept> {
  world ??= await makeWorld();
  const cwd = emptyDirectory();
  const path = (name: string): string => join(cwd, name);
  const release = formatRelease(world.release);
  writeFileSync(path("bundle.json"), formatBundle(await bundleOf(world, release)));
  writeFileSync(path("release.json"), release);
  writeFileSync(path("root.pem"), world.vendor.rootPem);
  const root = `--simulated=${path("root.pem")}`;
  const flags = ["--release", path("release.json"), "--manifest", world.manifestDigest, root];
  const file = path("bundle.json");
  return { cwd, file, path, flags, root, verify: (...more) => run(["verify", "--bundle", file, ...flags, ...more]) };
}

async function bundleOf(right: World, release: string): Promise<Bundle> {
  const [nonce, exporter] = [new Uint8Array(32).fill(7), new Uint8Array(32).fill(9)];
  const asked = { nonce, exporter } as unknown as Asked;
  const key = new X509Certificate(right.identity.cert).publicKey.export({ type: "spki", format: "der" });
  return {
    url: "https://box.example:8443",
    time: Math.floor(Date.now() / 1000),
    exchange: {
      document: await evidenceFor(right, asked),
      nonce,
      channel: { binding: "tls-exporter", exporter },
      peerKey: { tlsSpki: new Uint8Array(key) },
    },
    releases: [release],
    manifest: right.manifestDigest,
  };
}
