import { createHash } from "node:crypto";
import { formatManifest, type Manifest, manifestDigest, ManifestError, parseManifest } from "@blindbox/manifest";
import { DEFAULT_LIMITS, parseManifestSource, resolveManifest } from "@blindbox/manifest/source";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anySource, FULL_YAML, IMAGE, SMALL_YAML } from "./documents.ts";

function resolve(yaml: string, image: typeof IMAGE = IMAGE): Manifest {
  return resolveManifest(parseManifestSource(yaml, { format: "yaml" }).manifest, image);
}

function pathsOf(read: () => unknown): readonly string[] {
  try {
    read();
  } catch (error) {
    if (error instanceof ManifestError) return error.problems.map((problem) => problem.path);
    throw error;
  }
  return [];
}

const TEXT = formatManifest(resolve(FULL_YAML));

/** The canonical text with one text replaced by another. */
function changed(from: string, to: string): string {
  expect(TEXT).toContain(from);
  return TEXT.replace(from, to);
}

describe("resolving a manifest", () => {
  it("fills in the image by digest and every default, none of them open", () => {
    expect(resolve(SMALL_YAML)).toEqual({
      type: "blindbox-manifest/1",
      name: "echo",
      app: {
        image: IMAGE.digest,
        port: 8080,
        user: { uid: 65_532, gid: 65_532 },
        command: ["/bin/echo-server", "--quiet"],
        workingDir: "/srv",
        env: { PATH: "/usr/bin:/bin", MODEL: "large" },
        ready: null,
        writable: [],
        resources: { memory: 536_870_912, cpus: 1000, processes: 128, tmp: 67_108_864 },
        users: "one",
      },
      access: {
        principals: [],
        rules: [
          {
            allow: ["anonymous"],
            methods: ["GET"],
            path: "/**",
            headers: {},
            upgrade: "none",
            audit: false,
            limits: {
              body: 1_048_576,
              requestsPerMinute: 600,
              totalPerMinute: 6000,
              concurrent: 32,
              time: 300,
              response: 104_857_600,
            },
          },
        ],
        mutualTls: null,
      },
      egress: [],
      logs: "none",
      operations: { port: null, health: "live", metrics: "none" },
      audit: { entries: 10_000 },
    });
  });

  it("prefers what the source says to what the image says", () => {
    const { app } = resolve(FULL_YAML);
    expect(app.command).toEqual(["python3", "/server.py"]);
    expect(app.user).toEqual({ uid: 1000, gid: 1000 });
    expect(app.env).toEqual({ PATH: "/usr/bin:/bin", MODEL: "small" });
    expect(app.ready).toEqual({ path: "/health" });
  });

  it("fills in the rest of limits and resources that are given in part", () => {
    const source = SMALL_YAML.replace("path: /**", "path: /**, limits: { concurrent: 1 }").replace(
      "port: 8080",
      "port: 8080, resources: { cpus: 0.25 }",
    );
    const { app, access } = resolve(source);
    expect(access.rules[0]?.limits).toEqual({ ...DEFAULT_LIMITS, concurrent: 1 });
    expect(app.resources).toEqual({ memory: 536_870_912, cpus: 250, processes: 128, tmp: 67_108_864 });
  });

  it("takes an image without working directory to start in /", () => {
    expect(resolve(SMALL_YAML, { ...IMAGE, workingDir: "" }).app.workingDir).toBe("/");
    expect(resolve(SMALL_YAML, { ...IMAGE, workingDir: "/" }).app.workingDir).toBe("/");
  });

  it.each<[string, Partial<typeof IMAGE>, string]>([
    ["no command at all", { entrypoint: [], command: [] }, "app.command"],
    ["a digest of another kind", { digest: "sha512:00" }, "app.image"],
    ["a bad name in its environment", { env: { "A B": "c" } }, "app.env.(a name of 3 characters)"],
    ["__proto__ in its environment", { env: JSON.parse('{"__proto__":"x"}') }, "app.env.__proto__"],
    ["NUL in its environment", { env: { A: "\u0000" } }, "app.env.A"],
    ["a lone surrogate in its environment", { env: { A: "\ud800" } }, "app.env.A"],
    ["a relative working directory", { workingDir: "srv" }, "app.workingDir"],
    ["a working directory with dots", { workingDir: "/a/../b" }, "app.workingDir"],
    ["a user that the sandbox has not", { user: { uid: 100_000, gid: 0 } }, "app.user.uid"],
    [
      "an environment too large",
      { env: Object.fromEntries(Array.from({ length: 80 }, (_, i) => [`A${i}`, "x".repeat(30_000)])) },
      "document",
    ],
  ])("refuses an image with %s", (_, facts, path) => {
    expect(pathsOf(() => resolve(SMALL_YAML, { ...IMAGE, ...facts }))).toEqual([path]);
  });
});

describe("the resolved manifest", () => {
  it("comes back the same through its canonical text", () => {
    fc.assert(
      fc.property(anySource, (source) => {
        const { manifest } = parseManifestSource(JSON.stringify(source), { format: "json" });
        const resolved = resolveManifest(manifest, IMAGE);
        const text = formatManifest(resolved);
        expect(parseManifest(text)).toEqual(resolved);
        expect(formatManifest(parseManifest(text))).toBe(text);
      }),
      { numRuns: 300 },
    );
  });

  it("has as its digest the SHA-256 of its text", async () => {
    expect(await manifestDigest(TEXT)).toBe(`sha256:${createHash("sha256").update(TEXT).digest("hex")}`);
  });

  it("keeps its digest from one version of this package to the next", async () => {
    expect(await manifestDigest(formatManifest(resolve(SMALL_YAML)))).toMatchInlineSnapshot(
      `"sha256:89d637bce3d838f175e66e33089caffa5638d1d75df6a7a48b0f09da0439849a"`,
    );
  });

  it.each<[string, string]>([
    ["a space", changed('"logs":"none"', '"logs": "none"')],
    ["a line at its end", `${TEXT}\n`],
    ["members in another order", changed('"gid":1000,"uid":1000', '"uid":1000,"gid":1000')],
    ["a member twice", changed('"logs":"none"', '"logs":"none","logs":"none"')],
    ["an escape that is not needed", changed('"none"', '"\\u006eone"')],
    ["a number in another form", changed('"port":80', '"port":80.0')],
    ["__proto__", changed('"access":', '"__proto__":{},"access":')],
    ["nothing", ""],
    ["null", "null"],
  ])("is refused with %s", (_, text) => {
    expect(pathsOf(() => parseManifest(text))).toEqual(["document"]);
  });

  it.each<[string, string, string]>([
    ["another version", changed("blindbox-manifest/1", "blindbox-manifest/2"), "type"],
    ["an unknown member", changed('"logs":', '"logz":1,"logs":').replace('"logs":"none","logz":1', ""), "logz"],
    ["a missing member", changed('"logs":"none",', ""), "logs"],
    ["a mode left out", changed('"mode":"passthrough",', ""), "egress[2].mode"],
    ["any as method", changed('"methods":["POST"],"path"', '"methods":["any"],"path"'), "access.rules[0].methods[0]"],
    ["a size in words", changed('"memory":1073741824', '"memory":"1GiB"'), "app.resources.memory"],
    ["an image by name", changed(`"image":"${IMAGE.digest}"`, '"image":"./app"'), "app.image"],
    ["a fraction of a thousandth of a CPU", changed('"cpus":1000', '"cpus":0'), "app.resources.cpus"],
    [
      "a rule that names nobody",
      changed('"allow":["acme-batch","acme-staff"]', '"allow":["acme-batch","x"]'),
      "access.rules[0].allow[1]",
    ],
  ])("is refused with %s", (_, text, path) => {
    const ordered = text.includes("logz") ? text.replace('"logz":1,"logs":"none"', '"logs":"none","logz":1') : text;
    expect(pathsOf(() => parseManifest(ordered))).toEqual([path]);
  });

  it("is refused cut off anywhere", () => {
    for (let length = 0; length < TEXT.length; length++) {
      expect(() => parseManifest(TEXT.slice(0, length))).toThrow(ManifestError);
    }
  });

  it("is refused or means something else with any bit changed", () => {
    const original = parseManifest(TEXT);
    const bytes = new TextEncoder().encode(TEXT);
    for (let at = 0; at < bytes.length; at++) {
      for (const bit of [0, 1, 5]) {
        const flipped = Uint8Array.from(bytes, (byte, index) => (index === at ? byte ^ (1 << bit) : byte));
        const text = new TextDecoder().decode(flipped);
        let read: Manifest | undefined;
        expect(pathsOf(() => (read = parseManifest(text))).length > 0 || read !== undefined).toBe(true);
        if (read !== undefined) expect(read).not.toEqual(original);
      }
    }
  });

  it("is refused without recursion where it is nested deeply", () => {
    expect(pathsOf(() => parseManifest("[".repeat(100_000)))).toEqual(["document"]);
    expect(pathsOf(() => parseManifest(`${"[".repeat(20_000)}${"]".repeat(20_000)}`))).toEqual(["document"]);
  });

  it("cannot be formatted where it is not valid", () => {
    const manifest = resolve(SMALL_YAML);
    expect(pathsOf(() => formatManifest({ ...manifest, name: "Echo" }))).toEqual(["name"]);
  });
});
