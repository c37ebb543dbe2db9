import { existsSync } from "node:fs";
import { dirname, extname, resolve } from "node:path";
import { type Manifest, ManifestError, parseManifest, type Problem } from "@blindbox/manifest";
import { type ImageFacts, parseManifestSource, type ManifestSource } from "@blindbox/manifest/source";
import { readInputText } from "./files.ts";
import { CliError, DocumentError } from "./output/failure.ts";
import { placeholderDigest } from "./starter-manifest.ts";

/** A Manifest as it was written, with what it says. */
export interface SourceFile {
  readonly text: string;
  readonly format: "yaml" | "json";
  readonly source: ManifestSource;
}

/** Whoever left the placeholder of `blindbox init` in place needs a key, and no lecture on hashes. */
function withNextStep(text: string, problem: Problem): Problem {
  if (!problem.path.endsWith(".apiKey") || !text.includes(placeholderDigest)) return problem;
  return {
    ...problem,
    actual: "the placeholder",
    hint: "`blindbox keys new` makes a key and prints the line for here",
  };
}

/** Names the file in what a Manifest's reader complains about. `text` is what it reads. */
export async function inDocument<T>(path: string, text: string, read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    throw new DocumentError(
      path,
      error.problems.map((problem) => withNextStep(text, problem)),
    );
  }
}

/** Documents of ours, by their `type`. */
const documents: ReadonlyMap<unknown, string> = new Map([
  ["blindbox-manifest/1", "a resolved Manifest"],
  ["blindbox-release/1", "a release"],
  ["blindbox-runtime/1", "the description of a runtime"],
]);

/** What a text is, where it is none of `blindbox.yml`; null where nothing says so. */
function documentKind(text: string): string | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || !("type" in value)) return null;
    return documents.get(value.type) ?? "a document of another kind";
  } catch {
    return null;
  }
}

/** One sentence for a document of the wrong kind, which would have a problem at every member. */
function refuseSource(path: string, text: string): void {
  const actual = documentKind(text);
  if (actual === null) return;
  const hint = "name the blindbox.yml that the box was built from";
  throw new CliError({ what: path, expected: "a Manifest as it is written", actual, hint });
}

function refuseUnresolved(path: string, text: string): void {
  const kind = documentKind(text);
  if (kind === "a resolved Manifest") return;
  const isSource = /^["'{ \t]*blindbox["']?[ \t]*:/m.test(text);
  const actual = kind ?? (isSource ? "a Manifest as it is written" : "something else");
  const hint = isSource ? "`blindbox build` resolves it: name the box, or the manifest.json in it" : resolvedHint;
  throw new CliError({ what: path, expected: "a resolved Manifest", actual, hint });
}

const resolvedHint = "name the manifest.json that `blindbox build` wrote";

const sourceHint = "`blindbox init` writes a first one";

/** Reads a `blindbox.yml`. Throws a `CliError` or, with every problem in it, a `DocumentError`. */
export async function readManifestSource(path: string): Promise<SourceFile> {
  const text = await readInputText(path, "a Manifest", sourceHint);
  refuseSource(path, text);
  const format = extname(path) === ".json" ? "json" : "yaml";
  return { text, format, source: await inDocument(path, text, () => parseManifestSource(text, { format }).manifest) };
}

/** Reads a resolved Manifest and returns its exact text. Throws like {@link readManifestSource}. */
export async function readResolvedManifest(path: string): Promise<string> {
  const text = await readInputText(path, "a resolved Manifest", resolvedHint);
  refuseUnresolved(path, text);
  await inDocument(path, text, () => parseManifest(text));
  return text;
}

/** A Manifest as its text has it. */
export type EitherManifest =
  | { readonly form: "resolved"; readonly manifest: Manifest }
  | { readonly form: "written"; readonly text: string; readonly source: ManifestSource };

/** Reads a Manifest in either form: its text tells which, the name of its file does not. Throws like {@link readManifestSource}. */
export async function readEitherManifest(path: string): Promise<EitherManifest> {
  const text = await readInputText(path, "a Manifest", sourceHint);
  const kind = documentKind(text);
  if (kind === "a resolved Manifest") {
    return { form: "resolved", manifest: await inDocument(path, text, () => parseManifest(text)) };
  }
  const hint = "name a blindbox.yml, a built box, or the manifest.json in it";
  if (kind !== null) throw new CliError({ what: path, expected: "a Manifest", actual: kind, hint });
  // All JSON is YAML to its reader.
  const { manifest } = await inDocument(path, text, () => parseManifestSource(text, { format: "yaml" }));
  return { form: "written", text, source: manifest };
}

/** Stands for what only the image knows; none of it decides who may call. */
export const anyImage: ImageFacts = {
  digest: `sha256:${"0".repeat(64)}`,
  entrypoint: ["/any"],
  command: [],
  env: {},
  user: { uid: 0, gid: 0 },
  workingDir: "/",
};

/** A path is relative to the Manifest; what is no path goes to the builder as it stands, which says what it makes of it. */
export function imagePath(file: string, image: string): string {
  const path = resolve(dirname(file), image);
  return existsSync(path) || existsSync(image) ? path : image;
}
