import {
  createEgressDecider,
  type Egress,
  type EgressConnection,
  type EgressDecider,
  normalizeHostName,
  readTarget,
} from "@blindbox/manifest";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyEgress, verifiedRule } from "./documents.ts";

const db: Egress = { mode: "passthrough", host: "db.example.com", ports: [5432] };
const address: Egress = { mode: "tcp", host: "203.0.113.20", ports: [22, 443], trusts: "network" };
const wild: Egress = verifiedRule({ host: "*.wild.example" });

function decide(...egress: readonly Egress[]): EgressDecider {
  return createEgressDecider({ egress });
}

const toName = (name: string, port = 443): EgressConnection => ({ name, address: null, port });
const toAddress = (literal: string, port = 443): EgressConnection => ({ name: null, address: literal, port });

describe("connections out", () => {
  const decider = decide(verifiedRule({}), db, address, wild);

  it("go where a rule names host and port", () => {
    expect(decider.connection(toName("api.example.com"))).toEqual({ allowed: true, rule: 0, egress: verifiedRule({}) });
    expect(decider.connection(toName("db.example.com", 5432))).toEqual({ allowed: true, rule: 1, egress: db });
    expect(decider.connection(toAddress("203.0.113.20", 22))).toEqual({ allowed: true, rule: 2, egress: address });
    expect(decider.connection(toName("a.wild.example"))).toEqual({ allowed: true, rule: 3, egress: wild });
  });

  it.each([
    ["another host", toName("api.example.org")],
    ["a host below", toName("a.api.example.com")],
    ["two labels for one wildcard", toName("a.b.wild.example")],
    ["the name under the wildcard", toName("wild.example")],
    ["an empty label for the wildcard", toName(".wild.example")],
    ["the wildcard itself", toName("*.wild.example")],
    ["a name in another form", toName("API.example.com")],
    ["a name with its dot", toName("api.example.com.")],
    ["what is no name under the wildcard", toName("a b.wild.example")],
    ["another address", toAddress("203.0.113.21", 22)],
    ["an address that is given as a name", toName("203.0.113.20", 22)],
    ["a name that is given as an address", toAddress("api.example.com")],
    ["a wildcard that is given as an address", toAddress("*.wild.example")],
    ["neither", { name: null, address: null, port: 443 }],
    ["both", { name: "api.example.com", address: "203.0.113.20", port: 443 }],
  ])("refuse %s", (_, to) => {
    expect(decider.connection(to)).toEqual({ allowed: false, reason: "host-not-allowed" });
  });

  it("refuse a port that only other hosts have", () => {
    const refused = { allowed: false, reason: "port-not-allowed" };
    expect(decider.connection(toName("api.example.com", 5432))).toEqual(refused);
    expect(decider.connection(toName("db.example.com", 443))).toEqual(refused);
    expect(decider.connection(toAddress("203.0.113.20", 80))).toEqual(refused);
  });

  it("go nowhere without rules", () => {
    expect(decide().ports).toEqual([]);
    expect(decide().covers("api.example.com")).toBe(false);
    expect(decide().connection(toName("api.example.com"))).toEqual({ allowed: false, reason: "host-not-allowed" });
  });

  it("listen on every port of any rule once, in order", () => {
    expect(decider.ports).toEqual([22, 443, 5432]);
  });

  it("know which names rest on a wildcard alone", () => {
    const both = decide(wild, verifiedRule({ host: "named.wild.example" }));
    expect(both.wildcard("other.wild.example")).toBe(true);
    expect(both.wildcard("named.wild.example")).toBe(false);
    expect(both.wildcard("api.example.com")).toBe(false);
  });

  it("do not take the prototype of anything for a rule", () => {
    expect(decider.covers("__proto__")).toBe(false);
    const listed = decide(verifiedRule({ methods: ["GET"] }));
    const request = { method: "constructor", target: "/" };
    expect(listed.request({ name: "api.example.com", port: 443 }, request)).toMatchObject({ allowed: false });
  });
});

describe("requests out", () => {
  const api = { name: "api.example.com", port: 443 };

  it("need method and path of one rule", () => {
    const decider = decide(
      verifiedRule({ methods: ["POST"], paths: ["/v1/**"] }),
      verifiedRule({ methods: ["GET"], paths: ["/status"] }),
    );
    expect(decider.request(api, { method: "POST", target: "/v1/a?b" })).toEqual({ allowed: true, rule: 0 });
    expect(decider.request(api, { method: "GET", target: "/status" })).toEqual({ allowed: true, rule: 1 });
    expect(decider.request(api, { method: "GET", target: "/v1/a" })).toEqual({
      allowed: false,
      reason: "path-not-allowed",
    });
    expect(decider.request(api, { method: "PUT", target: "/v1/a" })).toEqual({
      allowed: false,
      reason: "method-not-allowed",
    });
  });

  it("take any method and any path that has one reading, where that was written", () => {
    const decider = decide(verifiedRule({ methods: "any", paths: "any" }));
    expect(decider.request(api, { method: "PROPFIND", target: "/a%20b" })).toEqual({ allowed: true, rule: 0 });
    for (const target of ["http://other.example/", "/a/../b", "/%2e%2e/", "*", "other.example:443", "", "//other"]) {
      expect(decider.request(api, { method: "GET", target })).toEqual({ allowed: false, reason: "bad-target" });
    }
  });

  it("compare methods as they are written", () => {
    const decider = decide(verifiedRule({ methods: ["GET"] }));
    expect(decider.request(api, { method: "get", target: "/" })).toMatchObject({ allowed: false });
    expect(decider.request(api, { method: "GET ", target: "/" })).toMatchObject({ allowed: false });
  });

  it("are none where the rule sees no requests, on another port and on another host", () => {
    const request = { method: "GET", target: "/" };
    const refused = { allowed: false, reason: "method-not-allowed" };
    expect(decide(db).request({ name: "db.example.com", port: 5432 }, request)).toEqual(refused);
    expect(decide(verifiedRule({})).request({ ...api, port: 80 }, request)).toEqual(refused);
    expect(decide(verifiedRule({})).request({ ...api, name: "api.example.org" }, request)).toEqual(refused);
  });
});

/** The rules once more, as plainly as can be: over labels and segments, with nothing compiled. */
function naiveHost(host: string, name: string): boolean {
  if (normalizeHostName(name) !== name) return false;
  const pattern = host.split(".");
  const labels = name.split(".");
  return (
    pattern.length === labels.length && pattern.every((each, at) => (at === 0 && each === "*") || each === labels[at])
  );
}

function naiveConnection(rules: readonly Egress[], to: EgressConnection): number | string {
  let host = false;
  for (const [index, rule] of rules.entries()) {
    const covers = to.name === null ? rule.mode === "tcp" && rule.host === to.address : naiveHost(rule.host, to.name);
    host ||= covers;
    if (covers && rule.ports.some((port) => port === to.port)) return index;
  }
  return host ? "port-not-allowed" : "host-not-allowed";
}

function naivePath(patterns: readonly string[] | "any", path: string): boolean {
  if (patterns === "any") return true;
  return patterns.some((pattern) => segmentsMatch(pattern.split("/"), path.split("/")));
}

function segmentsMatch(pattern: readonly string[], path: readonly string[]): boolean {
  if (pattern.length === 0) return path.length === 0;
  if (pattern[0] === "**") return path.length > 0;
  return pattern[0] === path[0] && segmentsMatch(pattern.slice(1), path.slice(1));
}

function naiveRequest(rules: readonly Egress[], to: EgressConnection, method: string, target: string): number | string {
  const path = readTarget(target)?.plainPath;
  if (path === undefined) return "bad-target";
  let named = false;
  for (const [index, rule] of rules.entries()) {
    if (!("methods" in rule) || to.name === null || !naiveHost(rule.host, to.name)) continue;
    if (!rule.ports.includes(to.port)) continue;
    if (rule.methods !== "any" && !rule.methods.some((each) => each === method)) continue;
    named = true;
    if (naivePath(rule.paths, path)) return index;
  }
  return named ? "path-not-allowed" : "method-not-allowed";
}

describe("for random rules and random dials", () => {
  const dial = fc.record({
    name: fc.option(
      fc.constantFrom(
        "api.example.com",
        "db.example.com",
        "x.example.com",
        "a.b.example.com",
        "example.com",
        "API.example.com",
      ),
    ),
    address: fc.option(fc.constantFrom("203.0.113.20", "203.0.113.21", "api.example.com")),
    port: fc.constantFrom(22, 80, 443, 8443, 5432),
  });

  it("a connection is decided as a naive reference does", () => {
    let allowed = 0;
    fc.assert(
      fc.property(fc.array(anyEgress, { maxLength: 5 }), dial, (rules, to) => {
        fc.pre((to.name === null) !== (to.address === null));
        const decision = decide(...rules).connection(to);
        if (decision.allowed) expect(decision.egress).toBe(rules[decision.rule]);
        allowed += decision.allowed ? 1 : 0;
        expect(decision.allowed ? decision.rule : decision.reason).toBe(naiveConnection(rules, to));
        expect(decide(...rules).covers(to.name ?? "")).toBe(
          rules.some((rule) => to.name !== null && naiveHost(rule.host, to.name)),
        );
      }),
      { numRuns: 3000 },
    );
    expect(allowed).toBeGreaterThan(100);
  });

  it("a request is decided as a naive reference does", () => {
    const target = fc.constantFrom(
      "/",
      "/v1",
      "/v1/",
      "/v1/a",
      "/v1/a?x",
      "/v10",
      "/V1/a",
      "/v1/../a",
      "/v1/%61",
      "http://x/",
    );
    const method = fc.constantFrom("GET", "POST", "PROPFIND", "get");
    let allowed = 0;
    fc.assert(
      fc.property(fc.array(anyEgress, { maxLength: 5 }), dial, method, target, (rules, to, asked, where) => {
        fc.pre(to.name !== null);
        const decision = decide(...rules).request(
          { name: to.name ?? "", port: to.port },
          { method: asked, target: where },
        );
        allowed += decision.allowed ? 1 : 0;
        expect(decision.allowed ? decision.rule : decision.reason).toBe(naiveRequest(rules, to, asked, where));
      }),
      { numRuns: 3000 },
    );
    expect(allowed).toBeGreaterThan(50);
  });
});
