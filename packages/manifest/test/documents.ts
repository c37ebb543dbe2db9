import * as fc from "fast-check";
import type { ImageFacts } from "@blindbox/manifest/source";

export const KEY_DIGEST: string = `sha256:${"a".repeat(64)}`;

/** The example of DESIGN section 4, with every section filled in. */
export const FULL_YAML = `
blindbox: 1
name: transcriber
app:
  image: ./transcriber.tar          # a comment
  port: 80
  user: 1000
  ready: { path: /health }
  writable: [/var/lib/app]
  command: [python3, /server.py]
  env: { MODEL: small }
  resources: { memory: 1GiB, cpus: 1, processes: 128, tmp: 256MiB }
access:
  principals:
    - { id: acme-batch, apiKey: "${KEY_DIGEST}" }
    - id: acme-staff
      jwt:
        issuer: "https://idp.acme.example"
        audience: transcriber
        keys: { keys: [ { kty: EC, crv: P-256, x: "AAAA", y: "BBBB", kid: one } ] }
        algorithms: [ES256]
    - { id: acme-host, certificate: { issuer: "sha256:${"b".repeat(64)}" } }
  rules:
    - { allow: [acme-batch, acme-staff], methods: [POST], path: /whisper/**, limits: { body: 50MiB, requestsPerMinute: 600, concurrent: 32 } }
    - { allow: [anonymous], methods: [any], path: /about }
egress:
  - { host: api.example.com, ports: [443], mode: verified, methods: [POST], paths: [/v1/**] }
  - { host: "*.example.com", ports: [443], methods: [any], paths: [/**] }
  - { host: db.example.com, ports: [5432], mode: passthrough }
logs: none
`;

export const SMALL_YAML = `
blindbox: 1
name: echo
app: { image: ./echo, port: 8080 }
access: { rules: [ { allow: [anonymous], methods: [GET], path: /** } ] }
`;

export const IMAGE: ImageFacts = {
  digest: `sha256:${"c".repeat(64)}`,
  entrypoint: ["/bin/echo-server"],
  command: ["--quiet"],
  env: { PATH: "/usr/bin:/bin", MODEL: "large" },
  user: { uid: 65_532, gid: 65_532 },
  workingDir: "/srv/",
};

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

const hex64 = fc.stringMatching(/^[0-9a-f]{64}$/).map((hex) => `sha256:${hex}`);

const methods = fc.oneof(fc.constant(["any"]), fc.subarray(METHODS, { minLength: 1 }));

const path = fc
  .tuple(fc.array(fc.stringMatching(/^[a-z0-9_~@:-]{1,6}$/), { maxLength: 3 }), fc.constantFrom("", "/", "/**"))
  .map(([segments, end]) => segments.map((segment) => `/${segment}`).join("") + end)
  .map((text) => (text === "" ? "/" : text));

const port = fc.integer({ min: 1, max: 65_535 });

const size = fc.constantFrom<string | number>("1024KiB", "1MiB", "50MiB", "1GiB", 1_048_576, 2_097_152);

const principal = (id: string): fc.Arbitrary<object> =>
  fc.oneof(
    hex64.map((apiKey) => ({ id, apiKey })),
    hex64.map((issuer) => ({ id, certificate: { issuer } })),
    fc.constantFrom("ES256", "RS256", "EdDSA").map((algorithm) => ({
      id,
      jwt: {
        issuer: "https://idp.example",
        audience: "box",
        keys: { keys: [{ kty: "OKP", crv: "Ed25519", x: "AAAA" }] },
        algorithms: [algorithm],
      },
    })),
  );

const egress = fc.oneof(
  fc.record(
    {
      host: fc.constantFrom("api.example.com", "*.example.org"),
      ports: fc.uniqueArray(port, { minLength: 1, maxLength: 3 }),
      mode: fc.constant("verified"),
      methods,
      paths: fc.uniqueArray(path, { minLength: 1, maxLength: 3 }),
    },
    { requiredKeys: ["host", "ports", "methods", "paths"] },
  ),
  fc.record({
    host: fc.constant("db.example.com"),
    ports: fc.uniqueArray(port, { minLength: 1, maxLength: 2 }),
    mode: fc.constant("passthrough"),
  }),
);

const resources = fc.record(
  { memory: size, cpus: fc.constantFrom(1, 0.5, 2.125), processes: fc.integer({ min: 1, max: 65_536 }), tmp: size },
  { requiredKeys: [] },
);

const app = fc.record(
  {
    image: fc.constantFrom("./app.tar", "registry.example/app:1"),
    port,
    user: fc.constantFrom<string | number>(0, 1000, "1000:100"),
    command: fc.array(fc.string({ maxLength: 12 }).filter(isPlain), { minLength: 1, maxLength: 3 }),
    env: fc.dictionary(fc.stringMatching(/^[A-Z_]{1,8}$/), fc.string({ maxLength: 12 }).filter(isPlain), {
      maxKeys: 4,
      noNullPrototype: true,
    }),
    ready: fc.record({ path: fc.constantFrom("/", "/health") }),
    writable: fc.subarray(["/data", "/var/lib/app", "/run"]),
    resources,
  },
  { requiredKeys: ["image", "port"] },
);

function isPlain(text: string): boolean {
  return !text.includes("\u0000") && text.isWellFormed();
}

function rule(ids: readonly string[]): fc.Arbitrary<object> {
  return fc.record(
    {
      allow: fc.subarray([...ids, "anonymous"], { minLength: 1 }),
      methods,
      path,
      limits: fc.record(
        {
          body: size,
          requestsPerMinute: fc.integer({ min: 1, max: 1000 }),
          concurrent: fc.integer({ min: 1, max: 100 }),
        },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: ["allow", "methods", "path"] },
  );
}

const access = fc.subarray(["alice", "bob", "carol"]).chain((ids) =>
  fc.record(
    {
      principals: fc.tuple(...ids.map(principal)).map((each) => [...each]),
      rules: fc.array(rule(ids), { maxLength: 4 }),
    },
    { requiredKeys: ids.length === 0 ? ["rules"] : ["principals", "rules"] },
  ),
);

/** Any valid source document, as plain JSON. */
export const anySource: fc.Arbitrary<Record<string, unknown>> = fc.record(
  {
    blindbox: fc.constant(1),
    name: fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/),
    app,
    access,
    egress: fc.array(egress, { maxLength: 3 }),
    logs: fc.constantFrom("none", "metadata", "app"),
  },
  { requiredKeys: ["blindbox", "name", "app", "access"] },
);
