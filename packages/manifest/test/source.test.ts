import { ManifestError, type Problem } from "@blindbox/manifest";
import { parseManifestSource } from "@blindbox/manifest/source";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anySource, FULL_YAML, KEY_DIGEST, SMALL_YAML } from "./documents.ts";

function problemsOf(text: string, format: "yaml" | "json" = "yaml"): readonly Problem[] {
  try {
    parseManifestSource(text, { format });
  } catch (error) {
    if (error instanceof ManifestError) return error.problems;
    throw error;
  }
  return [];
}

function pathsOf(text: string, format: "yaml" | "json" = "yaml"): readonly string[] {
  return problemsOf(text, format).map((problem) => problem.path);
}

/** The small document with one text replaced by another. */
function small(from: string, to: string): string {
  const text = SMALL_YAML.replace(from, to);
  expect(text).not.toBe(SMALL_YAML);
  return text;
}

/** The full document with one text replaced by another. */
function full(from: string, to: string): string {
  const text = FULL_YAML.replace(from, to);
  expect(text).not.toBe(FULL_YAML);
  return text;
}

describe("blindbox.yml", () => {
  it("is read whole, with sizes in bytes", () => {
    const { manifest } = parseManifestSource(FULL_YAML, { format: "yaml" });
    expect(manifest.app).toEqual({
      image: "./transcriber.tar",
      port: 80,
      user: { uid: 1000, gid: 1000 },
      ready: { path: "/health" },
      writable: ["/var/lib/app"],
      command: ["python3", "/server.py"],
      env: { MODEL: "small" },
      resources: { memory: 2 ** 30, cpus: 1000, processes: 128, tmp: 2 ** 28 },
      users: "one",
    });
    expect(manifest.access.rules[0]?.limits).toEqual({ body: 50 * 2 ** 20, requestsPerMinute: 600, concurrent: 32 });
    expect(manifest.access.rules[1]?.methods).toHaveLength(7);
    expect(manifest.access.principals).toHaveLength(4);
  });

  it("may leave out what has a closed default", () => {
    const { manifest } = parseManifestSource(SMALL_YAML, { format: "yaml" });
    expect(Object.keys(manifest).toSorted()).toEqual(["access", "app", "blindbox", "name"]);
    expect(Object.keys(manifest.access.rules[0] ?? {})).toEqual(["allow", "methods", "path"]);
  });

  it.each<[string, string, string]>([
    ["an unknown version", small("blindbox: 1", "blindbox: 2"), "blindbox"],
    ["an unknown member", small("name: echo", "name: echo\nnmae: x"), "nmae"],
    ["an unknown member of the app", small("port: 8080", "port: 8080, prot: 1"), "app.prot"],
    ["a missing member", small("name: echo\n", ""), "name"],
    ["a missing port", small(", port: 8080", ""), "app.port"],
    ["missing rules", small("rules: [ { allow: [anonymous], methods: [GET], path: /** } ]", ""), "access.rules"],
    ["a member twice", small("name: echo", "name: echo\nname: other"), "name"],
    ["a nested member twice", small("port: 8080", "port: 8080, port: 8081"), "app.port"],
    ["a number as name", small("name: echo", "name: 7"), "name"],
    ["a name with capitals", small("name: echo", "name: Echo"), "name"],
    ["null", small("name: echo", "name:"), "name"],
    ["a port out of range", small("8080", "65536"), "app.port"],
    ["port 0", small("8080", "0"), "app.port"],
    ["a port in quotes", small("8080", '"8080"'), "app.port"],
    ["a number in hex", small("8080", "0x1f90"), "app.port"],
    ["a number in octal", small("8080", "0o17620"), "app.port"],
    ["a number with an exponent", small("8080", "8e3"), "app.port"],
    ["infinity", small("8080", ".inf"), "app.port"],
    ["not a number", small("8080", ".nan"), "app.port"],
    ["minus zero", small("8080", "-0"), "app.port"],
    ["a number beyond safe integers", small("8080", "90071992547409930"), "app.port"],
    ["a user by name", full("user: 1000", "user: nobody"), "app.user"],
    ["a user out of range", full("user: 1000", "user: 65536"), "app.user"],
    ["a group out of range", full("user: 1000", 'user: "1:70000"'), "app.user"],
    ["an empty command", full("[python3, /server.py]", "[]"), "app.command"],
    ["a number in a command", full("[python3, /server.py]", "[sleep, 1]"), "app.command[1]"],
    ["NUL in a command", full("[python3, /server.py]", '["a\\0b"]'), "app.command[0]"],
    ["a number in env", full("MODEL: small", "MODEL: 1"), "app.env.MODEL"],
    ["a boolean in env", full("MODEL: small", "MODEL: true"), "app.env.MODEL"],
    ["a bad name in env", full("MODEL: small", '"A=B": x'), "app.env.(a name of 3 characters)"],
    ["__proto__ in env", full("MODEL: small", "__proto__: x"), "app.env.__proto__"],
    ["__proto__ anywhere", small("name: echo", "name: echo\n__proto__: { a: 1 }"), "__proto__"],
    ["a relative ready path", full("path: /health", "path: health"), "app.ready.path"],
    ["a ready path with a prefix", full("path: /health", "path: /health/**"), "app.ready.path"],
    ["a writable root", full("[/var/lib/app]", "[/]"), "app.writable[0]"],
    ["a writable /proc", full("[/var/lib/app]", "[/ok, /proc/sys]"), "app.writable[1]"],
    ["a writable path with dots", full("[/var/lib/app]", "[/a/../etc]"), "app.writable[0]"],
    ["a writable path twice", full("[/var/lib/app]", "[/a, /a]"), "app.writable[1]"],
    ["a size in MB", full("memory: 1GiB", "memory: 1GB"), "app.resources.memory"],
    ["a size with a space", full("memory: 1GiB", "memory: 1 GiB"), "app.resources.memory"],
    ["a size with a fraction", full("memory: 1GiB", "memory: 1.5GiB"), "app.resources.memory"],
    ["a size of nothing", full("tmp: 256MiB", "tmp: 0KiB"), "app.resources.tmp"],
    ["a size beyond measure", full("memory: 1GiB", "memory: 999999999999GiB"), "app.resources.memory"],
    ["cpus of nothing", full("cpus: 1", "cpus: 0"), "app.resources.cpus"],
    ["cpus too fine", full("cpus: 1", "cpus: 0.0005"), "app.resources.cpus"],
    ["processes of nothing", full("processes: 128", "processes: 0"), "app.resources.processes"],
    [
      "an API key instead of its digest",
      full(`"${KEY_DIGEST}"`, `bb_${"x".repeat(43)}`),
      "access.principals[0].apiKey",
    ],
    ["an upper-case digest", full(KEY_DIGEST, KEY_DIGEST.toUpperCase()), "access.principals[0].apiKey"],
    ["a digest of another length", full(KEY_DIGEST, "sha256:aa"), "access.principals[0].apiKey"],
    [
      "a principal called anonymous",
      full("id: acme-batch", "id: anonymous").replace("[acme-batch, ", "["),
      "access.principals[0].id",
    ],
    ["an id twice", full("id: acme-staff", "id: acme-batch").replace(", acme-staff]", "]"), "access.principals[1].id"],
    [
      "a key twice",
      full("id: acme-staff", `id: other\n      apiKey: "${KEY_DIGEST}"\n    - id: acme-staff`),
      "access.principals[1].apiKey",
    ],
    [
      "a principal without key",
      full(', certificate: { issuer: "sha256:', ', x: { issuer: "sha256:'),
      "access.principals[2]",
    ],
    [
      "a principal with two keys",
      full("id: acme-staff", `id: acme-staff\n      apiKey: "sha256:${"d".repeat(64)}"`),
      "access.principals[1]",
    ],
    ["a symmetric JWT algorithm", full("[ES256]", "[HS256]"), "access.principals[1].jwt.algorithms[0]"],
    ["no JWT algorithm", full("[ES256]", "[none]"), "access.principals[1].jwt.algorithms[0]"],
    ["an issuer without TLS", full("https://idp", "http://idp"), "access.principals[1].jwt.issuer"],
    ["a private key", full("kid: one", "d: AAAA"), "access.principals[1].jwt.keys.keys[0].d"],
    ["a symmetric key", full("kty: EC", "kty: oct"), "access.principals[1].jwt.keys.keys[0]"],
    ["a rule that names nobody", small("[anonymous]", "[alice]"), "access.rules[0].allow[0]"],
    ["a rule for no one", small("[anonymous]", "[]"), "access.rules[0].allow"],
    ["a rule that names somebody twice", small("[anonymous]", "[anonymous, anonymous]"), "access.rules[0].allow[1]"],
    ["a rule without methods", small("methods: [GET], ", ""), "access.rules[0].methods"],
    ["an unknown method", small("[GET]", "[GET, FETCH]"), "access.rules[0].methods[1]"],
    ["a method in lower case", small("[GET]", "[get]"), "access.rules[0].methods[0]"],
    ["any beside a method", small("[GET]", "[GET, any]"), "access.rules[0].methods[1]"],
    ["any outside a list", small("[GET]", "any"), "access.rules[0].methods"],
    ["a rule without path", small(", path: /**", ""), "access.rules[0].path"],
    ["a relative path", small("/**", "a/**"), "access.rules[0].path"],
    ["an empty path", small("/**", '""'), "access.rules[0].path"],
    ["a star within", small("/**", "/a/*/b"), "access.rules[0].path"],
    ["one star", small("/**", "/a/*"), "access.rules[0].path"],
    ["stars without a slash", small("/**", "/a**"), "access.rules[0].path"],
    ["something after the stars", small("/**", "/**/a"), "access.rules[0].path"],
    ["a slash after the stars", small("/**", "/**/"), "access.rules[0].path"],
    ["an escape", small("/**", "/a%20b"), "access.rules[0].path"],
    ["two slashes", small("/**", "/a//b"), "access.rules[0].path"],
    ["dot segments", small("/**", "/a/../b"), "access.rules[0].path"],
    ["a dot segment at the end", small("/**", "/a/."), "access.rules[0].path"],
    ["a semicolon", small("/**", "/a;b"), "access.rules[0].path"],
    ["a query", small("/**", "/a?b"), "access.rules[0].path"],
    ["non-ASCII", small("/**", "/é"), "access.rules[0].path"],
    ["the box's own folder", small("/**", "/.well-known/blindbox/**"), "access.rules[0].path"],
    ["a body too large", full("body: 50MiB", "body: 65GiB"), "access.rules[0].limits.body"],
    [
      "a negative limit",
      full("requestsPerMinute: 600", "requestsPerMinute: -1"),
      "access.rules[0].limits.requestsPerMinute",
    ],
    ["a limit of no requests", full("concurrent: 32", "concurrent: 0"), "access.rules[0].limits.concurrent"],
    ["an unknown number of users", full("users: one", "users: two"), "app.users"],
    ["a right to audit in words", full("audit: true", "audit: yes"), "access.principals[0].audit"],
    ["an unknown log level", full("logs: none", "logs: all"), "logs"],
  ])("refuses %s at its path", (_, text, path) => {
    expect(pathsOf(text)).toEqual([path]);
  });

  it("reports all problems at once", () => {
    const text = full("port: 80", "port: 0")
      .replace("[POST], path: /whisper/**", "[POTS], path: whisper")
      .replace("allow: [acme-batch, acme-staff]", "allow: [acme-batch, nobody]")
      .replace("logs: none", "logs: some\nunknown: 1");
    expect(pathsOf(text).toSorted()).toEqual([
      "access.rules[0].allow[1]",
      "access.rules[0].methods[0]",
      "access.rules[0].path",
      "app.port",
      "logs",
      "unknown",
    ]);
  });

  it("says what was expected, what was found and what to do", () => {
    expect(problemsOf(full("memory: 1GiB", "memory: 1GB"))).toEqual([
      {
        path: "app.resources.memory",
        expected: "a size from 1MiB to 16384GiB",
        actual: '"1GB"',
        hint: "for example 512KiB, 50MiB or 1GiB",
      },
    ]);
    const [unsupported] = problemsOf(small("name: echo", "name: echo\nsandbox: {}"));
    expect(unsupported?.hint).toBe("not supported yet");
  });

  it("never shows what may be a secret", () => {
    const secret = "hunter2";
    const texts = [
      full(`"${KEY_DIGEST}"`, secret),
      full("MODEL: small", `MODEL: [${secret}]`),
      full("[python3, /server.py]", `[{ password: ${secret} }]`),
      full("image: ./transcriber.tar", `image: { ${secret}-${"x".repeat(80)}: 1 }`),
      `password: "${secret}`,
      `- *${secret}`,
    ];
    for (const text of texts) {
      expect(problemsOf(text).length).toBeGreaterThan(0);
      expect(JSON.stringify(problemsOf(text))).not.toContain(secret);
      expect(() => parseManifestSource(text, { format: "yaml" })).not.toThrow(secret);
    }
  });

  it("is read from JSON as well, and then from nothing but JSON", () => {
    const json = JSON.stringify({
      blindbox: 1,
      name: "echo",
      app: { image: "./echo", port: 8080 },
      access: { rules: [{ allow: ["anonymous"], methods: ["GET"], path: "/**" }] },
    });
    const fromYaml = parseManifestSource(SMALL_YAML, { format: "yaml" });
    expect(parseManifestSource(json, { format: "json" })).toEqual(fromYaml);
    expect(pathsOf(SMALL_YAML, "json")).toEqual(["document"]);
    expect(pathsOf(json.replace('"port":8080', '"port":8080,"port":8081'), "json")).toEqual(["app.port"]);
    expect(pathsOf(json.replace("8080", "8080,"), "json")).toContain("document");
  });

  it("refuses another format as the caller's mistake", () => {
    expect(() => parseManifestSource("", { format: "toml" as "yaml" })).toThrow(TypeError);
  });

  it("reads every valid document, from JSON as from YAML", () => {
    fc.assert(
      fc.property(anySource, (source) => {
        const text = JSON.stringify(source);
        const read = parseManifestSource(text, { format: "json" });
        expect(parseManifestSource(text, { format: "yaml" })).toEqual(read);
        expect(read.manifest.name).toBe(source.name);
      }),
      { numRuns: 500 },
    );
  });
});
