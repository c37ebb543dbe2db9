import {
  type CheckedRequirement,
  compareRequirement,
  type Egress,
  type Manifest,
  readTarget,
} from "@blindbox/manifest";
import { parseManifestSource, resolveManifest } from "@blindbox/manifest/source";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyEgress, IMAGE, KEY_DIGEST, PIN, ROOT, SMALL_YAML } from "./documents.ts";

const { manifest: source } = parseManifestSource(SMALL_YAML, { format: "yaml" });

const closed: Manifest = { ...resolveManifest(source, IMAGE), access: { principals: [], rules: [], mutualTls: null } };

const modes: readonly Egress["mode"][] = ["verified", "passthrough", "http", "tcp"];

/** One thing that can happen on the wire: a connection to a peer that proves itself somehow, and a request on it. */
interface Happening {
  readonly mode: Egress["mode"];
  readonly name: string;
  readonly port: number;
  readonly root: string;
  readonly pin: string;
  readonly websocket: boolean;
  readonly method: string;
  readonly target: string;
}

/** Everything over a small world: for each rule it is plain whether it lets it happen. */
function* happenings(rules: readonly Egress[]): Generator<Happening> {
  const names = [
    "api.example.com",
    "x.example.com",
    "db.example.com",
    "x.b.example.com",
    "example.com",
    "203.0.113.20",
  ];
  const requests = ["GET /", "POST /v1", "PUT /v1/", "GET /v1/a", "POST /v1/a/b", "PROPFIND /other", "PUT /v10"];
  const peers = ["store", ROOT, "MAMCAQE="].flatMap((root) => [PIN, KEY_DIGEST, "other"].map((pin) => ({ root, pin })));
  for (const { mode, ports } of rules) {
    for (const name of names) {
      for (const port of ports) {
        for (const peer of peers) {
          for (const request of requests) {
            const [method = "", target = ""] = request.split(" ");
            for (const websocket of [false, true]) yield { mode, name, port, ...peer, websocket, method, target };
          }
        }
      }
    }
  }
}

function lets(rule: Egress, it: Happening): boolean {
  const [first, ...rest] = rule.host.split(".");
  const [label, ...domain] = it.name.split(".");
  const isHost = rest.join(".") === domain.join(".") && (first === label || first === "*");
  if (!isHost || rule.mode !== it.mode || !rule.ports.includes(it.port)) return false;
  if (rule.mode === "verified") {
    if (!(rule.roots ?? ["store"]).includes(it.root)) return false;
    if (rule.pins.length > 0 && !rule.pins.includes(it.pin)) return false;
    if (it.websocket && !rule.websocket) return false;
  }
  if (!("methods" in rule)) return true;
  const path = readTarget(it.target)?.plainPath ?? "";
  const isPath = rule.paths === "any" || rule.paths.some((each) => isBelow(each, path));
  return isPath && (rule.methods === "any" || rule.methods.some((each) => each === it.method));
}

function isBelow(pattern: string, path: string): boolean {
  return pattern.endsWith("/**") ? path.startsWith(pattern.replace("**", "")) : path === pattern;
}

describe("for random rules and random requirements", () => {
  it("whatever rules that are within let happen, the accepted rules let happen", async () => {
    let within = 0;
    let refused = 0;
    const rules = fc.array(anyEgress, { minLength: 1, maxLength: 3 });
    // The accepted rules are often near the box's, so that the answer is often yes.
    const near = rules.chain((box) =>
      fc.tuple(fc.constant(box), fc.array(anyEgress, { maxLength: 2 }), fc.subarray(box, { minLength: 0 })),
    );
    await fc.assert(
      fc.asyncProperty(near, fc.boolean(), async ([box, others, kept], widen) => {
        const accepted = [...others, ...kept.map((rule) => (widen ? widened(rule) : rule))];
        const requirement: CheckedRequirement = {
          app: { image: "any" },
          access: { principals: { subsetOf: [] }, websocket: false, recorded: false },
          egress: { subsetOf: accepted, modes },
          logs: "none",
          operations: { health: "live", metrics: "none" },
          audit: false,
        };
        const differences = await compareRequirement({ ...closed, egress: box }, requirement);
        const wide = new Set(differences.map(({ path }) => path));
        expect(wide.size).toBe(differences.length);
        box.forEach((rule, index) => {
          if (wide.has(`egress[${index}]`)) {
            refused += 1;
            return;
          }
          within += 1;
          for (const it of happenings([rule])) {
            if (lets(rule, it)) expect(accepted.some((each) => lets(each, it))).toBe(true);
          }
        });
      }),
      { numRuns: 300 },
    );
    expect(within).toBeGreaterThan(100);
    expect(refused).toBeGreaterThan(100);
  });
});

/** The rule with more of everything. */
function widened(rule: Egress): Egress {
  if (!("methods" in rule)) return { ...rule, ports: [...new Set([...rule.ports, 1])] };
  return { ...rule, methods: "any", paths: rule.paths === "any" ? "any" : [...new Set(["/**", ...rule.paths])] };
}
