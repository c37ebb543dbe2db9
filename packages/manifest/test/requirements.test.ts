import {
  type CheckedRequirement,
  compareRequirement,
  type Egress,
  type Manifest,
  type ManifestRequirement,
  readRequirement,
  type RequiredPrincipal,
} from "@blindbox/manifest";
import { parseManifestSource, resolveManifest } from "@blindbox/manifest/source";
import { describe, expect, it } from "vitest";
import { FULL_YAML, IMAGE, KEY_DIGEST, PIN, ROOT, ROOT_PEM, SMALL_YAML, verifiedRule } from "./documents.ts";

const CLOSED = { websocket: false, recorded: false } as const;

const NOTHING: ManifestRequirement = {
  app: { image: "any" },
  access: { principals: { subsetOf: [] }, ...CLOSED },
  egress: { subsetOf: [], modes: [] },
  logs: "none",
  operations: { health: "live", metrics: "none" },
  audit: false,
};

const ALL_MODES: readonly Egress["mode"][] = ["verified", "passthrough", "http", "tcp"];

function resolve(yaml: string): Manifest {
  return resolveManifest(parseManifestSource(yaml, { format: "yaml" }).manifest, IMAGE);
}

const closed: Manifest = { ...resolve(SMALL_YAML), access: { principals: [], rules: [], mutualTls: null } };

function read(changes: Partial<ManifestRequirement> = {}): CheckedRequirement {
  return readRequirement({ ...NOTHING, ...changes }, "require");
}

/** Paths and actual values of what goes beyond. */
async function beyond(
  manifest: Partial<Manifest>,
  requirement: Partial<ManifestRequirement>,
): Promise<readonly string[]> {
  const differences = await compareRequirement({ ...closed, ...manifest }, read(requirement));
  return differences.map(({ path, actual }) => `${path}: ${actual}`);
}

function egressBeyond(
  rules: readonly Egress[],
  subsetOf: ManifestRequirement["egress"]["subsetOf"],
): Promise<readonly string[]> {
  return beyond({ egress: rules }, { egress: { subsetOf, modes: ALL_MODES } });
}

describe("a requirement", () => {
  it.each(["app", "access", "egress", "logs", "operations", "audit"])(
    "without %s is refused, since silence would allow it",
    (part) => {
      const { [part as "logs"]: _, ...rest } = NOTHING;
      expect(() => readRequirement(rest, "require")).toThrow(TypeError);
      expect(() => readRequirement(rest, "require")).toThrow(
        new RegExp(`^require is not a complete requirement: ${part}: `),
      );
      expect(() => readRequirement({ ...rest, [part]: undefined }, "require")).toThrow(TypeError);
      expect(() => readRequirement({ ...rest, [part]: null }, "require")).toThrow(TypeError);
    },
  );

  it.each<[string, object, string]>([
    ["an image by its name", { app: { image: "acme/app:1" } }, "app.image"],
    ["no image", { app: {} }, "app.image"],
    ["no word on WebSockets", { access: { principals: { subsetOf: [] }, recorded: false } }, "access.websocket"],
    ["no word on records", { access: { principals: { subsetOf: [] }, websocket: false } }, "access.recorded"],
    ["no word on health", { operations: { metrics: "none" } }, "operations.health"],
    ["no word on metrics", { operations: { health: "live" } }, "operations.metrics"],
    ["no principals", { access: { ...CLOSED } }, "access.principals"],
    ["a list of principals", { access: { principals: [], ...CLOSED } }, "access.principals"],
    ["principals without subsetOf", { access: { principals: {}, ...CLOSED } }, "access.principals.subsetOf"],
    [
      "a principal by its id",
      { access: { principals: { subsetOf: ["alice"] }, ...CLOSED } },
      "access.principals.subsetOf[0]",
    ],
    [
      "a principal by its id alone",
      { access: { principals: { subsetOf: [{ id: "a" }] }, ...CLOSED } },
      "access.principals.subsetOf[0]",
    ],
    [
      "anonymous: false",
      { access: { principals: { subsetOf: [{ anonymous: false }] }, ...CLOSED } },
      "access.principals.subsetOf[0].anonymous",
    ],
    [
      "two kinds of one principal",
      { access: { principals: { subsetOf: [{ anonymous: true, apiKey: KEY_DIGEST }] }, ...CLOSED } },
      "access.principals.subsetOf[0]",
    ],
    ["no rules of egress", { egress: { modes: [] } }, "egress.subsetOf"],
    ["no modes", { egress: { subsetOf: [] } }, "egress.modes"],
    ["an unknown mode", { egress: { subsetOf: [], modes: ["open"] } }, "egress.modes[0]"],
    ["any mode", { egress: { subsetOf: [], modes: "any" } }, "egress.modes"],
    [
      "a rule without methods",
      { egress: { subsetOf: [{ host: "a.example", ports: [443], paths: "any" }], modes: [] } },
      "egress.subsetOf[0].methods",
    ],
    [
      "every host",
      { egress: { subsetOf: [{ ...verifiedRule({}), host: "*" }], modes: [] } },
      "egress.subsetOf[0].host",
    ],
    ["an unknown level of logs", { logs: "all" }, "logs"],
    ["an unknown right to audit", { audit: "none" }, "audit"],
    ["auditors in a list", { audit: [] }, "audit"],
    ["an unknown part", { limits: {} }, "limits"],
  ])("with %s is refused by that path", (_, change, path) => {
    const escaped = path.replace(/[.[\]]/g, "\\$&");
    expect(() => readRequirement({ ...NOTHING, ...change }, "require")).toThrow(TypeError);
    expect(() => readRequirement({ ...NOTHING, ...change }, "require")).toThrow(new RegExp(`(?:: |; )${escaped}: `));
  });

  it.each([undefined, null, [], "none", 1])("that is %j is refused", (value) => {
    expect(() => readRequirement(value, "require")).toThrow(TypeError);
  });

  it("takes rules as they are written and as a resolved manifest has them", () => {
    const written = { host: "API.example.com.", ports: [443], methods: "any", paths: "any", roots: ROOT_PEM } as const;
    const { egress } = read({ egress: { subsetOf: [written, verifiedRule({ roots: [ROOT] })], modes: ["verified"] } });
    expect(egress.subsetOf).toEqual([verifiedRule({ roots: [ROOT] }), verifiedRule({ roots: [ROOT] })]);
  });
});

function withoutAudit({ audit, ...material }: Manifest["access"]["principals"][number]): RequiredPrincipal {
  expect(typeof audit).toBe("boolean");
  return material;
}

describe("a manifest by its meaning", () => {
  it("is within what it says itself, and goes beyond nothing at all in every part", async () => {
    const full = resolve(FULL_YAML.replace("logs: none", "logs: app"));
    const itself: ManifestRequirement = {
      app: { image: full.app.image },
      access: {
        principals: { subsetOf: [...full.access.principals.map(withoutAudit), { anonymous: true }] },
        websocket: true,
        recorded: false,
      },
      egress: { subsetOf: full.egress, modes: ALL_MODES },
      logs: "app",
      operations: { health: "ready", metrics: "coarse" },
      audit: true,
    };
    expect(await compareRequirement(full, readRequirement(itself, "require"))).toEqual([]);
    const nothing = { app: { image: KEY_DIGEST }, access: { ...NOTHING.access, recorded: true } };
    expect((await beyond(full, nothing)).map((text) => text.split(":")[0])).toEqual([
      "app.image",
      "access.principals[0]",
      "access.principals[1]",
      "access.principals[2]",
      "access.principals[3]",
      "access.rules[1].allow",
      "access.rules[0].audit",
      "access.rules[1].audit",
      "access.rules[2].upgrade",
      "egress[0]",
      "egress[1]",
      "egress[2]",
      "egress[3]",
      "egress[4]",
      "egress[5]",
      "logs",
      "operations.health",
      "operations.metrics",
      "access.principals[0].audit",
      "access.principals[3].audit",
    ]);
  });

  it("runs the image that is required, or any where that is written", async () => {
    expect(await beyond({}, { app: { image: closed.app.image } })).toEqual([]);
    expect(await beyond({}, { app: { image: KEY_DIGEST } })).toEqual([`app.image: ${closed.app.image}`]);
  });

  it("may log less than is accepted, and no more", async () => {
    const levels = ["none", "metadata", "app"] as const;
    for (const [at, logs] of levels.entries()) {
      for (const [most, accepted] of levels.entries()) {
        expect(await beyond({ logs }, { logs: accepted })).toEqual(at <= most ? [] : [`logs: ${logs}`]);
      }
    }
  });
});

describe("ways out", () => {
  it.each<[string, Egress, Egress[]]>([
    ["a host under an accepted wildcard", verifiedRule({}), [verifiedRule({ host: "*.example.com" })]],
    ["the identical wildcard", verifiedRule({ host: "*.example.com" }), [verifiedRule({ host: "*.example.com" })]],
    ["fewer methods", verifiedRule({ methods: ["GET"] }), [verifiedRule({})]],
    ["fewer paths", verifiedRule({ paths: ["/v1/a"] }), [verifiedRule({ paths: ["/v1/**"] })]],
    ["a folder in a folder", verifiedRule({ paths: ["/v1/a/**"] }), [verifiedRule({ paths: ["/v1/**"] })]],
    ["every folder under any path", verifiedRule({ paths: ["/**"] }), [verifiedRule({ paths: "any" })]],
    ["pins where none are demanded", verifiedRule({ pins: [PIN] }), [verifiedRule({})]],
    ["fewer pins", verifiedRule({ pins: [PIN] }), [verifiedRule({ pins: [KEY_DIGEST, PIN] })]],
    ["fewer roots", verifiedRule({ roots: [ROOT] }), [verifiedRule({ roots: [ROOT] })]],
    ["no WebSocket", verifiedRule({}), [verifiedRule({ websocket: true })]],
    [
      "ports of two rules",
      verifiedRule({ ports: [1, 2] }),
      [verifiedRule({ ports: [1] }), verifiedRule({ ports: [2] })],
    ],
    [
      "methods of two rules",
      verifiedRule({ methods: ["GET", "POST"] }),
      [verifiedRule({ methods: ["GET"] }), verifiedRule({ methods: ["POST"] })],
    ],
  ])("with %s are within", async (_, rule, accepted) => {
    expect(await egressBeyond([rule], accepted)).toEqual([]);
  });

  it.each<[string, Egress, Egress[], string]>([
    ["another host", verifiedRule({}), [verifiedRule({ host: "api.example.org" })], "api.example.com"],
    ["nothing accepted", verifiedRule({}), [], "api.example.com"],
    ["a wildcard over an accepted host", verifiedRule({ host: "*.example.com" }), [verifiedRule({})], "*.example.com"],
    [
      "a wildcard under a wildcard",
      verifiedRule({ host: "*.b.example.com" }),
      [verifiedRule({ host: "*.example.com" })],
      "*.b.example.com",
    ],
    [
      "two labels under a wildcard",
      verifiedRule({ host: "a.b.example.com" }),
      [verifiedRule({ host: "*.example.com" })],
      "a.b.example.com",
    ],
    [
      "a weaker mode",
      { mode: "passthrough", host: "api.example.com", ports: [443] },
      [verifiedRule({})],
      "passthrough",
    ],
    ["another port", verifiedRule({ ports: [443, 8443, 22] }), [verifiedRule({})], "8443, 22"],
    [
      "any method",
      verifiedRule({}),
      [verifiedRule({ methods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] })],
      "any method on any path on port 443",
    ],
    ["any path", verifiedRule({}), [verifiedRule({ paths: ["/**"] })], "any method on any path on port 443"],
    [
      "another method",
      verifiedRule({ methods: ["GET", "PUT"] }),
      [verifiedRule({ methods: ["GET"] })],
      "PUT on any path on port 443",
    ],
    [
      "the folder above",
      verifiedRule({ paths: ["/**"] }),
      [verifiedRule({ paths: ["/v1/**"] })],
      "any method on /** on port 443",
    ],
    [
      "the folder itself",
      verifiedRule({ paths: ["/v1"] }),
      [verifiedRule({ paths: ["/v1/**"] })],
      "any method on /v1 on port 443",
    ],
    [
      "a folder beside",
      verifiedRule({ paths: ["/v10"] }),
      [verifiedRule({ paths: ["/v1", "/v1/**"] })],
      "any method on /v10 on port 443",
    ],
    [
      "a folder for a literal path",
      verifiedRule({ paths: ["/v1/**"] }),
      [verifiedRule({ paths: ["/v1/", "/v1"] })],
      "any method on /v1/** on port 443",
    ],
    [
      "a method of one rule and a path of another",
      verifiedRule({ methods: ["PUT"], paths: ["/a"] }),
      [verifiedRule({ methods: ["PUT"], paths: ["/b"] }), verifiedRule({ methods: ["GET"], paths: ["/a"] })],
      "PUT on /a on port 443",
    ],
    [
      "a method of another port",
      verifiedRule({ ports: [443, 8443], methods: ["PUT"] }),
      [verifiedRule({ methods: ["PUT"] }), verifiedRule({ ports: [8443], methods: ["GET"] })],
      "PUT on any path on port 8443",
    ],
    ["roots of its own", verifiedRule({ roots: [ROOT] }), [verifiedRule({})], "other roots"],
    ["the measured roots", verifiedRule({}), [verifiedRule({ roots: [ROOT] })], "other roots"],
    ["no pins", verifiedRule({}), [verifiedRule({ pins: [PIN] })], "none, or others"],
    ["more pins", verifiedRule({ pins: [PIN, KEY_DIGEST] }), [verifiedRule({ pins: [PIN] })], "none, or others"],
    [
      "the pins of one rule and the roots of another",
      verifiedRule({ pins: [PIN], roots: [ROOT] }),
      [verifiedRule({ pins: [KEY_DIGEST], roots: [ROOT] }), verifiedRule({ pins: [PIN] })],
      "none, or others",
    ],
    ["a WebSocket", verifiedRule({ websocket: true }), [verifiedRule({})], "websocket: true"],
    [
      "an address",
      { mode: "tcp", host: "203.0.113.20", ports: [22], trusts: "network" },
      [{ mode: "tcp", host: "203.0.113.21", ports: [22], trusts: "network" }],
      "203.0.113.20",
    ],
  ])("with %s go beyond", async (_, rule, accepted, actual) => {
    expect(await egressBeyond([rule], accepted)).toEqual([`egress[0]: ${actual}`]);
  });

  it("in a mode that is not accepted go beyond, even where a rule lists them", async () => {
    const rule: Egress = { mode: "passthrough", host: "db.example.com", ports: [5432] };
    const differences = await compareRequirement(
      { ...closed, egress: [verifiedRule({}), rule] },
      read({ egress: { subsetOf: [rule, verifiedRule({})], modes: ["verified"] } }),
    );
    expect(differences).toEqual([
      {
        part: "egress",
        path: "egress[1]",
        expected: "verified",
        actual: "passthrough",
        reason: "the application reaches db.example.com in a mode that the requirement does not accept",
      },
    ]);
  });

  it("are told rule by rule", async () => {
    const rules = [verifiedRule({}), verifiedRule({ host: "a.example.org" }), verifiedRule({ host: "b.example.org" })];
    expect(await egressBeyond(rules, [verifiedRule({})])).toEqual([
      "egress[1]: a.example.org",
      "egress[2]: b.example.org",
    ]);
  });
});
