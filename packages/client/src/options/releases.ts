import { EncodingError } from "@blindbox/encoding";
import { formatRelease, parseRelease, type Release } from "@blindbox/release";
import { wrong } from "./members.ts";

/** More accepted Releases than this are a mistake, and each costs comparisons on every connection. */
const maxReleases = 64;

/**
 * The Releases of `options.release`: one or a list, each an object or its text, all read with the same strictness.
 *
 * @throws TypeError where there is none, or one is no Release.
 */
export function readReleases(value: unknown): readonly Release[] {
  const sources: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (sources.length === 0 || sources.length > maxReleases)
    throw wrong("options.release", `1 to ${maxReleases} Releases`);
  return sources.map(readRelease);
}

function readRelease(source: unknown): Release {
  if (typeof source !== "string" && (typeof source !== "object" || source === null)) {
    throw wrong("options.release", "a Release, or its text");
  }
  try {
    return parseRelease(typeof source === "string" ? source : formatRelease(source as Release));
  } catch (error) {
    if (error instanceof EncodingError)
      throw new TypeError(`options.release is no Release: ${error.message}`, { cause: error });
    throw error;
  }
}
