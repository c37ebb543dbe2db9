import {
  type CheckedRequirement,
  type ManifestRequirement,
  readRequirement,
  REQUIREMENT_PARTS,
} from "@blindbox/manifest";
import { readMembers, wrong } from "./members.ts";

/** Ways in which a box holds its application, by the name that its Statement gives. */
export type SandboxDriver = "rooted" | "unprivileged";

/** What a box must enforce, by meaning and in full: a part that is left out is a TypeError, since it would allow anything. */
export interface RequirementByMeaning extends ManifestRequirement {
  /** The sandbox drivers that are accepted, at least one. */
  readonly sandbox: readonly SandboxDriver[];
}

/** What a box must enforce: one Manifest by its digest, or any Manifest that means no more than this. */
export type Requirement = { readonly manifest: string } | RequirementByMeaning;

/** A {@link Requirement} after every check. */
export type CheckedRequire =
  | { readonly manifest: string }
  | { readonly meaning: CheckedRequirement; readonly sandbox: readonly SandboxDriver[] };

const drivers: readonly SandboxDriver[] = ["rooted", "unprivileged"];

const path = "options.require";

/** @throws TypeError that names every member that is missing, unknown or wrong. */
export function readRequire(value: unknown): CheckedRequire {
  const members = readMembers(value, path, { required: [], optional: ["manifest", ...REQUIREMENT_PARTS, "sandbox"] });
  const stated = Object.keys(members).filter((name) => members[name] !== undefined);
  if (stated.length === 0) throw new TypeError(`${path} is empty: state { manifest }, or every part of a requirement`);
  if (members["manifest"] === undefined) return readMeaning(members);
  const [other] = stated.filter((name) => name !== "manifest");
  if (other === undefined) return { manifest: readDigest(members["manifest"]) };
  throw new TypeError(`${path}.${other} stands beside ${path}.manifest, which says everything: leave one of them out`);
}

function readDigest(manifest: unknown): string {
  if (typeof manifest === "string" && /^sha256:[0-9a-f]{64}$/.test(manifest)) return manifest;
  throw wrong(`${path}.manifest`, "a digest: sha256: and 64 lower-case hexadecimal digits");
}

function readMeaning(members: Readonly<Record<string, unknown>>): CheckedRequire {
  const { sandbox, ...meaning } = members;
  return { meaning: readRequirement(meaning, path), sandbox: readDrivers(sandbox) };
}

function readDrivers(value: unknown): readonly SandboxDriver[] {
  if (value === undefined) throw new TypeError(`${path}.sandbox is missing`);
  if (!Array.isArray(value) || value.length === 0) throw wrong(`${path}.sandbox`, `a list of ${drivers.join(" or ")}`);
  return value.map((each: unknown) => {
    const driver = drivers.find((known) => known === each);
    if (driver === undefined) throw wrong(`${path}.sandbox`, `a list of ${drivers.join(" or ")}`);
    return driver;
  });
}
