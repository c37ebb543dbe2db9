import {
  type Exposure,
  EXPOSURE_TARGETS,
  type ExposureTarget,
  exposureOf,
  type Manifest,
  type Observer,
} from "@blindbox/manifest";
import { parseManifestSource, resolveManifest } from "@blindbox/manifest/source";
import { describe, expect, it } from "vitest";
import { FULL_YAML, IMAGE, SMALL_YAML } from "./documents.ts";

function resolve(yaml: string): Manifest {
  return resolveManifest(parseManifestSource(yaml, { format: "yaml" }).manifest, IMAGE);
}

const [full, small] = [resolve(FULL_YAML), resolve(SMALL_YAML)];
const closed: Manifest = { ...small, access: { principals: [], rules: [], mutualTls: null } };

/** What an observer sees because of members of the Manifest. */
function because(manifest: Manifest, observer: Observer): readonly string[] {
  const seen = exposureOf(manifest, "sev-snp").filter((each) => each.observer === observer);
  return seen.flatMap(({ sees }) => sees.map((sight) => sight.because)).filter((reason) => reason !== "always");
}

function words(exposures: readonly Exposure[], observer: Observer): string {
  const seen = exposures.filter((each) => each.observer === observer);
  return seen.map(({ who, sees }) => `${who}: ${sees.map(({ what }) => what).join("; ")}`).join("\n");
}

type Words = (target: ExposureTarget) => string;

describe("exposure", () => {
  it("of a closed Manifest is what no Manifest can change", () => {
    const exposures = exposureOf(closed, "sev-snp");
    expect(new Set(exposures.map(({ observer }) => observer))).toEqual(
      new Set(["host", "silicon", "vendor", "network", "visitor"]),
    );
    expect(because(closed, "host")).toEqual([]);
    expect(["vendor", "network", "visitor"].flatMap((each) => because(closed, each as Observer))).toEqual([]);
  });

  it("names everybody whom the Manifest lets see something", () => {
    const exposures = exposureOf(full, "sev-snp");
    const who = (observer: Observer): readonly string[] =>
      exposures.filter((each) => each.observer === observer).map((each) => each.who);
    expect(who("caller")).toEqual([
      "the caller acme-batch",
      "the caller acme-staff",
      "the caller acme-host",
      "the caller acme-admin",
      "anybody, without credentials",
    ]);
    expect(who("destination").map((each) => each.split(",")[0])).toEqual(full.egress.map(({ host }) => host));
    expect(who("auditor")).toEqual(["auditors: acme-batch, acme-admin"]);
  });

  it("follows the members that are enforced", () => {
    const host = (change: Partial<Manifest>): readonly string[] => because({ ...closed, ...change }, "host");
    expect(host({ logs: "metadata" })).toEqual(["logs", "logs"]);
    expect(host({ logs: "app" })).toEqual(["logs", "logs"]);
    expect(host({ egress: full.egress })).toEqual(["egress"]);
    const operations = { port: 9464, health: "ready", metrics: "coarse" } as const;
    expect(host({ operations })).toEqual(["operations.port", "operations.health", "operations.metrics"]);
    expect(because({ ...closed, operations }, "visitor")).toEqual(["operations.port"]);
    for (const each of ["network", "host"] as const) expect(because(full, each)).toContain("access.mutualTls");
  });

  it("says what each mode of a way out shows, and to whom", () => {
    const exposures = exposureOf(full, "sev-snp");
    const network = words(exposures, "network");
    expect(network).toContain("the label that the application chooses in *.example.com");
    expect(network).toContain("every request to legacy.example.org and every answer, in plain text");
    expect(network).toContain("everything that goes to 203.0.113.20 and back");
    expect(network).toContain("the name db.example.com in TLS (SNI)");
    const hosts = words(exposures, "destination");
    expect(hosts).toContain("api.example.com, port 443, mode verified: the box checked its certificate");
    expect(hosts).toContain("db.example.com, port 5432, mode passthrough: or whoever the network leads to instead");
    expect(hosts).toContain("in requests of POST, GET to /v1/**");
    expect(hosts).toContain("in WebSockets, into which the box does not look");
    expect(hosts.match(/that the box asks for \/v1\/keys, at most once a minute/g)).toHaveLength(1);
  });

  it("says that a box asks the vendor of its hardware, whatever the Manifest lets out", () => {
    expect(closed.egress).toEqual([]);
    const asked = (["silicon", "host", "network"] as const).map((observer) => (target: ExposureTarget) => {
      return words(exposureOf(closed, target), observer);
    });
    const [silicon, host, network] = asked as [Words, Words, Words];
    expect(silicon("sev-snp")).toContain("the chip's id and its TCB");
    expect(silicon("tdx")).toContain("the platform's family (FMSPC)");
    expect(silicon("azure-vtpm")).toMatch(/on AMD's chips: .*; on Intel's chips: the platform's family/);
    for (const see of [host, network]) {
      for (const [target, name] of [
        ["sev-snp", "kdsintf.amd.com"],
        ["tdx", "api.trustedservices.intel.com and certificates.trustedservices.intel.com"],
        ["azure-vtpm", "kdsintf.amd.com on AMD's chips, api.trustedservices.intel.com"],
      ] as const) {
        expect(see(target)).toContain(name);
        expect(see(target)).toContain("at its start, unless it is given Endorsements as a file, and while it runs");
      }
      for (const target of ["nitro", "simulated"] as const)
        expect(see(target)).not.toMatch(/Endorsements as a file|https?/);
    }
    expect(host("azure-vtpm")).toContain("169.254.169.254");
    expect(silicon("nitro")).not.toContain("address");
  });

  it("names every event of the box that no logs of the Manifest hold back", () => {
    for (const target of EXPOSURE_TARGETS) {
      const host = words(exposureOf(closed, target), "host");
      expect(host).toContain("`sandbox`");
      for (const event of ["`tee-device`", "`endorsements-failed`"]) {
        expect(host.includes(event)).toBe(target !== "simulated");
      }
    }
    expect(words(exposureOf({ ...closed, logs: "metadata" }, "tdx"), "host")).toContain(
      "how many bytes the application printed",
    );
  });

  it("says that whoever answers at the port for certificates is shown them", () => {
    for (const observer of ["host", "network"] as const) {
      expect(words(exposureOf(full, "tdx"), observer)).toContain(
        "certificates are encrypted on the way, but shown to whoever answers there, before the box is verified",
      );
      expect(words(exposureOf(small, "tdx"), observer)).not.toContain("certificates are encrypted");
    }
  });

  it("tells an auditor's sights by what ledger and log hold", () => {
    const seen = words(exposureOf(full, "tdx"), "auditor");
    expect(seen).toMatch(/index, host and mode of the rule, port, verdict, numbers of bytes, and `peer`/);
    expect(seen).toContain("`keys-requested`");
    const closedOut = words(exposureOf({ ...full, egress: [] }, "tdx"), "auditor");
    expect(closedOut).toContain("how it was refused");
    const keyless = full.access.principals.filter((each) => each.id !== "acme-admin");
    const without = { ...full, access: { ...full.access, principals: keyless } };
    expect(words(exposureOf(without, "tdx"), "auditor")).not.toContain("`keys-requested`");
  });

  it("says of the simulator that it protects nothing, and of no hardware", () => {
    for (const target of EXPOSURE_TARGETS) {
      const host = words(exposureOf(closed, target), "host");
      expect(host.includes("EVERYTHING")).toBe(target === "simulated");
      expect(exposureOf(closed, target).some(({ observer }) => observer === "silicon")).toBe(target !== "simulated");
    }
  });

  it("has for each sight a member of the Manifest, or says that none changes it", () => {
    for (const target of EXPOSURE_TARGETS) {
      for (const { because: path, what } of exposureOf(full, target).flatMap(({ sees }) => sees)) {
        if (path !== "always") expect(memberAt(full, path), `${path}: ${what}`).not.toBe(undefined);
        expect(what).not.toMatch(/\.$|undefined|null|\[object/);
      }
    }
  });
});

function memberAt(value: unknown, path: string): unknown {
  return path
    .split(/[.[\]]+/)
    .filter((name) => name !== "")
    .reduce<unknown>((each, name) => (each as Record<string, unknown> | undefined)?.[name], value);
}
