import {
  formatManifest,
  type Egress,
  ManifestError,
  normalizeHostName,
  parseManifest,
  type Problem,
} from "@blindbox/manifest";
import { manifestSchema, parseManifestSource, resolveManifest } from "@blindbox/manifest/source";
import { Ajv } from "ajv";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IMAGE, PIN, ROOT, ROOT_PEM } from "./documents.ts";

type Rule = Readonly<Record<string, unknown>>;

const verified: Rule = { host: "api.example.com", ports: [443], methods: ["GET"], paths: ["/**"] };
const passthrough: Rule = { mode: "passthrough", host: "db.example.com", ports: [5432] };
const http: Rule = { ...verified, mode: "http", trusts: "network" };
const tcp: Rule = { mode: "tcp", host: "203.0.113.20", ports: [22], trusts: "network" };

function sourceWith(egress: unknown): string {
  const app = { image: "./echo", port: 8080 };
  return JSON.stringify({ blindbox: 1, name: "echo", app, access: { rules: [] }, egress });
}

function resolve(...egress: readonly unknown[]): readonly Egress[] {
  return resolveManifest(parseManifestSource(sourceWith(egress), { format: "json" }).manifest, IMAGE).egress;
}

function problemsOf(read: () => unknown): readonly Problem[] {
  try {
    read();
  } catch (error) {
    if (error instanceof ManifestError) return error.problems;
    throw error;
  }
  return [];
}

function refusals(...egress: readonly unknown[]): readonly Problem[] {
  return problemsOf(() => resolve(...egress));
}

function onlyRefusal(...egress: readonly unknown[]): Problem {
  const problems = refusals(...egress);
  expect(problems.map(({ path, expected, actual }) => [path, expected, actual])).toHaveLength(1);
  const [problem] = problems;
  if (problem === undefined) throw new Error("nothing was refused");
  expect(problem.hint, "every refusal says what to do").toBeTypeOf("string");
  return problem;
}

describe("ways out as they are written", () => {
  it("are verified where no mode is written, with every default closed", () => {
    expect(resolve(verified)).toEqual([
      {
        mode: "verified",
        host: "api.example.com",
        ports: [443],
        methods: ["GET"],
        paths: ["/**"],
        websocket: false,
        pins: [],
        roots: null,
      },
    ]);
  });

  it("have four modes, each with its own members", () => {
    const strong = {
      ...verified,
      mode: "verified",
      host: "live.example.com",
      websocket: true,
      pins: [PIN],
      roots: ROOT_PEM,
    };
    expect(resolve(strong, passthrough, http, tcp)).toEqual([{ ...strong, roots: [ROOT] }, passthrough, http, tcp]);
  });

  it("keep any as any, whichever way it is spelt", () => {
    const expected = { methods: "any", paths: "any" };
    expect(resolve({ ...verified, ...expected })).toEqual([expect.objectContaining(expected)]);
    expect(resolve({ ...verified, methods: ["any"], paths: ["any"] })).toEqual([expect.objectContaining(expected)]);
  });

  it("are read into the one form of their names", () => {
    const hosts = resolve(
      { ...verified, host: "API.Example.com." },
      { ...passthrough, host: "*.XN--MLLER-KVA.example." },
    ).map(({ host }) => host);
    expect(hosts).toEqual(["api.example.com", "*.xn--mller-kva.example"]);
  });

  it.each<[string, unknown, string, RegExp]>([
    ["an empty host", "", "egress[0].host", /empty/],
    ["* alone", "*", "egress[0].host", /\* alone would be every one/],
    ["a wildcard over everything", "*.", "egress[0].host", /exactly one label/],
    ["a wildcard over a top-level domain", "*.com", "egress[0].host", /exactly one label/],
    ["two wildcards", "*.*.example.com", "egress[0].host", /exactly one label/],
    ["a wildcard within", "api.*.com", "egress[0].host", /exactly one label/],
    ["a part of a label as wildcard", "api-*.example.com", "egress[0].host", /exactly one label/],
    ["an IPv4 address", "203.0.113.20", "egress[0].host", /mode tcp/],
    ["a short IPv4 address", "127.1", "egress[0].host", /four parts/],
    ["an IPv6 address", "2001:db8::1", "egress[0].host", /IPv6/],
    ["an IPv6 address in brackets", "[::1]", "egress[0].host", /IPv6/],
    ["localhost", "localhost", "egress[0].host", /domain/],
    ["localhost with its dot", "LOCALHOST.", "egress[0].host", /domain/],
    ["a single label", "metadata", "egress[0].host", /domain/],
    ["a URL", "https://api.example.com", "egress[0].host", /without scheme/],
    ["a host with port", "api.example.com:443", "egress[0].host", /stand in ports/],
    ["another script", "müller.example", "egress[0].host", /xn--/],
    ["two dots", "api..example.com", "egress[0].host", /hyphens/],
    ["a name too long for a wildcard", `*.${"a.".repeat(121)}example.com`, "egress[0].host", /exactly one label/],
  ])("refuse %s as host", (_, host, path, hint) => {
    for (const rule of [verified, passthrough, http]) {
      const problem = onlyRefusal({ ...rule, host });
      expect(problem.path).toBe(path);
      expect(problem.expected).toContain("a DNS name");
      expect(problem.hint).toMatch(hint);
    }
  });

  it.each(["2001:db8::1", "[::1]", "localhost", "*", "", "127.1", "0x7f.0.0.1", "203.0.113.020", "203.0.113.256"])(
    "refuse %j in mode tcp as well",
    (host) => {
      expect(onlyRefusal({ ...tcp, host }).path).toBe("egress[0].host");
    },
  );

  it.each<[string, Rule, string, RegExp]>([
    ["an unknown mode", { ...verified, mode: "open" }, "egress[0].mode", /^/],
    ["a mode that is no word", { ...verified, mode: ["verified"] }, "egress[0].mode", /^/],
    ["the name of a prototype's member as mode", { ...verified, mode: "constructor" }, "egress[0].mode", /^/],
    ["no methods", without(verified, "methods"), "egress[0].methods", /write any/],
    ["no paths", without(verified, "paths"), "egress[0].paths", /write any/],
    ["plain HTTP without methods", without(http, "methods"), "egress[0].methods", /write any/],
    ["plain HTTP without paths", without(http, "paths"), "egress[0].paths", /write any/],
    ["plain HTTP that does not say whom it trusts", without(http, "trusts"), "egress[0].trusts", /trusts: network/],
    ["plain TCP that does not say whom it trusts", without(tcp, "trusts"), "egress[0].trusts", /trusts: network/],
    ["an unknown member", { ...verified, method: "GET" }, "egress[0].method", /spelling/],
    ["paths that passthrough cannot see", { ...passthrough, paths: ["/**"] }, "egress[0].paths", /spelling/],
    ["trust in the network where there is none", { ...verified, trusts: "network" }, "egress[0].trusts", /spelling/],
    ["a WebSocket in plain HTTP", { ...http, websocket: true }, "egress[0].websocket", /spelling/],
    ["roots that are no PEM", { ...verified, roots: "example" }, "egress[0].roots", /BEGIN CERTIFICATE/],
    ["text around PEM", { ...verified, roots: `root\n${ROOT_PEM}` }, "egress[0].roots", /without text/],
    ["port 53", { ...tcp, ports: [53] }, "egress[0].ports[0]", /DNS/],
  ])("refuse %s", (_, rule, path, hint) => {
    const problem = path.endsWith(".mode") ? refusals(rule)[0] : onlyRefusal(rule);
    expect(problem?.path).toBe(path);
    expect(problem?.hint ?? "").toMatch(hint);
  });

  it.each<[string, Rule, string]>([
    ["port 0", { ...tcp, ports: [0] }, "egress[0].ports[0]"],
    ["port 65536", { ...tcp, ports: [65_536] }, "egress[0].ports[0]"],
    ["a port twice", { ...tcp, ports: [22, 22] }, "egress[0].ports[1]"],
    ["no port", { ...tcp, ports: [] }, "egress[0].ports"],
    ["one port outside a list", { ...tcp, ports: 22 }, "egress[0].ports"],
    ["no pin", { ...verified, pins: [] }, "egress[0].pins"],
    ["a pin of another kind", { ...verified, pins: ["sha256/AAAA"] }, "egress[0].pins[0]"],
    ["a pin twice", { ...verified, pins: [PIN, PIN] }, "egress[0].pins[1]"],
    ["a WebSocket in words", { ...verified, websocket: "yes" }, "egress[0].websocket"],
    ["a root twice", { ...verified, roots: ROOT_PEM + ROOT_PEM }, "egress[0].roots[1]"],
    ["trust in somebody else", { ...tcp, trusts: "me" }, "egress[0].trusts"],
    ["methods in lower case", { ...verified, methods: ["get"] }, "egress[0].methods[0]"],
    ["any beside a method", { ...verified, methods: ["GET", "any"] }, "egress[0].methods[1]"],
    ["no method", { ...verified, methods: [] }, "egress[0].methods"],
    ["any beside a path", { ...verified, paths: ["/", "any"] }, "egress[0].paths[1]"],
    ["a path with dot segments", { ...verified, paths: ["/a/../b"] }, "egress[0].paths[0]"],
    ["all paths in another word", { ...verified, paths: "all" }, "egress[0].paths"],
  ])("refuse %s", (_, rule, path) => {
    const [problem, ...others] = refusals(rule);
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ path, expected: expect.any(String), actual: expect.any(String) });
  });

  it("are refused with all their problems at once", () => {
    const paths = refusals(
      { ...verified, host: "*", ports: [0, 53] },
      without(tcp, "trusts"),
      { ...passthrough, mode: "open" },
      http,
      passthrough,
      { ...passthrough, mode: "tcp", trusts: "network" },
    ).map(({ path }) => path);
    expect(paths.toSorted()).toEqual([
      "egress[0].host",
      "egress[0].ports[0]",
      "egress[0].ports[1]",
      "egress[1].trusts",
      "egress[2].mode",
      "egress[5]",
    ]);
  });
});

function without(rule: Rule, member: string): Rule {
  return Object.fromEntries(Object.entries(rule).filter(([name]) => name !== member));
}

describe("rules that overlap", () => {
  it("may differ in methods and paths", () => {
    const other = { ...verified, host: "API.example.com.", methods: ["POST"], paths: ["/v1/**"], ports: [443, 8443] };
    expect(resolve(verified, other)).toHaveLength(2);
    expect(resolve({ ...http, ports: [80] }, { ...http, ports: [80], methods: "any" })).toHaveLength(2);
    const pinned = { ...verified, pins: [PIN, `sha256:${"1".repeat(64)}`], roots: ROOT_PEM };
    expect(resolve(pinned, { ...pinned, pins: pinned.pins.toReversed(), roots: `\n${ROOT_PEM}` })).toHaveLength(2);
  });

  it.each<[string, Rule, Rule]>([
    ["their mode", verified, { ...passthrough, host: "api.example.com", ports: [80, 443] }],
    [
      "their mode, one with a wildcard",
      { ...verified, host: "*.example.com" },
      { ...tcp, host: "api.example.com", ports: [443] },
    ],
    [
      "their mode, the other with a wildcard",
      { ...tcp, host: "api.example.com", ports: [443] },
      { ...verified, host: "*.Example.com" },
    ],
    ["WebSockets", verified, { ...verified, websocket: true }],
    ["pins", verified, { ...verified, pins: [PIN] }],
    ["roots", verified, { ...verified, host: "*.example.com", roots: ROOT_PEM }],
  ])("are refused where they differ in %s", (_, one, other) => {
    const problem = onlyRefusal({ ...passthrough, ports: [1] }, one, other);
    expect(problem.path).toBe("egress[2]");
    expect(problem.expected).toContain("egress[1]");
  });

  it("do not overlap on other ports, other hosts and other levels", () => {
    const elsewhere = [
      { ...verified, websocket: true, ports: [8443] },
      { ...passthrough, ports: [443] },
      { ...tcp, ports: [443] },
      { ...passthrough, host: "*.api.example.com", ports: [443] },
      { ...passthrough, host: "example.com", ports: [443] },
    ];
    expect(resolve(verified, ...elsewhere)).toHaveLength(6);
  });
});

describe("ports in all", () => {
  const rules = (count: number): Rule[] =>
    Array.from({ length: Math.ceil(count / 30) }, (_, at) => ({
      ...tcp,
      host: `h${at}.example.com`,
      ports: Array.from({ length: Math.min(30, count - at * 30) }, (__, port) => 1000 + at * 30 + port),
    }));

  it("are at most 64, however they are spread", () => {
    expect(resolve(...rules(64))).toHaveLength(3);
    expect(resolve(...rules(64), { ...passthrough, ports: [1000, 1001] })).toHaveLength(4);
    expect(onlyRefusal(...rules(65))).toMatchObject({ path: "egress", actual: "65 ports" });
  });
});

describe("ways out in the resolved form", () => {
  const rules = resolve({ ...verified, pins: [PIN], roots: ROOT_PEM }, passthrough, { ...http, ports: [80] }, tcp);
  const source = parseManifestSource(sourceWith([]), { format: "json" }).manifest;

  function reread(at: number, change: Rule): readonly string[] {
    const egress = rules.map((rule, index) => (index === at ? { ...rule, ...change } : rule));
    const text = JSON.stringify({
      ...JSON.parse(formatManifest(resolveManifest(source, IMAGE))),
      egress: egress.map(sorted),
    });
    return problemsOf(() => parseManifest(text)).map(({ path }) => path);
  }

  // Members of one rule by name, as canonical JSON has them.
  function sorted(rule: object): unknown {
    return Object.fromEntries(Object.entries(rule).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  it("are read again as they are", () => {
    expect(reread(0, {})).toEqual([]);
  });

  it.each<[string, number, Rule, string]>([
    ["a name in upper case", 0, { host: "API.example.com" }, "egress[0].host"],
    ["a name with its dot", 1, { host: "db.example.com." }, "egress[1].host"],
    ["an address", 2, { host: "203.0.113.20" }, "egress[2].host"],
    ["any in a list", 0, { methods: ["any"] }, "egress[0].methods[0]"],
    ["any path in a list", 0, { paths: ["any"] }, "egress[0].paths[0]"],
    ["roots in PEM", 0, { roots: ROOT_PEM }, "egress[0].roots"],
    ["no root in a list", 0, { roots: [] }, "egress[0].roots"],
    ["a root that is not base64", 0, { roots: [`${ROOT}!`] }, "egress[0].roots[0]"],
    ["a root with something behind it", 0, { roots: [`${ROOT}AAAA`] }, "egress[0].roots[0]"],
    ["a root that is no certificate", 0, { roots: ["MAA="] }, "egress[0].roots[0]"],
    ["no word on pins", 0, { pins: null }, "egress[0].pins"],
    ["port 53", 3, { ports: [53] }, "egress[3].ports[0]"],
    ["another trust", 3, { trusts: "nobody" }, "egress[3].trusts"],
    ["a rule that disagrees", 1, { host: "api.example.com", ports: [443] }, "egress[1]"],
  ])("are refused with %s", (_, at, change, path) => {
    expect(reread(at, change)).toEqual([path]);
  });

  it.each(["websocket", "pins", "roots", "methods", "paths"])("are refused without %s", (member) => {
    expect(reread(0, { [member]: undefined })).toEqual([`egress[0].${member}`]);
  });

  it("hold no certificate that is cut off anywhere", () => {
    const der = Buffer.from(ROOT, "base64");
    for (let length = 0; length < der.length; length++) {
      expect(reread(0, { roots: [der.subarray(0, length).toString("base64")] })).toEqual(["egress[0].roots[0]"]);
    }
  });

  it("refuse a certificate by any bit of its outline, and never fail over one", () => {
    const der = Buffer.from(ROOT, "base64");
    const refused = Array.from(der, (byte, at) => {
      const flipped = Buffer.from(der);
      flipped[at] = byte ^ 0x04;
      return reread(0, { roots: [flipped.toString("base64")] }).length;
    });
    // The headers of certificate and signed part, the version, and the header of the serial number.
    expect(refused.slice(0, 15)).toEqual(Array.from({ length: 15 }, () => 1));
  });
});

describe("the host of a rule", () => {
  const validate = new Ajv({ strict: true, strictTypes: false }).compile(manifestSchema);
  const label = fc.string({ unit: fc.constantFrom("a", "Z", "0", "7", "x", "-", "*", "_", "é", "\n"), maxLength: 4 });
  const text = fc.oneof(
    fc.array(label, { maxLength: 4 }).map((labels) => labels.join(".")),
    fc.tuple(fc.constantFrom("", "*."), fc.domain(), fc.constantFrom("", ".", "..")).map((parts) => parts.join("")),
    fc.ipV4(),
    fc.constantFrom(
      "0x7f.1",
      "a.0x7f",
      "a.0X",
      `a.${"b".repeat(63)}`,
      `a.${"b".repeat(64)}`,
      `${"a.".repeat(126)}b`,
      `${"a.".repeat(126)}bc.`,
    ),
  );

  it("is the same to the parser, the normaliser and the schema that editors use", () => {
    let accepted = 0;
    fc.assert(
      fc.property(text, fc.constantFrom("passthrough", "tcp"), (host, mode) => {
        const rule = mode === "tcp" ? { ...tcp, host } : { ...passthrough, host };
        const problems = refusals(rule);
        expect(validate(JSON.parse(sourceWith([rule])))).toBe(problems.length === 0);
        if (problems.length > 0) return;
        accepted += 1;
        const [read] = resolve(rule);
        const name = host.replace(/^\*\./, "");
        expect(read?.host.replace(/^\*\./, "")).toBe(normalizeHostName(name) ?? name);
      }),
      { numRuns: 400 },
    );
    expect(accepted).toBeGreaterThan(40);
  });

  it("never makes the parser fail, whatever stands in a rule", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.jsonValue(), fc.record({ mode: fc.jsonValue(), host: fc.jsonValue() }))),
        (egress) => {
          for (const problem of refusals(...egress)) expect(problem.path).toMatch(/^egress/);
        },
      ),
      { numRuns: 300 },
    );
  });
});
