import {
  type Access,
  type AccessDecision,
  type AccessRule,
  createAccessDecider,
  type Principal,
} from "@blindbox/manifest";
import { describe, expect, it } from "vitest";
import { key, LIMITS } from "./reference/world.ts";

const alice: Principal = { id: "alice", apiKey: key("a"), audit: false };

const open: AccessRule = {
  allow: ["alice"],
  methods: ["GET", "POST"],
  path: "/**",
  headers: {},
  upgrade: "none",
  audit: false,
  limits: LIMITS,
};

interface Asked {
  readonly headers?: Readonly<Record<string, readonly string[]>>;
  readonly upgrade?: string | null;
}

async function decide(rules: readonly Partial<AccessRule>[], asked: Asked = {}): Promise<AccessDecision> {
  const access: Access = { principals: [alice], rules: rules.map((each) => ({ ...open, ...each })), mutualTls: null };
  const decider = await createAccessDecider({ access });
  return decider.decide({
    identity: decider.identify({ apiKey: key("a"), token: null, certificate: null }, 0),
    method: "POST",
    target: "/x",
    upgrade: asked.upgrade ?? null,
    headers: (name) => asked.headers?.[name] ?? [],
  });
}

describe("conditions on headers", () => {
  it.each<[string, AccessRule["headers"], Asked["headers"], boolean]>([
    ["one of the values", { "x-a": { oneOf: ["1", "2"] } }, { "x-a": ["2"] }, true],
    ["another value", { "x-a": { oneOf: ["1", "2"] } }, { "x-a": ["3"] }, false],
    ["a value in other case", { "x-a": { oneOf: ["a"] } }, { "x-a": ["A"] }, false],
    ["two values in one line", { "x-a": { oneOf: ["1", "2"] } }, { "x-a": ["1, 2"] }, false],
    ["a header that comes twice", { "x-a": { oneOf: ["1"] } }, { "x-a": ["1", "1"] }, false],
    ["a header that is not there", { "x-a": { oneOf: ["1"] } }, {}, false],
    ["a header that is there, as it must", { "x-a": { present: true } }, { "x-a": ["any"] }, true],
    ["a header that is empty, and there", { "x-a": { present: true } }, { "x-a": [""] }, true],
    ["a header that is there twice", { "x-a": { present: true } }, { "x-a": ["a", "b"] }, false],
    ["no header where one must be", { "x-a": { present: true } }, {}, false],
    ["no header where none may be", { "x-a": { present: false } }, {}, true],
    ["a header where none may be", { "x-a": { present: false } }, { "x-a": [""] }, false],
    ["two headers where none may be", { "x-a": { present: false } }, { "x-a": ["", ""] }, false],
    ["one of two that must be", { "x-a": { oneOf: ["1"] }, "x-b": { oneOf: ["1"] } }, { "x-a": ["1"] }, false],
    ["both", { "x-a": { oneOf: ["1"] }, "x-b": { oneOf: ["1"] } }, { "x-a": ["1"], "x-b": ["1"] }, true],
  ])("%s", async (_, headers, sent, isAllowed) => {
    expect((await decide([{ headers }], { headers: sent ?? {} })).allowed).toBe(isAllowed);
  });

  it("leave a request to the next rule", async () => {
    const rules = [{ headers: { "x-a": { oneOf: ["1"] } } }, { audit: true }];
    expect(await decide(rules, { headers: { "x-a": ["1"] } })).toMatchObject({ rule: 0, audit: false });
    expect(await decide(rules)).toMatchObject({ rule: 1, audit: true });
  });

  it("are told by name, so that no others need be gathered", async () => {
    const rules = [
      { ...open, headers: { "x-a": { present: true } } },
      { ...open, headers: { "x-b": { present: false }, "x-a": { present: false } } },
    ];
    const { headerNames } = await createAccessDecider({ access: { principals: [alice], rules, mutualTls: null } });
    expect([...headerNames]).toEqual(["x-a", "x-b"]);
  });
});

describe("headers that name another method", () => {
  const override = { "x-http-method-override": { oneOf: ["PUT"] } };

  it("go on to the application only by a rule that lists their values", async () => {
    const headers = { "x-http-method-override": ["PUT"] };
    expect(await decide([{ headers: override }], { headers })).toMatchObject({ passes: ["x-http-method-override"] });
    expect(await decide([{}], { headers })).toMatchObject({ allowed: true, passes: [] });
    expect(await decide([{ headers: { "x-http-method-override": { present: false } } }])).toMatchObject({ passes: [] });
    expect(await decide([{ headers: { "x-a": { oneOf: ["PUT"] } } }], { headers: { "x-a": ["PUT"] } })).toMatchObject({
      passes: [],
    });
  });

  it("with another method match no such rule", async () => {
    expect((await decide([{ headers: override }], { headers: { "x-http-method-override": ["DELETE"] } })).allowed).toBe(
      false,
    );
  });
});

describe("upgrades", () => {
  it.each<[AccessRule["upgrade"], string | null, boolean]>([
    ["none", null, true],
    ["none", "websocket", false],
    ["none", "none", false],
    ["websocket", "websocket", true],
    ["websocket", null, true],
    ["websocket", "h2c", false],
    ["websocket", "WebSocket", false],
    ["websocket", "websocket, h2c", false],
    ["websocket", "", false],
  ])("where a rule says %s, asked for %j", async (upgrade, asked, isAllowed) => {
    expect((await decide([{ upgrade }], { upgrade: asked })).allowed).toBe(isAllowed);
  });
});

describe("a request by several principals at once", () => {
  const terms = {
    issuer: "https://idp.example",
    audience: "box",
    keys: { url: "https://idp.example/keys", thumbprints: ["A".repeat(43)] },
    algorithms: ["EdDSA" as const],
    clockSkew: 0,
    maxLifetime: 3600,
  };
  const principals: readonly Principal[] = [
    { id: "staff", jwt: { ...terms, requiredClaims: {} }, audit: false },
    { id: "admin", jwt: { ...terms, requiredClaims: { role: "admin" } }, audit: false },
  ];
  const claims = { iss: "https://idp.example", aud: "box", iat: 0, exp: 100, role: "admin" };
  const token = { algorithm: "EdDSA", key: "A".repeat(43), claims };

  async function ask(rules: readonly Partial<AccessRule>[]): Promise<AccessDecision> {
    const access: Access = { principals, rules: rules.map((each) => ({ ...open, ...each })), mutualTls: null };
    const decider = await createAccessDecider({ access });
    const identity = decider.identify({ apiKey: null, token, certificate: null }, 50);
    return decider.decide({ identity, method: "GET", target: "/x", upgrade: null, headers: () => [] });
  }

  it("is decided by the first rule that names one of them", async () => {
    expect(await ask([{ allow: ["anonymous"] }, { allow: ["staff"] }, { allow: ["admin"] }])).toMatchObject({
      rule: 1,
      principal: "staff",
    });
    expect(await ask([{ allow: ["admin"] }, { allow: ["staff"] }])).toMatchObject({ rule: 0, principal: "admin" });
  });

  it("is counted for the one that the rule names first", async () => {
    expect(await ask([{ allow: ["admin", "staff"] }])).toMatchObject({ principal: "admin" });
    expect(await ask([{ allow: ["staff", "admin"] }])).toMatchObject({ principal: "staff" });
  });
});
