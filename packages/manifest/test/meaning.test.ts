import { readFileSync } from "node:fs";
import { type Manifest, outputsOf, secretLookingEnv } from "@blindbox/manifest";
import { parseManifestSource, resolveManifest } from "@blindbox/manifest/source";
import { describe, expect, it } from "vitest";
import { FULL_YAML, IMAGE, SMALL_YAML } from "./documents.ts";

function resolve(yaml: string): Manifest {
  return resolveManifest(parseManifestSource(yaml, { format: "yaml" }).manifest, IMAGE);
}

describe("the outputs of a manifest", () => {
  it("are its callers, its hosts and its logs", () => {
    expect(outputsOf(resolve(FULL_YAML.replace("logs: none", "logs: app")))).toEqual([
      { kind: "caller", name: "acme-batch", detail: ["POST /whisper/**"] },
      { kind: "caller", name: "acme-staff", detail: ["POST /whisper/**"] },
      { kind: "anonymous", name: "anonymous", detail: ["GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS /about"] },
      { kind: "caller", name: "acme-admin", detail: ["GET,POST /live/**"] },
      { kind: "caller", name: "acme-host", detail: ["GET,POST /live/**"] },
      { kind: "egress", name: "api.example.com", detail: ["verified", "port 443"] },
      { kind: "egress", name: "*.example.com", detail: ["verified", "port 443"] },
      { kind: "egress", name: "db.example.com", detail: ["passthrough", "port 5432", "trusts the network"] },
      { kind: "egress", name: "legacy.example.org", detail: ["http", "port 80", "trusts the network"] },
      { kind: "egress", name: "203.0.113.20", detail: ["tcp", "port 22", "trusts the network"] },
      { kind: "egress", name: "live.example.org", detail: ["verified", "port 443,8443"] },
      { kind: "logs", name: "app", detail: [] },
    ]);
  });

  it("are none where nobody may call", () => {
    expect(outputsOf(resolve(SMALL_YAML.replace(/rules: .*\]/, "rules: []")))).toEqual([]);
  });
});

describe("secrets in the environment", () => {
  it.each(["DB_PASSWORD", "PASSWD", "GITHUB_TOKEN", "client_secret", "API_KEY", "AWS_SECRET_ACCESS_KEY", "apikey"])(
    "%s is pointed out",
    (name) => {
      const [problem] = secretLookingEnv(
        resolve(SMALL_YAML.replace("port: 8080", `port: 8080, env: { ${name}: hunter2 }`)),
      );
      expect(problem?.path).toBe(`app.env.${name}`);
      expect(JSON.stringify(problem)).not.toContain("hunter2");
    },
  );

  it("are not suspected behind other names", () => {
    expect(secretLookingEnv(resolve(FULL_YAML))).toEqual([]);
  });
});

describe("the entry that the enclave imports", () => {
  it("reaches no YAML", () => {
    const seen = new Set<string>();
    const packages = new Set<string>();
    visit(new URL("../src/index.ts", import.meta.url), seen, packages);
    expect(seen.size).toBeGreaterThan(10);
    expect([...packages]).toEqual(["@blindbox/encoding"]);
  });
});

function visit(file: URL, seen: Set<string>, packages: Set<string>): void {
  if (seen.has(file.href)) return;
  seen.add(file.href);
  for (const [, target] of readFileSync(file, "utf8").matchAll(/ from "([^"]+)"/g)) {
    if (target === undefined) continue;
    if (target.startsWith(".")) visit(new URL(target, file), seen, packages);
    else packages.add(target);
  }
}
