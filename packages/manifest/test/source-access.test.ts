import { ManifestError, parseManifest, formatManifest } from "@blindbox/manifest";
import { parseManifestSource, resolveManifest } from "@blindbox/manifest/source";
import { describe, expect, it } from "vitest";
import { FULL_YAML, IMAGE, KEY_DIGEST } from "./documents.ts";

function pathsOf(text: string): readonly string[] {
  try {
    parseManifestSource(text, { format: "yaml" });
  } catch (error) {
    if (error instanceof ManifestError) return error.problems.map(({ path }) => path);
    throw error;
  }
  return [];
}

/** The full document with one text replaced by another. */
function full(from: string, to: string): string {
  const text = FULL_YAML.replace(from, to);
  expect(text).not.toBe(FULL_YAML);
  return text;
}

const A43 = "A".repeat(43);
const JWT = "access.principals[1].jwt";
const KEYS = `${JWT}.keys.keys[0]`;
const HOST = "access.principals[2].certificate";
const ALL = "access.principals[3].allOf";
const RULE = "access.rules[2]";
const PINNED = `${ALL}[1].jwt.keys`;
const inlineKey = `{ kty: EC, crv: P-256, x: "${A43}", y: "${"B".repeat(43)}", kid: one }`;
const urlOf = (url: string): string => full("https://api.example.com/v1/keys", url);
const HOST_SAN = "san: { dns: host.acme.example }";
const KEY_FACTOR = `- apiKey: "sha256:${"d".repeat(64)}"`;
const CERTIFICATE_FACTOR = `- certificate: { issuer: "sha256:${"b".repeat(64)}", subject: [ { O: Acme }, { CN: admin } ] }`;

const withoutWildcard = (text: string): string =>
  text.replace('"*.example.com", ports: [443]', '"*.example.com", ports: [9443]');

describe("tokens in blindbox.yml", () => {
  it.each<[string, string, string]>([
    ["HS256", full("[ES256]", "[ES256, HS256]"), `${JWT}.algorithms[1]`],
    ["no algorithm", full("[ES256]", "[]"), `${JWT}.algorithms`],
    ["none", full("[ES256]", "[none]"), `${JWT}.algorithms[0]`],
    ["an algorithm twice", full("[ES256]", "[ES256, ES256]"), `${JWT}.algorithms[1]`],
    ["an algorithm that no key can use", full("[ES256]", "[EdDSA]"), KEYS],
    ["a key that names another algorithm", full("kid: one", "alg: ES384"), KEYS],
    ["a point that is too short", full(`x: "${A43}"`, `x: "${A43.slice(1)}"`), `${KEYS}.x`],
    ["another curve", full("crv: P-256", "crv: secp256k1"), KEYS],
    ["a short RSA key", full(inlineKey, `{ kty: RSA, n: "${"A".repeat(171)}", e: AQAB }`), `${KEYS}.n`],
    ["a small exponent", full(inlineKey, `{ kty: RSA, n: "${"A".repeat(342)}", e: Aw }`), `${KEYS}.e`],
    [
      "a private RSA key",
      full(inlineKey, `{ kty: RSA, n: "${"A".repeat(342)}", e: AQAB, d: AAAA }`).replace("[ES256]", "[RS256]"),
      `${KEYS}.d`,
    ],
    ["a key that encrypts", full("kid: one", "use: enc"), `${KEYS}.use`],
    ["no keys", full(`keys: [ ${inlineKey} ]`, "keys: []"), `${JWT}.keys.keys`],
    ["keys by URL alone", full(`, thumbprints: ["${A43}"]`, ""), `${PINNED}.thumbprints`],
    ["keys by thumbprint alone", full('url: "https://api.example.com/v1/keys", ', ""), `${PINNED}.url`],
    [
      "keys in two ways",
      full(`keys: [ ${inlineKey} ]`, `keys: [], url: "https://api.example.com/v1/keys", thumbprints: ["${A43}"]`),
      `${JWT}.keys.keys`,
    ],
    ["no thumbprints", full(`["${A43}"]`, "[]"), `${PINNED}.thumbprints`],
    ["a thumbprint in hex", full(`["${A43}"]`, `["${"a".repeat(64)}"]`), `${PINNED}.thumbprints[0]`],
    ["a thumbprint with padding", full(`["${A43}"]`, `["${A43}="]`), `${PINNED}.thumbprints[0]`],
    ["a thumbprint with loose bits", full(`["${A43}"]`, `["${A43.slice(1)}B"]`), `${PINNED}.thumbprints[0]`],
    ["a thumbprint twice", full(`["${A43}"]`, `["${A43}", "${A43}"]`), `${PINNED}.thumbprints[1]`],
    ["keys without TLS", urlOf("http://api.example.com/v1/keys"), `${PINNED}.url`],
    ["keys at a host that no rule names", urlOf("https://keys.example.org/v1/keys"), `${PINNED}.url`],
    ["keys at another port", urlOf("https://api.example.com:8443/v1/keys"), `${PINNED}.url`],
    ["keys at a path that no rule names", withoutWildcard(urlOf("https://api.example.com/keys")), `${PINNED}.url`],
    [
      "keys where none may GET",
      withoutWildcard(full("methods: [POST, GET], paths: [/v1/**]", "methods: [POST], paths: [/v1/**]")),
      `${PINNED}.url`,
    ],
    ["keys in a weaker mode", urlOf("https://db.example.com:5432/"), `${PINNED}.url`],
    ["keys behind a user", urlOf("https://me@api.example.com/v1/keys"), `${PINNED}.url`],
    ["keys with a fragment", urlOf("https://api.example.com/v1/keys#x"), `${PINNED}.url`],
    ["keys above the path", urlOf("https://api.example.com/v1/../keys"), `${PINNED}.url`],
    ["keys at an address", urlOf("https://203.0.113.20/v1/keys"), `${PINNED}.url`],
    ["an audience in a list", full("audience: transcriber", "audience: [transcriber]"), `${JWT}.audience`],
    ["an unknown member", full("maxLifetime: 7200", "maxAge: 7200"), `${JWT}.maxAge`],
    ["a life without end", full("maxLifetime: 7200", "maxLifetime: 86401"), `${JWT}.maxLifetime`],
    ["a life of seconds", full("maxLifetime: 7200", "maxLifetime: 59"), `${JWT}.maxLifetime`],
    ["a skew of hours", full("clockSkew: 0", "clockSkew: 301"), `${ALL}[1].jwt.clockSkew`],
    ["a skew below nothing", full("clockSkew: 0", "clockSkew: -1"), `${ALL}[1].jwt.clockSkew`],
    ["a skew with a fraction", full("clockSkew: 0", "clockSkew: 0.5"), `${ALL}[1].jwt.clockSkew`],
    ["a claim that is the issuer", full("azp: console", "iss: console"), `${JWT}.requiredClaims.iss`],
    ["a claim that is the audience", full("azp: console", "aud: console"), `${JWT}.requiredClaims.aud`],
    ["a claim that is a time", full("azp: console", "exp: 1"), `${JWT}.requiredClaims.exp`],
    ["a claim called __proto__", full("azp: console", "__proto__: x"), `${JWT}.requiredClaims.__proto__`],
    ["a claim that is null", full("azp: console", "azp: null"), `${JWT}.requiredClaims.azp`],
    ["a claim with a fraction", full("azp: console", "azp: 1.5"), `${JWT}.requiredClaims.azp`],
    ["a claim without values", full("[a, b]", "[]"), `${JWT}.requiredClaims.tenant`],
    ["a claim with a value twice", full("[a, b]", "[a, a]"), `${JWT}.requiredClaims.tenant[1]`],
    ["a claim with numbers", full("[a, b]", "[a, 2]"), `${JWT}.requiredClaims.tenant[1]`],
    ["a claim of two words", full("word: transcribe", "word: a b"), `${JWT}.requiredClaims.scope.word`],
    ["a claim of word and item", full("word: transcribe", "word: a, item: b"), `${JWT}.requiredClaims.scope.item`],
    ["a claim of a pattern", full("word: transcribe", "pattern: a.*"), `${JWT}.requiredClaims.scope`],
    [
      "too many claims",
      full("azp: console", Array.from({ length: 13 }, (_, at) => `c${at}: x`).join(", ")),
      `${JWT}.requiredClaims`,
    ],
  ])("are refused with %s", (_, text, path) => {
    expect(pathsOf(text)).toContain(path);
    expect(pathsOf(text).filter((each) => !each.startsWith(path))).toEqual([]);
  });

  it("may have keys below a wildcard of the egress rules, and a query", () => {
    expect(pathsOf(urlOf("https://keys.example.com/jwks?p=1"))).toEqual([]);
  });
});

describe("certificates in blindbox.yml", () => {
  it.each<[string, string, string]>([
    ["nothing to tell holders apart", full(`, ${HOST_SAN}`, ""), HOST],
    ["no issuer", full(`issuer: "sha256:${"b".repeat(64)}", ${HOST_SAN}`, HOST_SAN), `${HOST}.issuer`],
    ["an issuer by its name", full(`"sha256:${"b".repeat(64)}"`, "Acme CA"), `${HOST}.issuer`],
    ["a wildcard", full("host.acme.example", '"*.acme.example"'), `${HOST}.san.dns`],
    ["a name in capitals", full("host.acme.example", "Host.acme.example"), `${HOST}.san.dns`],
    ["a URI without scheme", full("dns: host.acme.example", "uri: host"), `${HOST}.san.uri`],
    ["an address without host", full("dns: host.acme.example", "email: me"), `${HOST}.san.email`],
    ["two alternative names", full("dns: host.acme.example", "dns: a.example, uri: a:b"), `${HOST}.san.uri`],
    ["an unknown kind of name", full("dns: host.acme.example", "ip: 192.0.2.1"), `${HOST}.san`],
    ["no subject", full("[ { O: Acme }, { CN: admin } ]", "[]"), `${ALL}[2].certificate.subject`],
    ["a subject in one text", full("[ { O: Acme }, { CN: admin } ]", '"CN=admin"'), `${ALL}[2].certificate.subject`],
    ["an unknown attribute", full("{ O: Acme }", "{ X: Acme }"), `${ALL}[2].certificate.subject[0]`],
    ["two attributes at once", full("{ O: Acme }", "{ O: Acme, OU: x }"), `${ALL}[2].certificate.subject[0]`],
    ["an empty attribute", full("{ O: Acme }", '{ O: "" }'), `${ALL}[2].certificate.subject[0].O`],
    ["a pin of the certificate", full(HOST_SAN, `${HOST_SAN}, pin: x`), `${HOST}.pin`],
    ["no listener for them", full("  mutualTls: { port: 8444 }\n", ""), "access.mutualTls"],
    ["a listener at the box's port", full("port: 8444", "port: 8443"), "access.mutualTls.port"],
    ["a listener without port", full("{ port: 8444 }", "{}"), "access.mutualTls.port"],
  ])("are refused with %s", (_, text, path) => {
    expect(pathsOf(text)).toEqual([path]);
  });

  it("of everybody are accepted where that is written", () => {
    expect(pathsOf(full(HOST_SAN, "subject: any"))).toEqual([]);
  });

  it("need their listener, and without them there is none", () => {
    const none = FULL_YAML.replace(/ {4}- \{ id: acme-host.*\n/, "")
      .replace(CERTIFICATE_FACTOR, "")
      .replace(", acme-host]", "]");
    expect(pathsOf(none)).toEqual(["access.mutualTls"]);
    expect(pathsOf(none.replace("  mutualTls: { port: 8444 }\n", ""))).toEqual([]);
  });
});

describe("callers with several credentials in blindbox.yml", () => {
  it.each<[string, string, string]>([
    ["one credential", full(KEY_FACTOR, "").replace(CERTIFICATE_FACTOR, ""), ALL],
    ["one kind twice", full(CERTIFICATE_FACTOR, `- apiKey: "${KEY_DIGEST}"`), `${ALL}[2]`],
    ["four", full(KEY_FACTOR, `${KEY_FACTOR}\n        ${KEY_FACTOR}`), ALL],
    ["an unknown kind", full(KEY_FACTOR, "- password: x"), `${ALL}[0]`],
    ["a combination in a combination", full(KEY_FACTOR, "- allOf: []"), `${ALL}[0]`],
    ["two kinds in one", full(KEY_FACTOR, `- { apiKey: "${KEY_DIGEST}", anonymous: true }`), `${ALL}[0]`],
    ["an id within", full(KEY_FACTOR, `- { apiKey: "${KEY_DIGEST}", id: x }`), `${ALL}[0].id`],
    [
      "a credential beside them",
      full("      allOf:", `      apiKey: "sha256:${"9".repeat(64)}"\n      allOf:`),
      "access.principals[3]",
    ],
  ])("are refused with %s", (_, text, path) => {
    expect(pathsOf(text)).toEqual([path]);
  });

  it("may share a key with a caller that has it alone", () => {
    expect(pathsOf(full(KEY_FACTOR, `- apiKey: "${KEY_DIGEST}"`))).toEqual([]);
  });
});

describe("the same caller twice", () => {
  const other = (lines: string): string => full("    - { id: acme-host", `${lines}\n    - { id: acme-host`);

  it("is refused, whatever it is called", () => {
    const host = `{ issuer: "sha256:${"b".repeat(64)}", ${HOST_SAN} }`;
    expect(pathsOf(other(`    - { id: other, certificate: ${host} }`))).toEqual(["access.principals[3]"]);
  });

  it("is refused where the same credentials stand in another order", () => {
    const [first, second] = [`apiKey: "${KEY_DIGEST}"`, `certificate: { issuer: "${KEY_DIGEST}", subject: any }`];
    const twice = `    - { id: x, allOf: [{ ${first} }, { ${second} }] }\n    - { id: y, allOf: [{ ${second} }, { ${first} }] }`;
    expect(pathsOf(other(twice))).toEqual(["access.principals[3]"]);
  });
});

describe("rules in blindbox.yml", () => {
  const header = (condition: string): string => full("x-mode: fast", condition);

  it.each<[string, string, string]>([
    ["a credential as condition", header("authorization: x"), `${RULE}.headers.authorization`],
    ["a cookie as condition", header("cookie: x"), `${RULE}.headers.cookie`],
    ["the host as condition", header("host: x"), `${RULE}.headers.host`],
    ["framing as condition", header("content-length: '1'"), `${RULE}.headers.content-length`],
    ["a header of the box as condition", header("x-blindbox-principal: x"), `${RULE}.headers.x-blindbox-principal`],
    ["a header of proxies as condition", header("x-forwarded-for: x"), `${RULE}.headers.x-forwarded-for`],
    ["a name in capitals", header("X-Mode: x"), `${RULE}.headers.X-Mode`],
    ["a name with an underscore", header("x_mode: x"), `${RULE}.headers.x_mode`],
    ["a value with a line break", header('x-mode: "a\\nb"'), `${RULE}.headers.x-mode`],
    ["a value with white space around", header('x-mode: " a"'), `${RULE}.headers.x-mode`],
    ["an empty value", header('x-mode: ""'), `${RULE}.headers.x-mode`],
    ["no values", header("x-mode: []"), `${RULE}.headers.x-mode`],
    ["a value twice", header("x-mode: [a, a]"), `${RULE}.headers.x-mode[1]`],
    ["a number as value", header("x-mode: 1"), `${RULE}.headers.x-mode`],
    ["presence in words", header("x-mode: { present: yes }"), `${RULE}.headers.x-mode.present`],
    ["a pattern as condition", header("x-mode: { matches: a }"), `${RULE}.headers.x-mode`],
    [
      "any method by a header",
      full("x-method-override: [PUT]", "x-method-override: { present: true }"),
      `${RULE}.headers.x-method-override`,
    ],
    [
      "an unknown method by a header",
      full("x-method-override: [PUT]", "x-method-override: [PUT, put]"),
      `${RULE}.headers.x-method-override`,
    ],
    ["nine conditions", header(Array.from({ length: 6 }, (_, at) => `x-${at}: a`).join(", ")), `${RULE}.headers`],
    ["another upgrade", full("upgrade: websocket", "upgrade: h2c"), `${RULE}.upgrade`],
    ["an upgrade in truth", full("upgrade: websocket", "upgrade: true"), `${RULE}.upgrade`],
    ["a record in words", full("      audit: true\n      limits", "      audit: yes\n      limits"), `${RULE}.audit`],
    ["no time", full("time: 3600", "time: 0"), `${RULE}.limits.time`],
    ["time without end", full("time: 3600", "time: 86401"), `${RULE}.limits.time`],
    ["an answer without end", full("response: 1GiB", "response: 65GiB"), `${RULE}.limits.response`],
    ["no requests in all", full("totalPerMinute: 60", "totalPerMinute: 0"), `${RULE}.limits.totalPerMinute`],
    ["an unknown limit", full("totalPerMinute: 60", "requests: 60"), `${RULE}.limits.requests`],
  ])("are refused with %s", (_, text, path) => {
    expect(pathsOf(text)).toEqual([path]);
  });

  it("are read into the one form that conditions have", () => {
    const { manifest } = parseManifestSource(FULL_YAML, { format: "yaml" });
    expect(manifest.access.rules[2]?.headers).toEqual({
      "x-mode": { oneOf: ["fast"] },
      "content-type": { oneOf: ["application/json", "text/plain"] },
      "x-debug": { present: false },
      "x-method-override": { oneOf: ["PUT"] },
    });
  });
});

describe("what the box tells whoever runs it, in blindbox.yml", () => {
  const operations = (to: string): string => full("{ port: 9464, health: ready, metrics: coarse }", to);

  it.each<[string, string, string]>([
    ["metrics without a port", operations("{ metrics: coarse }"), "operations.metrics"],
    ["health of the application without a port", operations("{ health: ready }"), "operations.health"],
    ["finer metrics", operations("{ port: 9464, metrics: fine }"), "operations.metrics"],
    ["no health", operations("{ health: none }"), "operations.health"],
    ["the port of callers", operations("{ port: 8443 }"), "operations.port"],
    ["the port of client certificates", operations("{ port: 8444 }"), "operations.port"],
    ["no port", operations("{ port: null }"), "operations.port"],
    ["an unknown member", operations("{ traces: all }"), "operations.traces"],
    ["a short memory", full("{ entries: 500 }", "{ entries: 99 }"), "audit.entries"],
    ["a memory without end", full("{ entries: 500 }", "{ entries: 100001 }"), "audit.entries"],
    ["auditors in another place", full("{ entries: 500 }", "{ allow: [acme-batch] }"), "audit.allow"],
  ])("is refused with %s", (_, text, path) => {
    expect(pathsOf(text)).toEqual([path]);
  });

  it("is as little as can be where nothing is said", () => {
    const { manifest } = parseManifestSource(operations("{}").replace("{ entries: 500 }", "{}"), { format: "yaml" });
    expect(manifest.operations).toEqual({ port: null, health: "live", metrics: "none" });
    expect(manifest.audit).toEqual({ entries: 10_000 });
  });
});

describe("the resolved form", () => {
  const text = formatManifest(resolveManifest(parseManifestSource(FULL_YAML, { format: "yaml" }).manifest, IMAGE));

  it.each<[string, string]>([
    ['"audit":{"entries":500},', "audit"],
    ['"mutualTls":{"port":8444},', "access.mutualTls"],
    ['"operations":{"health":"ready","metrics":"coarse","port":9464},', "operations"],
    [',"upgrade":"websocket"', "access.rules[2].upgrade"],
    ['"headers":{},', "access.rules[0].headers"],
    ['"time":300,', "access.rules[0].limits.time"],
    ['"clockSkew":30,', `${JWT}.clockSkew`],
    [',"subject":"any"', `${HOST}.subject`],
  ])("needs %s", (member, path) => {
    const without = text.replace(member, "");
    expect(without).not.toBe(text);
    try {
      parseManifest(without);
      expect.unreachable();
    } catch (error) {
      if (!(error instanceof ManifestError)) throw error;
      expect(error.problems.map((problem) => problem.path)).toEqual([path]);
    }
  });

  it("has no mutual TLS written as null in the source form's way", () => {
    expect(() => parseManifest(text.replace('"mutualTls":{"port":8444}', '"mutualTls":null'))).toThrow(
      /access\.mutualTls: expected a listener/,
    );
  });
});
