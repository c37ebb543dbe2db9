import { join } from "node:path";
import {
  type CheckedRequirement,
  type Manifest,
  parseManifest,
  type Problem,
  readRequirement,
  REQUIREMENT_PARTS,
} from "@blindbox/manifest";
import { readYaml, resolveManifest } from "@blindbox/manifest/source";
import { isDirectory, readInputText } from "../files.ts";
import { anyImage, inDocument, readEitherManifest, readResolvedManifest } from "../manifest-file.ts";
import { CliError, DocumentError } from "../output/failure.ts";

/** A Manifest to be told about, in whichever form the file has it. */
export interface PolicyInput {
  readonly manifest: Manifest;
  /** The image as it is written; null: the Manifest is resolved, and says all of the application itself. */
  readonly writtenImage: string | null;
}

/** The written form as `blindbox.yml` has it, or the resolved one: a built box, or the `manifest.json` in it. */
export async function readPolicy(path: string): Promise<PolicyInput> {
  if (isDirectory(path)) {
    return { manifest: parseManifest(await readResolvedManifest(join(path, "manifest.json"))), writtenImage: null };
  }
  const read = await readEitherManifest(path);
  if (read.form === "resolved") return { manifest: read.manifest, writtenImage: null };
  const { text, source } = read;
  const manifest = await inDocument(path, text, () => resolveManifest(source, anyImage));
  return { manifest, writtenImage: source.app.image };
}

/** A requirement as a file has it. */
export interface RequirementInput {
  readonly requirement: CheckedRequirement;
  /** Whether it also says something of the sandbox, which no Manifest tells. */
  readonly hasSandbox: boolean;
}

const requirementHint = "`require` of the client: every part has to be there, see docs/manifest.md";

/** Reads a requirement by meaning in YAML or JSON, as a client would pass it to `require`. */
export async function readRequirementFile(path: string): Promise<RequirementInput> {
  const text = await readInputText(path, "a requirement", requirementHint);
  const { value, problems } = readYaml(text);
  if (problems.length > 0) throw new DocumentError(path, problems);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const expected = `a map with ${REQUIREMENT_PARTS.join(", ")}`;
    throw new CliError({ what: path, expected, actual: "something else", hint: requirementHint });
  }
  const { sandbox, ...meaning } = value as Readonly<Record<string, unknown>>;
  if (sandbox !== undefined) refuseUnknownDrivers(path, sandbox);
  return { requirement: readMeaning(path, meaning), hasSandbox: sandbox !== undefined };
}

/** How the library begins its message; the path of the file is no part of it, since that may hold anything. */
const refused = "require is not a complete requirement: ";

function readMeaning(path: string, meaning: object): CheckedRequirement {
  try {
    return readRequirement(meaning, "require");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const { message } = error;
    const actual = message.startsWith(refused) ? message.slice(refused.length) : message;
    throw new CliError({ what: path, expected: "a complete requirement", actual, hint: requirementHint });
  }
}

function refuseUnknownDrivers(path: string, sandbox: unknown): void {
  const isList = Array.isArray(sandbox) && sandbox.length > 0;
  if (isList && sandbox.every((each) => each === "rooted" || each === "unprivileged")) return;
  const problem: Problem = { path: "sandbox", expected: "a list of rooted or unprivileged", actual: "something else" };
  throw new DocumentError(path, [problem]);
}
