import { extname } from "node:path";
import { ManifestError, parseManifest, type Problem } from "@blindbox/manifest";
import { parseManifestSource, type ManifestSource } from "@blindbox/manifest/source";
import { readInputText } from "./files.ts";
import { DocumentError } from "./output/failure.ts";
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

/** Reads a `blindbox.yml`. Throws a `CliError` or, with every problem in it, a `DocumentError`. */
export async function readManifestSource(path: string): Promise<SourceFile> {
  const text = await readInputText(path, "a Manifest", "`blindbox init` writes a first one");
  const format = extname(path) === ".json" ? "json" : "yaml";
  return { text, format, source: await inDocument(path, text, () => parseManifestSource(text, { format }).manifest) };
}

/** Reads a resolved Manifest and returns its exact text. Throws like {@link readManifestSource}. */
export async function readResolvedManifest(path: string): Promise<string> {
  const text = await readInputText(path, "a resolved Manifest", "name the manifest.json that `blindbox build` wrote");
  await inDocument(path, text, () => parseManifest(text));
  return text;
}
