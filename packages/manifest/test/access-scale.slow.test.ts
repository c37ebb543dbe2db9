import { createHash } from "node:crypto";
import {
  createAccessDecider,
  formatManifest,
  type Manifest,
  parseManifest,
  policyDiff,
  type Principal,
} from "@blindbox/manifest";
import { parseManifestSource, resolveManifest } from "@blindbox/manifest/source";
import { describe, expect, it } from "vitest";
import { IMAGE } from "./documents.ts";

const digestOf = (text: string): string => `sha256:${createHash("sha256").update(text).digest("hex")}`;

function source(principals: number, rules: number): string {
  return JSON.stringify({
    blindbox: 1,
    name: "large",
    app: { image: "./app", port: 80 },
    access: {
      principals: Array.from({ length: principals }, (_, at) => ({ id: `caller-${at}`, apiKey: digestOf(`${at}`) })),
      rules: Array.from({ length: rules }, (_, at) => ({
        allow: Array.from({ length: principals / rules }, (__, of) => `caller-${at * (principals / rules) + of}`),
        methods: ["GET", "POST"],
        path: `/tenants/${at}/**`,
      })),
    },
  });
}

const read = (text: string): Manifest =>
  parseManifest(formatManifest(resolveManifest(parseManifestSource(text, { format: "json" }).manifest, IMAGE)));

describe("a Manifest of ten thousand callers and a thousand rules", () => {
  const manifest = read(source(10_000, 1000));

  it("is read, and decides as a small one does", async () => {
    const decider = await createAccessDecider(manifest);
    const ask = (caller: number, tenant: number): unknown => {
      const facts = { apiKey: digestOf(`${caller}`), token: null, certificate: null };
      const identity = decider.identify(facts, 0);
      const target = `/tenants/${tenant}/x`;
      return decider.decide({ identity, method: "GET", target, upgrade: null, headers: () => [] });
    };
    for (const caller of [0, 4999, 9999]) {
      const tenant = Math.floor(caller / 10);
      expect(ask(caller, tenant)).toMatchObject({ allowed: true, rule: tenant, principal: `caller-${caller}` });
      expect(ask(caller, (tenant + 1) % 1000)).toMatchObject({ allowed: false, reason: "forbidden" });
    }
    expect(ask(10_000, 0)).toMatchObject({ allowed: false, reason: "unauthenticated" });
  });

  it("is compared with another one", async () => {
    const [first, ...others] = manifest.access.rules;
    if (first === undefined) throw new Error("a thousand rules");
    const rules = [{ ...first, path: "/**" }, ...others];
    const changes = await policyDiff(manifest, { ...manifest, access: { ...manifest.access, rules } });
    expect(changes.map(({ direction, path }) => `${direction} ${path}`)).toEqual(["wider access.rules[0]"]);
  });

  it("may not have one caller or rule more", () => {
    expect(() => read(source(10_001, 1))).toThrow(/access\.principals: expected a list of 0 to 10000/);
    expect(() => read(source(1001, 1001))).toThrow(/access\.rules: expected a list of 0 to 1000/);
  });
});

describe("ten thousand callers of one issuer", () => {
  const principals: readonly Principal[] = Array.from({ length: 10_000 }, (_, at) => ({
    id: `caller-${at}`,
    jwt: {
      issuer: "https://idp.example",
      audience: "box",
      keys: { url: "https://idp.example/keys", thumbprints: ["A".repeat(43)] },
      algorithms: ["EdDSA" as const],
      requiredClaims: { sub: `s${at}`, role: ["a", "b"] },
      clockSkew: 0,
      maxLifetime: 3600,
    },
    audit: false,
  }));

  it("are told apart by their tokens, of which few are compared", async () => {
    let compared = 0;
    const counted = principals.map((principal) => ({
      ...principal,
      get audit(): boolean {
        compared += 1;
        return false;
      },
    }));
    const decider = await createAccessDecider({ access: { principals: counted, rules: [], mutualTls: null } });
    compared = 0;
    const claims = { iss: "https://idp.example", aud: "box", iat: 0, exp: 100, sub: "s1234", role: "b" };
    const token = { algorithm: "EdDSA", key: "A".repeat(43), claims };
    expect(decider.identify({ apiKey: null, token, certificate: null }, 50)).toMatchObject({ ids: ["caller-1234"] });
    expect(compared).toBe(1);
  });

  it("are compared in pairs only where one token can be two of them", async () => {
    const { access, ...rest } = read(source(1, 1));
    const [example] = access.rules;
    if (example === undefined) throw new Error("one rule");
    const rules = Array.from({ length: 1000 }, (_, at) => ({
      ...example,
      allow: principals.slice(at * 10, at * 10 + 10).map(({ id }) => id),
      path: `/tenants/${at}/**`,
    }));
    const before = { ...rest, access: { ...access, principals: [...principals], rules } };
    const [first, ...others] = rules;
    if (first === undefined) throw new Error("a thousand rules");
    const after = { ...before, access: { ...before.access, rules: [...others, { ...first, audit: true }] } };
    expect((await policyDiff(before, after)).map(({ direction, path }) => `${direction} ${path}`)).toEqual([
      "narrower access.rules[999].audit",
    ]);
  });

  it("are found among ten thousand others", async () => {
    const { access, ...rest } = read(source(1, 1));
    const manifest = { ...rest, access: { ...access, principals: [...principals], rules: [] } };
    const others = principals.map((each) => ({ ...each, id: `${each.id}-x` }));
    const renamed = { ...manifest, access: { ...manifest.access, principals: others } };
    expect(await policyDiff(manifest, renamed)).toEqual([]);
  });
});
