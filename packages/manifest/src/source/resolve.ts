import type { AccessRule, Limits } from "../access/rule.ts";
import type { AccessRuleSource } from "../access/rule-shape.ts";
import type { App, Manifest, Resources } from "../manifest.ts";
import { DEFAULT_AUDIT, DEFAULT_OPERATIONS } from "../operations-shape.ts";
import { ManifestError } from "../problem.ts";
import { formatManifest, parseManifest } from "../resolved.ts";
import type { AppSource, ImageFacts, ManifestSource } from "./manifest-source.ts";

/** What an application gets where `resources` says nothing. */
export const DEFAULT_RESOURCES: Resources = { memory: 512 * 2 ** 20, cpus: 1000, processes: 128, tmp: 64 * 2 ** 20 };

/** What a rule grants where `limits` says nothing. */
export const DEFAULT_LIMITS: Limits = {
  body: 2 ** 20,
  requestsPerMinute: 600,
  totalPerMinute: 6000,
  concurrent: 32,
  time: 300,
  response: 100 * 2 ** 20,
};

/**
 * Fills in what the source form leaves to the image and to defaults; no default opens anything. The result is as
 * `parseManifest` would read it. Throws ManifestError where the image's own values (its environment, its working
 * directory, a command that neither gives) cannot be accepted.
 */
export function resolveManifest(source: ManifestSource, image: ImageFacts): Manifest {
  const manifest: Manifest = {
    type: "blindbox-manifest/1",
    name: source.name,
    app: resolveApp(source.app, image),
    access: {
      principals: source.access.principals ?? [],
      rules: source.access.rules.map(resolveRule),
      mutualTls: source.access.mutualTls ?? null,
    },
    egress: source.egress ?? [],
    logs: source.logs ?? "none",
    operations: source.operations ?? DEFAULT_OPERATIONS,
    audit: source.audit ?? DEFAULT_AUDIT,
  };
  return parseManifest(formatManifest(manifest));
}

function resolveApp(source: AppSource, image: ImageFacts): App {
  return {
    image: image.digest,
    port: source.port,
    user: source.user ?? image.user,
    command: resolveCommand(source, image),
    workingDir: image.workingDir === "" ? "/" : image.workingDir.replace(/(?<=.)\/+$/, ""),
    env: { ...image.env, ...source.env },
    ready: source.ready ?? null,
    writable: source.writable ?? [],
    resources: { ...DEFAULT_RESOURCES, ...source.resources },
    users: source.users ?? "one",
  };
}

function resolveCommand(source: AppSource, image: ImageFacts): readonly string[] {
  const command = source.command ?? [...image.entrypoint, ...image.command];
  if (command.length > 0) return command;
  throw new ManifestError([
    { path: "app.command", expected: "a command", actual: "none, and none in the image", hint: "write app.command" },
  ]);
}

function resolveRule(source: AccessRuleSource): AccessRule {
  return { headers: {}, upgrade: "none", audit: false, ...source, limits: { ...DEFAULT_LIMITS, ...source.limits } };
}
