import { ManifestError, type Problem } from "../problem.ts";
import { DOCUMENT, documentSite } from "../shape/index.ts";
import type { ManifestSource } from "./manifest-source.ts";
import { sourceShape } from "./shape.ts";
import { type PlainText, readYaml } from "./yaml.ts";

/** How the source form is spelt. */
export interface SourceOptions {
  /** `json` takes JSON only; `yaml` takes the subset of YAML 1.2 that has one meaning, which includes JSON. */
  readonly format: "yaml" | "json";
}

/**
 * Reads `blindbox.yml`. Throws ManifestError with every problem of the text: where, what was expected, what was found.
 * It does not look at the image.
 *
 * @example
 * const { manifest } = parseManifestSource(text, { format: "yaml" });
 */
export function parseManifestSource(text: string, options: SourceOptions): { readonly manifest: ManifestSource } {
  const read = readText(text, options.format);
  const ofShape: Problem[] = [];
  const manifest = read.value === undefined ? undefined : sourceShape.read(read.value, documentSite(ofShape));
  const problems = [...read.problems, ...notSaidBefore(ofShape, read.problems)];
  if (manifest === undefined || problems.length > 0) throw new ManifestError(problems);
  return { manifest };
}

// Where the text already has a problem there is no value, and that it lacks one is no news.
function notSaidBefore(problems: readonly Problem[], before: readonly Problem[]): readonly Problem[] {
  const paths = new Set(before.map((problem) => problem.path));
  return problems.filter((problem) => !paths.has(problem.path));
}

function readText(text: string, format: "yaml" | "json"): PlainText {
  if (format !== "yaml" && format !== "json") throw new TypeError('format must be "yaml" or "json"');
  const read = readYaml(text);
  return format === "yaml" || isJson(text) ? read : { value: undefined, problems: [NOT_JSON, ...read.problems] };
}

const NOT_JSON: Problem = { path: DOCUMENT, expected: "well-formed JSON", actual: "another text" };

// JSON.parse keeps the last of two members with one name, so it only says whether the text is JSON: YAML's reader, which
// takes all JSON, reads it.
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
