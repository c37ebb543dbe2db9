import {
  canonicalJson,
  digest,
  EncodingError,
  formatSha256,
  type JsonValue,
  parseCanonicalJson,
  utf8,
} from "@blindbox/encoding";
import { reportCallers, reportKeyUrls } from "./access/consistency.ts";
import { MAX_PRINCIPALS, principalShape } from "./access/principal-shape.ts";
import type { Access, MutualTls } from "./access/rule.ts";
import { MAX_RULES, ruleShape } from "./access/rule-shape.ts";
import { egressesShape } from "./egress/shape.ts";
import {
  argumentShape,
  BOUNDS,
  commandShape,
  digestShape,
  envNameShape,
  literalPathShape,
  nameShape,
  portShape,
  userShape,
  usersShape,
  workingDirShape,
  writableShape,
} from "./fields.ts";
import { MAX_MANIFEST_BYTES, MAX_MANIFEST_DEPTH } from "./limits.ts";
import type { App, Manifest, Ready, Resources } from "./manifest.ts";
import { auditShape, operationsShape } from "./operations-shape.ts";
import { reportPortCollisions } from "./ports.ts";
import { ManifestError, type Problem } from "./problem.ts";
import { checkReferences, checkUsers } from "./references.ts";
import {
  checked,
  DOCUMENT,
  documentSite,
  integer,
  list,
  nullable,
  object,
  record,
  refined,
  type Shape,
  word,
} from "./shape/index.ts";

const resources: Shape<Resources> = object<Resources>({
  memory: integer(...BOUNDS.resources.memory),
  cpus: integer(...BOUNDS.resources.cpus),
  processes: integer(...BOUNDS.resources.processes),
  tmp: integer(...BOUNDS.resources.tmp),
});

const app: Shape<App> = checked(
  object<App>({
    image: digestShape,
    port: portShape,
    user: userShape,
    command: commandShape,
    workingDir: workingDirShape,
    env: record(envNameShape, argumentShape, 256),
    ready: nullable(object<Ready>({ path: literalPathShape })),
    writable: writableShape,
    resources,
    users: usersShape,
  }),
  checkUsers,
);

const access: Shape<Access> = refined(
  checked(
    object<Access>({
      principals: list(principalShape("resolved"), { min: 0, max: MAX_PRINCIPALS }),
      rules: list(ruleShape, { min: 0, max: MAX_RULES }),
      mutualTls: nullable(object<MutualTls>({ port: portShape })),
    }),
    checkReferences,
  ),
  reportCallers,
);

const manifestShape: Shape<Manifest> = refined(
  object<Manifest>({
    type: word(["blindbox-manifest/1"]),
    name: nameShape,
    app,
    access,
    egress: egressesShape,
    logs: word(["none", "metadata", "app"]),
    operations: operationsShape,
    audit: auditShape,
  }),
  ({ access: { principals, mutualTls }, egress, operations }, at) => {
    reportKeyUrls(principals, egress, at);
    reportPortCollisions(mutualTls, operations, at);
  },
);

/**
 * Reads a resolved Manifest from its canonical text, and nothing else: text that is not byte for byte its own canonical
 * form is refused, so that one meaning has one digest. Throws ManifestError with every problem.
 */
export function parseManifest(text: string): Manifest {
  return readManifest(parseText(text));
}

/** The canonical text (RFC 8785) of a Manifest: the bytes that are hashed, measured and sent. Throws ManifestError. */
export function formatManifest(manifest: Manifest): string {
  // An interface has no index signature, so the compiler does not see that a Manifest is JSON all through.
  const text = canonicalJson(readManifest(manifest) as unknown as JsonValue);
  const bytes = utf8(text).length;
  if (bytes > MAX_MANIFEST_BYTES) throw tooLong(bytes);
  return text;
}

/** `sha256:<hex>` of the canonical text: what a Statement and a Release call `manifest`. The text is not parsed. */
export async function manifestDigest(text: string): Promise<string> {
  return formatSha256(await digest("SHA-256", utf8(text)));
}

function readManifest(value: unknown): Manifest {
  const problems: Problem[] = [];
  const manifest = manifestShape.read(value, documentSite(problems));
  if (manifest === undefined || problems.length > 0) throw new ManifestError(problems);
  return manifest;
}

function parseText(text: string): JsonValue {
  try {
    return parseCanonicalJson(text, { maxBytes: MAX_MANIFEST_BYTES, maxDepth: MAX_MANIFEST_DEPTH });
  } catch (error) {
    if (!(error instanceof EncodingError)) throw error;
    throw new ManifestError([{ path: DOCUMENT, expected: error.expected, actual: error.actual }]);
  }
}

function tooLong(bytes: number): ManifestError {
  return new ManifestError([
    { path: DOCUMENT, expected: `at most ${MAX_MANIFEST_BYTES} bytes`, actual: `${bytes} bytes` },
  ]);
}
