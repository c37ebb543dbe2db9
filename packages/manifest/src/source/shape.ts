import { egressesSourceShape } from "../egress/shape.ts";
import {
  admittedIdShape,
  argumentShape,
  BOUNDS,
  commandShape,
  envNameShape,
  literalPathShape,
  nameShape,
  portShape,
  rulePathShape,
  usersShape,
  writableShape,
} from "../fields.ts";
import type { Limits, Ready, Resources } from "../manifest.ts";
import { principalShape } from "../principals.ts";
import { checkReferences } from "../references.ts";
import { checked, described, integer, list, object, optional, record, type Shape, text, word } from "../shape/index.ts";
import { cpusShape, methodsSourceShape, userSourceShape } from "./fields.ts";
import type { AccessRuleSource, AccessSource, AppSource, ManifestSource } from "./manifest-source.ts";
import { size } from "./size.ts";

const image = text({
  expected: "a path or a registry reference of 1 to 1024 characters",
  pattern: "^[^\\u0000-\\u0020\\u007f\\ud800-\\udfff](?:[^\\u0000-\\u001f\\u007f\\ud800-\\udfff]*)$",
  max: 1024,
});

const resources: Shape<Partial<Resources>> = object<Partial<Resources>>({
  memory: optional(size(BOUNDS.resources.memory)),
  cpus: optional(cpusShape(BOUNDS.resources.cpus)),
  processes: optional(integer(...BOUNDS.resources.processes)),
  tmp: optional(size(BOUNDS.resources.tmp)),
});

const limits: Shape<Partial<Limits>> = object<Partial<Limits>>({
  body: optional(size(BOUNDS.limits.body)),
  requestsPerMinute: optional(integer(...BOUNDS.limits.requestsPerMinute)),
  concurrent: optional(integer(...BOUNDS.limits.concurrent)),
});

const app: Shape<AppSource> = object<AppSource>({
  image: described(image, "OCI layout, OCI or docker archive, or registry reference. Pinned by digest when built."),
  port: described(portShape, "Where the application listens inside its sandbox."),
  user: optional(described(userSourceShape, 'Numeric user, or "user:group". Left out: the image\'s.')),
  command: optional(described(commandShape, "Takes the place of the image's entrypoint and command, both.")),
  env: optional(
    described(record(envNameShape, argumentShape, 256), "Added to the image's. Shown to every client: never a secret."),
  ),
  ready: optional(described(object<Ready>({ path: literalPathShape }), "Asked until it answers with a 2xx.")),
  writable: optional(described(writableShape, "Folders that are writable, and empty at start.")),
  resources: optional(resources),
  users: optional(
    described(usersShape, "many: may change to other users of its image; needs the rooted driver. Left out: one."),
  ),
});

const rule: Shape<AccessRuleSource> = object<AccessRuleSource>({
  allow: list(admittedIdShape, { min: 1, max: 64, unique: true }),
  methods: methodsSourceShape,
  path: described(rulePathShape, "A literal path, or one that ends in /** for everything below that folder."),
  limits: optional(limits),
});

const access: Shape<AccessSource> = checked(
  object<AccessSource>({
    principals: optional(list(principalShape("source"), { min: 0, max: 64 })),
    rules: described(list(rule, { min: 0, max: 128 }), "First match wins; no match is refused."),
  }),
  checkReferences,
);

/** The source form of a Manifest, as `blindbox.yml` holds it. */
export const sourceShape: Shape<ManifestSource> = object<ManifestSource>({
  blindbox: described(word([1]), "Version of this format."),
  name: nameShape,
  app,
  access,
  egress: optional(described(egressesSourceShape, "Ways out. Left out or empty: none.")),
  logs: optional(described(word(["none", "metadata", "app"]), "What may leave the box as a log. Left out: none.")),
});
