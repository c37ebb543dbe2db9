import { BuildError } from "../build-error.ts";
import { digestAt } from "./descriptor.ts";
import { type JsonObject, listAt, objectAt, optionalTextAt, parseDocument, textAt, textsAt } from "./json-fields.ts";

/** The parts of an image's config that a box needs (OCI image specification, "Image Configuration"). */
export interface ImageConfig {
  /** `os/architecture`. */
  readonly platform: string;
  /** Digests of the uncompressed layers, lowest first. */
  readonly diffIds: readonly string[];
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  /** `NAME=VALUE`; of two with one name the later wins. */
  readonly env: Readonly<Record<string, string>>;
  /** As written: name or number, and group after a colon; empty for root. */
  readonly user: string;
  /** As written; empty for `/`. */
  readonly workingDir: string;
}

/** The only platform that boxes are built for. */
export const boxPlatform = "linux/amd64";

function parseEnv(value: unknown): Readonly<Record<string, string>> {
  const pairs = textsAt(value, "config.Env").map((line, index): [string, string] => {
    const split = line.indexOf("=");
    if (split > 0) return [line.slice(0, split), line.slice(split + 1)];
    const field = `config.Env[${index}]`;
    throw new BuildError("malformed-image", { field, expected: "NAME=VALUE", actual: "a text without a name" });
  });
  return Object.fromEntries(pairs);
}

function diffIdsOf(config: JsonObject): readonly string[] {
  const rootfs = objectAt(config["rootfs"], "config rootfs");
  const ids = listAt(rootfs["diff_ids"], "config rootfs.diff_ids");
  return ids.map((id, index) => digestAt(id, `config rootfs.diff_ids[${index}]`));
}

/** Reads the config blob. Members that a box does not use (volumes, ports, health checks, labels) are passed over. */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  const config = objectAt(parseDocument(bytes, "image config"), "image config");
  const run = objectAt(config["config"] ?? {}, "config");
  return {
    platform: `${textAt(config["os"], "config os")}/${textAt(config["architecture"], "config architecture")}`,
    diffIds: diffIdsOf(config),
    entrypoint: textsAt(run["Entrypoint"], "config.Entrypoint"),
    command: textsAt(run["Cmd"], "config.Cmd"),
    env: parseEnv(run["Env"]),
    user: optionalTextAt(run["User"], "config.User"),
    workingDir: optionalTextAt(run["WorkingDir"], "config.WorkingDir"),
  };
}

/** Throws unless the config is of the platform that boxes are built for. */
export function checkPlatform(config: ImageConfig): void {
  if (config.platform === boxPlatform) return;
  const hint = "build or pull the image for linux/amd64";
  const problem = { field: "image", expected: boxPlatform, actual: config.platform, hint };
  throw new BuildError("unsupported-platform", problem);
}
