import { join } from "node:path";
import { errorFor, NO_CLAIMS, simulated, type AttestationResult, type Finding, type Tee } from "@blindbox/attestation";
import type { AcceptableWarning, VerifyOptions } from "@blindbox/client";
import { EncodingError } from "@blindbox/encoding";
import { manifestDigest } from "@blindbox/manifest";
import { parseRelease } from "@blindbox/release";
import { Option, type Command } from "commander";
import { readInputText } from "../files.ts";
import { readResolvedManifest } from "../manifest-file.ts";
import { CliError } from "../output/failure.ts";
import { simulatedRootPath } from "../places.ts";
import { collect } from "./command.ts";

/** The flags that say what a box must be; the same for every command that talks to one. */
export interface BoxOptions {
  readonly box?: string;
  readonly release?: readonly string[];
  readonly manifest?: string;
  /** Empty where no root was named. */
  readonly simulated?: string;
  readonly accept?: AcceptableWarning;
}

/** Adds the flags of {@link BoxOptions}. */
export function addBoxOptions(command: Command): Command {
  return command
    .option("--box <dir>", "compare with the release and the Manifest of this built box")
    .option("--release <file>", "accept this release; may be given more than once", collect)
    .option("--manifest <digest|file>", "require this Manifest: sha256:…, or the resolved manifest.json")
    .option(
      "--simulated [root]",
      "accept the simulated TEE, which protects nothing; name its root as --simulated=ROOT.pem",
    )
    .addOption(
      new Option("--accept <warning>", "act on this warning as if it were none").choices(["release-unsigned"]),
    );
}

/** Reads everything that the flags name. Throws a `CliError`, or an `AttestationError` where no box could be accepted. */
export async function readBoxOptions(options: BoxOptions): Promise<VerifyOptions> {
  const release = await readReleases(options);
  const manifest = await readRequiredDigest(options);
  const tees = await readTees(options);
  return { release, require: { manifest }, tees, ...(options.accept && { accept: [options.accept] }) };
}

async function readReleases({ box, release }: BoxOptions): Promise<readonly string[]> {
  const files = release ?? (box === undefined ? [] : [join(box, "blindbox.release.json")]);
  if (files.length > 0) return Promise.all(files.map(readRelease));
  throw new CliError({
    what: "what the box should run",
    expected: "--box DIR or --release FILE",
    actual: "neither",
    hint: "name what `blindbox build` wrote, or the release file from whom you trust",
  });
}

async function readRelease(file: string): Promise<string> {
  const hint = "name a blindbox.release.json, as `blindbox build` writes it";
  const text = await readInputText(file, "a release", hint);
  try {
    parseRelease(text);
    return text;
  } catch (error) {
    if (!(error instanceof EncodingError)) throw error;
    throw new CliError({ what: `${file}: ${error.field}`, expected: error.expected, actual: error.actual, hint });
  }
}

function badDigest(text: string): CliError {
  return new CliError({
    what: "--manifest",
    expected: '"sha256:" and 64 lower-case hex digits, or a file',
    actual: `"sha256:" and ${text.length - "sha256:".length} other characters`,
    hint: "`blindbox manifest digest FILE` gives the digest; a file of such a name is named as ./sha256:…",
  });
}

async function readRequiredDigest({ box, manifest }: BoxOptions): Promise<string> {
  if (manifest !== undefined && /^sha256:[0-9a-f]{64}$/.test(manifest)) return manifest;
  if (manifest?.startsWith("sha256:") === true) throw badDigest(manifest);
  const file = manifest ?? (box === undefined ? undefined : join(box, "manifest.json"));
  if (file !== undefined) return manifestDigest(await readResolvedManifest(file));
  throw new CliError({
    what: "the Manifest that the box must enforce",
    expected: "--manifest sha256:…, --manifest FILE or --box DIR",
    actual: "none of them",
    hint: "`blindbox manifest digest FILE` gives the digest of a Manifest that you have read",
  });
}

async function readTees({ simulated: root }: BoxOptions): Promise<readonly Tee[]> {
  if (root === undefined) throw errorFor(refusedUnseen(noHardware));
  const path = root === "" ? simulatedRootPath() : root;
  const hint =
    "`blindbox run` makes the root on its first start; `--simulated=ROOT.pem` names one from another machine";
  const pem = await readInputText(path, "the root certificate of a simulated TEE", hint);
  try {
    return [simulated({ root: pem })];
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new CliError({ what: path, expected: "one root certificate in PEM", actual: "something else", hint });
  }
}

/** This version knows no hardware yet, so where the simulated TEE is not accepted no box can pass. */
const noHardware: Finding = {
  step: "authenticate",
  check: "tee-kind",
  status: "failed",
  expected: "Evidence of a hardware TEE",
  actual: "the simulated TEE, the only one that this version can verify",
  reason: "Nothing was sent: no box could be accepted.",
  hint: "for development, accept a box that protects nothing: add --simulated",
};

function refusedUnseen(finding: Finding): AttestationResult {
  return { status: "contraindicated", tee: null, claims: NO_CLAIMS, findings: [finding] };
}
