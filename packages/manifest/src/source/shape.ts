import { egressesSourceShape } from "../egress/shape.ts";
import { reportCallers, reportKeyUrls } from "../access/consistency.ts";
import { MAX_PRINCIPALS, principalShape } from "../access/principal-shape.ts";
import type { MutualTls } from "../access/rule.ts";
import { MAX_RULES, ruleSourceShape } from "../access/rule-shape.ts";
import {
  argumentShape,
  BOUNDS,
  commandShape,
  envNameShape,
  literalPathShape,
  nameShape,
  portShape,
  usersShape,
  writableShape,
} from "../fields.ts";
import type { Ready, Resources } from "../manifest.ts";
import { auditSourceShape, operationsSourceShape } from "../operations-shape.ts";
import { reportPortCollisions } from "../ports.ts";
import { checkReferences } from "../references.ts";
import {
  checked,
  described,
  integer,
  list,
  object,
  optional,
  record,
  refined,
  type Shape,
  text,
  word,
} from "../shape/index.ts";
import { cpusShape, methodsSourceShape, userSourceShape } from "./fields.ts";
import type { AccessSource, AppSource, ManifestSource } from "./manifest-source.ts";
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

const rule = ruleSourceShape({ methods: methodsSourceShape, size });

const access: Shape<AccessSource> = refined(
  checked(
    object<AccessSource>({
      principals: optional(list(principalShape("source"), { min: 0, max: MAX_PRINCIPALS })),
      rules: described(list(rule, { min: 0, max: MAX_RULES }), "First match wins; no match is refused."),
      mutualTls: optional(
        described(object<MutualTls>({ port: portShape }), "The listener for callers with client certificates."),
      ),
    }),
    checkReferences,
  ),
  reportCallers,
);

/** The source form of a Manifest, as `blindbox.yml` holds it. */
export const sourceShape: Shape<ManifestSource> = refined(
  object<ManifestSource>({
    blindbox: described(word([1]), "Version of this format."),
    name: nameShape,
    app,
    access,
    egress: optional(described(egressesSourceShape, "Ways out. Left out or empty: none.")),
    logs: optional(described(word(["none", "metadata", "app"]), "What may leave the box as a log. Left out: none.")),
    operations: optional(described(operationsSourceShape, "What the box tells whoever runs it.")),
    audit: optional(described(auditSourceShape, "What the access log keeps, for principals with audit: true.")),
  }),
  ({ access: { principals = [], mutualTls }, egress = [], operations }, at) => {
    reportKeyUrls(principals, egress, at);
    reportPortCollisions(mutualTls, operations, at);
  },
);
