import type { Egress, VerifiedEgress } from "@blindbox/manifest";
import * as fc from "fast-check";
import type { ImageFacts } from "@blindbox/manifest/source";

export const KEY_DIGEST: string = `sha256:${"a".repeat(64)}`;

export const PIN: string = `sha256:${"e".repeat(64)}`;

/** A self-signed certificate whose key nobody holds. */
export const ROOT_PEM = `-----BEGIN CERTIFICATE-----
MIIBczCCARigAwIBAgIBATAKBggqhkjOPQQDAjAXMRUwEwYDVQQDDAxFeGFtcGxl
IFJvb3QwIBcNMjYxMTIyMDgxODM3WhgPMjEyNjEwMjkwODE4MzdaMBcxFTATBgNV
BAMMDEV4YW1wbGUgUm9vdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABCYJrNzp
7lJxOoE4br7lXJkCNrU5tjVVG3NLvEing7eEaMGmC1E8K4La7rh91kkF7PhylKqa
Kw8U3ZnmiV4Z746jUzBRMB0GA1UdDgQWBBQX3pIZjGu+/vAPN0P4DMM+4OcpPzAf
BgNVHSMEGDAWgBQX3pIZjGu+/vAPN0P4DMM+4OcpPzAPBgNVHRMBAf8EBTADAQH/
MAoGCCqGSM49BAMCA0kAMEYCIQD+GjhRGVsTZYCJFhEZ8T+HUbFt+eURmyswaLmc
h2kqGAIhAOz8AdLheEgFhvbKrcbdEjCkU149an2rAS/UfirIb/yV
-----END CERTIFICATE-----
`;

/** The same in the resolved form. */
export const ROOT: string = ROOT_PEM.replace(/-----.*-----|\n/g, "");

/** A `verified` rule that allows everything on one host, but for what `members` says. */
export function verifiedRule(members: Partial<VerifiedEgress>): VerifiedEgress {
  const open = { methods: "any", paths: "any", websocket: false, pins: [], roots: null } as const;
  return { mode: "verified", host: "api.example.com", ports: [443], ...open, ...members };
}

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
  users: one
access:
  principals:
    - { id: acme-batch, apiKey: "${KEY_DIGEST}", audit: true }
    - id: acme-staff
      jwt:
        issuer: "https://idp.acme.example"
        audience: transcriber
        keys: { keys: [ { kty: EC, crv: P-256, x: "${"A".repeat(43)}", y: "${"B".repeat(43)}", kid: one } ] }
        algorithms: [ES256]
        requiredClaims: { azp: console, email_verified: true, tenant: [a, b], scope: { word: transcribe }, groups: { item: staff } }
        maxLifetime: 7200
    - { id: acme-host, certificate: { issuer: "sha256:${"b".repeat(64)}", san: { dns: host.acme.example } } }
    - id: acme-admin
      audit: true
      allOf:
        - apiKey: "sha256:${"d".repeat(64)}"
        - jwt:
            issuer: "https://idp.acme.example"
            audience: transcriber
            keys: { url: "https://api.example.com/v1/keys", thumbprints: ["${"A".repeat(43)}"] }
            algorithms: [EdDSA]
            clockSkew: 0
        - certificate: { issuer: "sha256:${"b".repeat(64)}", subject: [ { O: Acme }, { CN: admin } ] }
  rules:
    - { allow: [acme-batch, acme-staff], methods: [POST], path: /whisper/**, limits: { body: 50MiB, requestsPerMinute: 600, concurrent: 32 } }
    - { allow: [anonymous], methods: [any], path: /about }
    - allow: [acme-admin, acme-host]
      methods: [GET, POST]
      path: /live/**
      headers: { x-mode: fast, content-type: [application/json, text/plain], x-debug: { present: false }, x-method-override: [PUT] }
      upgrade: websocket
      audit: true
      limits: { totalPerMinute: 60, time: 3600, response: 1GiB }
  mutualTls: { port: 8444 }
egress:
  - { host: api.example.com, ports: [443], mode: verified, methods: [POST, GET], paths: [/v1/**] }
  - { host: "*.example.com", ports: [443], methods: [any], paths: [/**] }
  - { host: db.example.com, ports: [5432], mode: passthrough }
  - { host: Legacy.Example.org., ports: [80], mode: http, methods: any, paths: any, trusts: network }
  - { host: 203.0.113.20, ports: [22], mode: tcp, trusts: network }
  - host: live.example.org
    ports: [443, 8443]
    methods: [GET]
    paths: any
    websocket: true
    pins: ["${PIN}"]
    roots: |
${ROOT_PEM.replace(/^(?=.)/gm, "      ")}
logs: none
operations: { port: 9464, health: ready, metrics: coarse }
audit: { entries: 500 }
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

const claimTerm = fc.constantFrom<unknown>("a", 7, false, ["a", "b"], { word: "read" }, { item: "staff" });

const token = fc.record(
  {
    issuer: fc.constant("https://idp.example"),
    audience: fc.constantFrom("box", "other"),
    keys: fc.constant({ keys: [{ kty: "OKP", crv: "Ed25519", x: "A".repeat(43) }] }),
    algorithms: fc.subarray(["RS256", "ES256"]).map((others) => ["EdDSA", ...others]),
    requiredClaims: fc.dictionary(fc.stringMatching(/^[a-h]{1,3}$/), claimTerm, { maxKeys: 3, noNullPrototype: true }),
    clockSkew: fc.integer({ min: 0, max: 300 }),
    maxLifetime: fc.integer({ min: 60, max: 86_400 }),
  },
  { requiredKeys: ["issuer", "audience", "keys", "algorithms"], noNullPrototype: true },
);

const certificate = fc.oneof(
  hex64.map((issuer) => ({ issuer, subject: "any" })),
  hex64.map((issuer) => ({ issuer, subject: [{ O: "Acme" }, { CN: "host 1" }] })),
  fc
    .tuple(hex64, fc.constantFrom({ dns: "h.example" }, { uri: "spiffe://h/x" }, { email: "A@h.example" }))
    .map(([issuer, san]) => ({ issuer, san })),
);

const principal = (id: string): fc.Arbitrary<object> =>
  fc.oneof(
    hex64.map((apiKey) => ({ id, apiKey })),
    fc.tuple(hex64, fc.boolean()).map(([apiKey, audit]) => ({ id, apiKey, audit })),
    certificate.map((terms) => ({ id, certificate: terms })),
    fc.tuple(token, fc.boolean()).map(([jwt, audit]) => ({ id, jwt, audit })),
    fc.shuffledSubarray([0, 1, 2], { minLength: 2 }).chain((order) => {
      const factors = [
        hex64.map((apiKey) => ({ apiKey })),
        token.map((jwt) => ({ jwt })),
        certificate.map((terms) => ({ certificate: terms })),
      ];
      return fc.tuple(...order.map((at) => factors[at] ?? fc.constant({}))).map((allOf) => ({ id, allOf: [...allOf] }));
    }),
  );

const ports = fc.uniqueArray(
  port.filter((each) => each !== 53),
  { minLength: 1, maxLength: 3 },
);

const requests = {
  methods: fc.oneof(methods, fc.constant("any")),
  paths: fc.oneof(fc.uniqueArray(path, { minLength: 1, maxLength: 3 }), fc.constant("any")),
};

const network = fc.constant("network");

// Each kind has a host of its own, so that no two of one document overlap and disagree.
const egress = fc.oneof(
  fc.record(
    {
      host: fc.constantFrom("api.example.com", "API.example.com."),
      ports,
      mode: fc.constant("verified"),
      ...requests,
      websocket: fc.constant(true),
      pins: fc.constant([PIN]),
      roots: fc.constant(ROOT_PEM),
    },
    { requiredKeys: ["host", "ports", "methods", "paths", "websocket", "pins", "roots"] },
  ),
  fc.record(
    { host: fc.constant("*.example.org"), ports, mode: fc.constant("verified"), ...requests },
    { requiredKeys: ["host", "ports", "methods", "paths"] },
  ),
  fc.record({ host: fc.constant("db.example.com"), ports, mode: fc.constant("passthrough") }),
  fc.record({ host: fc.constant("plain.example.com"), ports, mode: fc.constant("http"), ...requests, trusts: network }),
  fc.record({
    host: fc.constantFrom("203.0.113.20", "tcp.example.com", "*.example.net"),
    ports,
    mode: fc.constant("tcp"),
    trusts: network,
  }),
);

const resolvedHost = fc.constantFrom("api.example.com", "db.example.com", "*.example.com", "*.b.example.com");
const resolvedPorts = fc.uniqueArray(fc.constantFrom(22, 80, 443, 8443), { minLength: 1, maxLength: 3 });
const resolvedRequests = {
  methods: fc.oneof(
    fc.subarray(["GET" as const, "POST" as const, "PUT" as const], { minLength: 1 }),
    fc.constant("any" as const),
  ),
  paths: fc.oneof(
    fc.subarray(["/", "/v1", "/v1/", "/v1/a", "/v1/**", "/**", "/v1/a/**"], { minLength: 1, maxLength: 3 }),
    fc.constant("any" as const),
  ),
};

/** Any resolved rule over a few hosts, ports and paths, so that two of them often meet. */
export const anyEgress: fc.Arbitrary<Egress> = fc.oneof(
  fc.record({
    mode: fc.constant("verified" as const),
    host: resolvedHost,
    ports: resolvedPorts,
    ...resolvedRequests,
    websocket: fc.boolean(),
    pins: fc.subarray([PIN, KEY_DIGEST]),
    roots: fc.option(fc.subarray([ROOT, "MAMCAQE="], { minLength: 1 })),
  }),
  fc.record({ mode: fc.constant("passthrough" as const), host: resolvedHost, ports: resolvedPorts }),
  fc.record({
    mode: fc.constant("http" as const),
    host: resolvedHost,
    ports: resolvedPorts,
    ...resolvedRequests,
    trusts: fc.constant("network" as const),
  }),
  fc.record({
    mode: fc.constant("tcp" as const),
    host: fc.oneof(resolvedHost, fc.constant("203.0.113.20")),
    ports: resolvedPorts,
    trusts: fc.constant("network" as const),
  }),
);

const resources = fc.record(
  { memory: size, cpus: fc.constantFrom(1, 0.5, 2.125), processes: fc.integer({ min: 1, max: 65_536 }), tmp: size },
  { requiredKeys: [] },
);

const app = fc
  .record(
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
      users: fc.constantFrom("one", "many"),
    },
    { requiredKeys: ["image", "port"] },
  )
  .map((each) => (each.users === "many" ? { ...each, user: 0 } : each));

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
          totalPerMinute: fc.integer({ min: 1, max: 1000 }),
          concurrent: fc.integer({ min: 1, max: 100 }),
          time: fc.integer({ min: 1, max: 86_400 }),
          response: size,
        },
        { requiredKeys: [] },
      ),
      headers: fc.dictionary(
        fc.constantFrom("x-a", "content-type", "x-b"),
        fc.constantFrom<unknown>("a", ["a", "b c"], { present: true }, { present: false }, { oneOf: ["a"] }),
        { maxKeys: 3, noNullPrototype: true },
      ),
      upgrade: fc.constantFrom("none", "websocket"),
      audit: fc.boolean(),
    },
    { requiredKeys: ["allow", "methods", "path"] },
  );
}

const access = fc
  .subarray(["alice", "bob", "carol"])
  .chain((ids) =>
    fc.record(
      {
        principals: fc.tuple(...ids.map(principal)).map((each) => [...each]),
        rules: fc.array(rule(ids), { maxLength: 4 }),
      },
      { requiredKeys: ids.length === 0 ? ["rules"] : ["principals", "rules"] },
    ),
  )
  .map((each) => (JSON.stringify(each).includes('"certificate"') ? { ...each, mutualTls: { port: 8444 } } : each));

/** Any valid source document, as plain JSON. */
export const anySource: fc.Arbitrary<Record<string, unknown>> = fc.record(
  {
    blindbox: fc.constant(1),
    name: fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/),
    app,
    access,
    egress: fc.array(egress, { maxLength: 3 }),
    logs: fc.constantFrom("none", "metadata", "app"),
    operations: fc.oneof(
      fc.record({ health: fc.constant("live") }, { requiredKeys: [], noNullPrototype: true }),
      fc.record(
        {
          port: fc.constantFrom(80, 9464),
          metrics: fc.constantFrom("none", "coarse"),
          health: fc.constantFrom("live", "ready"),
        },
        { requiredKeys: ["port"], noNullPrototype: true },
      ),
    ),
    audit: fc.record({ entries: fc.integer({ min: 100, max: 100_000 }) }, { requiredKeys: [], noNullPrototype: true }),
  },
  { requiredKeys: ["blindbox", "name", "app", "access"] },
);
