import { join } from "node:path";
import {
  azureUvm,
  azureVtpm,
  createVerifier,
  errorFor,
  type Finding,
  NO_CLAIMS,
  nitro,
  sevSnp,
  simulated,
  strictPolicy,
  tdx,
  type Tee,
} from "@blindbox/attestation";
import type { AcceptableWarning, VerifyOptions } from "@blindbox/client";
import { EncodingError } from "@blindbox/encoding";
import { manifestDigest } from "@blindbox/manifest";
import { parseRelease, referenceTuples, type Release } from "@blindbox/release";
import type { Command } from "commander";
import { readInputText } from "../files.ts";
import { readResolvedManifest } from "../manifest-file.ts";
import { CliError } from "../output/failure.ts";
import { simulatedRootPath } from "../places.ts";
import { readPolicyFile } from "../policy-file.ts";
import { factsOf } from "../type-error.ts";
import { collect } from "./command.ts";

/** The flags that say what a box must be; the same for every command that talks to one. */
export interface BoxOptions {
  readonly box?: string;
  readonly release?: readonly string[];
  readonly manifest?: string;
  /** Empty where no root was named. */
  readonly simulated?: string;
  readonly accept?: readonly string[];
  /** Kinds of hardware that are accepted; left out: all, unless `simulated` is given. */
  readonly tee?: readonly string[];
  /** A file with an Appraisal Policy. */
  readonly policy?: string;
}

/** The kinds of hardware, by the names that the command line takes. */
type HardwareTee = keyof typeof hardware;

const hardware = {
  "sev-snp": () => sevSnp({ uvm: azureUvm() }),
  tdx: () => tdx(),
  nitro: () => nitro(),
  "azure-vtpm": () => azureVtpm({ hardware: [sevSnp(), tdx()] }),
};

function readHardware(word: string): Tee {
  const make = Object.hasOwn(hardware, word) ? hardware[word as HardwareTee] : undefined;
  if (make !== undefined) return make();
  const expected = Object.keys(hardware).join(", ");
  throw new CliError({ what: "--tee", expected, actual: "another word", hint: "repeat it for several kinds" });
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
    .option("--tee <kind>", "accept this kind of hardware only; may be given more than once", collect)
    .option("--policy <file>", "appraise under this policy: JSON that says what differs from the strict one")
    .option(
      "--accept <warning>",
      `act on this warning as if it were none: ${acceptable.join(" or ")}; may be given more than once`,
      collect,
    );
}

const acceptable: readonly AcceptableWarning[] = ["release-unsigned", "debug"];

function readAccepted(word: string): AcceptableWarning {
  const found = acceptable.find((each) => each === word);
  if (found !== undefined) return found;
  const hint = "no other warning can be accepted so: what the policy refuses, an exception in it excuses";
  throw new CliError({ what: "--accept", expected: acceptable.join(" or "), actual: "another word", hint });
}

/** What a box has to be, where it comes from somewhere else than the flags. */
export interface GivenRequirements {
  /** Texts of the releases that are accepted. */
  readonly releases: readonly string[];
  /** Digest of the Manifest that is required. */
  readonly manifest: string;
}

/** Reads everything that the flags name. Throws a `CliError`, or an `AttestationError` where no box could be accepted. */
export async function readBoxOptions(
  options: BoxOptions,
  given: GivenRequirements | null = null,
): Promise<VerifyOptions> {
  const accept = (options.accept ?? []).map(readAccepted);
  const release = given?.releases ?? (await readReleases(options));
  const manifest = given?.manifest ?? (await readRequiredDigest(options));
  const tees = await readTees(options);
  const policy = options.policy === undefined ? {} : { policy: await readPolicyFile(options.policy) };
  // After everything that whoever typed it can put right.
  demandRelease(release, tees);
  for (const text of release) await demandTuples(parseRelease(text), tees);
  return { release, require: { manifest }, tees, ...policy, accept };
}

/** As many as the client takes. */
const maxReleases = 64;

async function readReleases({ box, release }: BoxOptions): Promise<readonly string[]> {
  const files = release ?? (box === undefined ? [] : [join(box, "blindbox.release.json")]);
  if (files.length > maxReleases) {
    const hint = "name the ones that a box may run today";
    const actual = `${files.length}`;
    throw new CliError({ what: "--release", expected: `at most ${maxReleases} releases`, actual, hint });
  }
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

async function readTees({ simulated: root, tee }: BoxOptions): Promise<readonly Tee[]> {
  if (root === undefined) return [...new Set(tee ?? Object.keys(hardware))].map(readHardware);
  if (tee !== undefined) throw bothKinds();
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

function bothKinds(): CliError {
  const hint = "the simulator and hardware are never accepted by one verification";
  return new CliError({ what: "--tee", expected: "it without --simulated", actual: "both", hint });
}

/** A tuple that is not complete is told before anything is asked: it would leave a register uncompared. */
async function demandTuples(release: Release, tees: readonly Tee[]): Promise<void> {
  if (!tees.some((tee) => tee.kind === release.runtime.tee)) return;
  const referenceValues = await referenceTuples(release);
  try {
    createVerifier({ tees, referenceValues, policy: strictPolicy, now: () => new Date(0) });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const { field, expected, actual } = factsOf(error);
    const hint = "a register that is left out would not be compared: ask the release's publisher for a complete tuple";
    const what = `the release ${referenceValues[0]?.release ?? ""}: ${field}`;
    throw new CliError({ what, expected, actual, hint });
  }
}

/** Where no release was measured for a kind that is accepted, no box could pass: nothing is sent to find that out. */
function demandRelease(releases: readonly string[], tees: readonly Tee[]): void {
  const measured = releases.map((text) => parseRelease(text).runtime.tee);
  if (measured.some((kind) => tees.some((tee) => tee.kind === kind))) return;
  const finding: Finding = {
    step: "authenticate",
    check: "tee-kind",
    status: "failed",
    expected: `a release for ${tees.map(({ kind }) => kind).join(" or ")}`,
    actual: `a release for ${[...new Set(measured)].join(" and ")}`,
    reason: "Nothing was sent: no box of this release could be accepted.",
    hint: measured.includes("simulated")
      ? "for development, accept a box that protects nothing: add --simulated"
      : "name the kind that the release was made for with --tee",
  };
  throw errorFor({ status: "contraindicated", tee: null, claims: NO_CLAIMS, findings: [finding] });
}
