/** A box is accepted by what its Manifest means, and nothing is sent to one whose Manifest allows more than is required. */
import { SecurityPolicyError } from "@blindbox/attestation";
import { type AccessRule, type Egress, formatManifest, type Manifest } from "@blindbox/manifest";
import { describe, expect, test } from "vitest";
import { type Requirement, type RequirementByMeaning, SecureSession, type SessionOptions } from "../src/index.ts";
import {
  type Attempt,
  attempt,
  evidenceFor,
  leaks,
  type Lies,
  makeWorld,
  optionsFor,
  secret,
  sendEvidence,
  sha256,
  startFakeBox,
  startHonest,
  type World,
} from "./fake-box/index.ts";

const key = `sha256:${"a".repeat(64)}`;

const rule = { mode: "verified", host: "api.example.com", ports: [443], methods: ["POST"], paths: ["/v1/**"] } as const;

const resolvedRule: Egress = { ...rule, websocket: false, pins: [], roots: null };

const passthrough: Egress = { mode: "passthrough", host: "db.example.com", ports: [5432] };

const manifest: Manifest = {
  type: "blindbox-manifest/1",
  name: "transcriber",
  app: {
    image: `sha256:${"0".repeat(64)}`,
    port: 80,
    user: { uid: 1, gid: 1 },
    command: ["/app"],
    workingDir: "/",
    env: {},
    ready: null,
    writable: [],
    resources: { memory: 2 ** 26, cpus: 1000, processes: 16, tmp: 2 ** 20 },
    users: "one",
  },
  access: { principals: [{ id: "alice", apiKey: key, audit: true }], rules: [], mutualTls: null },
  egress: [resolvedRule],
  logs: "none",
  operations: { port: null, health: "live", metrics: "none" },
  audit: { entries: 10_000 },
};

const recordedRule: AccessRule = {
  allow: ["alice"],
  methods: ["GET"],
  path: "/**",
  headers: {},
  upgrade: "none",
  audit: true,
  limits: { body: 0, requestsPerMinute: 1, totalPerMinute: 1, concurrent: 1, time: 1, response: 0 },
};

const requirement: RequirementByMeaning = {
  app: { image: "any" },
  access: { principals: { subsetOf: [{ apiKey: key }] }, websocket: false, recorded: false },
  egress: { subsetOf: [rule], modes: ["verified"] },
  logs: "none",
  operations: { health: "live", metrics: "none" },
  sandbox: ["rooted"],
  audit: true,
};

function makeBoxWorld(changes: Partial<Manifest> = {}): Promise<World> {
  return makeWorld(formatManifest({ ...manifest, ...changes }));
}

function on(world: World, require: Requirement, lies: Lies = {}): Promise<Attempt> {
  const answer = async (asked: Parameters<typeof evidenceFor>[1]): Promise<void> =>
    sendEvidence(asked.socket, await evidenceFor(world, asked, lies));
  return attempt(world, { answer }, { require });
}

/** Class and message of the refusal, and each finding that did not pass. */
async function refused(tried: Promise<Attempt>): Promise<readonly string[]> {
  const { error, received } = await tried;
  expect(error).toBeInstanceOf(SecurityPolicyError);
  expect(leaks(received)).toBe(false);
  const { findings } = error as SecurityPolicyError;
  return findings
    .filter(({ status }) => status === "failed" || status === "skipped")
    .map(({ check, actual }) => `${check}: ${actual}`);
}

describe("a box whose Manifest is within the requirement", () => {
  test("is sent data, and each part has its finding", async () => {
    const world = await makeBoxWorld();
    await using honest = await startHonest(world, (_request, response) => response.end("hello"), {
      require: requirement,
    });
    expect(await (await honest.session.post("/", { body: secret })).text()).toBe("hello");
    const passed = honest.session.attestation.findings.filter(({ status }) => status === "passed");
    expect(passed.map(({ check }) => check)).toEqual(
      expect.arrayContaining([
        "image-required",
        "principals-required",
        "websocket-required",
        "recorded-required",
        "egress-required",
        "logs-required",
        "operations-required",
        "audit-required",
        "sandbox-required",
      ]),
    );
  });

  test("is accepted with any Manifest that means less", async () => {
    const world = await makeBoxWorld({
      egress: [],
      access: { principals: [], rules: [], mutualTls: null },
      name: "another",
    });
    expect(await on(world, requirement)).toMatchObject({ error: null });
  });
});

describe("a box whose Manifest goes beyond the requirement", () => {
  test("is refused with one finding for each rule that is too wide, and is sent nothing", async () => {
    const wider: Egress = { ...resolvedRule, host: "*.example.com" };
    const world = await makeBoxWorld({ egress: [resolvedRule, passthrough, wider] });
    expect(await refused(on(world, requirement))).toEqual([
      "egress-required: passthrough (egress[1])",
      "egress-required: *.example.com (egress[2])",
    ]);
  });

  test("says in its message which rule is the first and why", async () => {
    const { error } = await on(await makeBoxWorld({ egress: [passthrough] }), requirement);
    expect(String(error)).toContain(
      "The application reaches db.example.com in a mode that the requirement does not accept",
    );
    expect(String(error)).toContain("egress[0]");
  });

  test("says in its message which other rules are too wide as well", async () => {
    const wider: Egress = { ...resolvedRule, host: "*.example.com" };
    const { error } = await on(await makeBoxWorld({ egress: [passthrough, wider] }), requirement);
    expect(String(error)).toMatch(/egress\[0\].*egress\[1\]/);
  });

  test.each<[string, Partial<Manifest>, string]>([
    [
      "another caller",
      {
        access: {
          principals: [{ id: "alice", apiKey: `sha256:${"b".repeat(64)}`, audit: false }],
          rules: [],
          mutualTls: null,
        },
      },
      "principals-required",
    ],
    [
      "a WebSocket",
      { access: { ...manifest.access, rules: [{ ...recordedRule, upgrade: "websocket" }] } },
      "websocket-required",
    ],
    ["more logs", { logs: "app" }, "logs-required"],
    ["more told", { operations: { port: 9464, health: "ready", metrics: "none" } }, "operations-required"],
  ])("is refused with %s", async (_, changes, check) => {
    const [first, ...others] = await refused(on(await makeBoxWorld(changes), requirement));
    expect(first).toContain(`${check}: `);
    expect(others).toEqual([]);
  });

  test("is refused with another image, and where requests are not recorded", async () => {
    const image = on(await makeBoxWorld(), { ...requirement, app: { image: key } });
    expect(await refused(image)).toEqual([`image-required: ${manifest.app.image} (app.image)`]);
    const world = await makeBoxWorld({ access: { ...manifest.access, rules: [{ ...recordedRule, audit: false }] } });
    const records = on(world, { ...requirement, access: { ...requirement.access, recorded: true } });
    expect(await refused(records)).toEqual(["recorded-required: false (access.rules[0].audit)"]);
  });

  test("is refused where somebody may read the ledger and nobody is required to", async () => {
    const tried = on(await makeBoxWorld(), { ...requirement, audit: false });
    expect(await refused(tried)).toEqual(["audit-required: true (access.principals[0].audit)"]);
  });

  test("is refused with a sandbox of another driver", async () => {
    const tried = on(await makeBoxWorld(), { ...requirement, sandbox: ["unprivileged"] });
    expect(await refused(tried)).toEqual(["sandbox-required: rooted"]);
  });

  test("is refused with a Manifest that this client cannot read", async () => {
    expect(await refused(on(await makeWorld(), requirement))).toEqual([
      "manifest-meaning: a Manifest that this version cannot read",
    ]);
  });

  test("cannot show another Manifest instead", async () => {
    const world = await makeBoxWorld({ egress: [passthrough] });
    const shown = formatManifest(manifest);
    const tried = on(world, requirement, { document: (truth) => ({ ...truth, manifest: shown }) });
    const { error, received } = await tried;
    expect(error).toBeInstanceOf(Error);
    expect(leaks(received)).toBe(false);
    expect((error as SecurityPolicyError).findings).toContainEqual(
      expect.objectContaining({ check: "manifest-meaning", status: "skipped" }),
    );
  });

  test("cannot name another Manifest in its Statement either", async () => {
    const world = await makeBoxWorld({ egress: [passthrough] });
    const shown = formatManifest(manifest);
    const digest = await sha256(shown);
    const { error, received } = await on(world, requirement, {
      statement: (truth) => ({ ...truth, manifest: digest }),
      document: (truth) => ({ ...truth, manifest: shown }),
    });
    expect(error).toBeInstanceOf(Error);
    expect(leaks(received)).toBe(false);
  });
});

describe("a requirement by meaning", () => {
  async function mistake(require: unknown): Promise<string> {
    const world = await makeBoxWorld();
    await using box = await startFakeBox({ identity: world.identity, answer: () => {} });
    const options = { ...optionsFor(world), require } as SessionOptions;
    const error: unknown = await SecureSession.connect(box.url, options).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TypeError);
    expect(box.connections).toEqual([]);
    return String(error);
  }

  test.each(["app", "access", "egress", "logs", "operations", "sandbox", "audit"] as const)(
    "without %s is the caller's mistake",
    async (part) => {
      const { [part]: _, ...rest } = requirement;
      expect(await mistake(rest)).toMatch(new RegExp(`options\\.require.*${part}`));
      expect(await mistake({ ...rest, [part]: undefined })).toMatch(new RegExp(`options\\.require.*${part}`));
    },
  );

  test.each<[string, object, RegExp]>([
    ["no accepted driver", { sandbox: [] }, /options\.require\.sandbox/],
    ["an unknown driver", { sandbox: ["none"] }, /options\.require\.sandbox/],
    ["a driver outside a list", { sandbox: "rooted" }, /options\.require\.sandbox/],
    ["no modes", { egress: { subsetOf: [] } }, /egress\.modes/],
    ["an unknown part", { limits: true }, /options\.require\.limits is unknown/],
    ["a digest beside it", { manifest: key }, /stands beside/],
  ])("with %s is the caller's mistake", async (_, change, message) => {
    expect(await mistake({ ...requirement, ...change })).toMatch(message);
  });
});
