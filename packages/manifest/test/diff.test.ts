import {
  type AccessRule,
  type Manifest,
  type PolicyChange,
  policyDiff,
  type Principal,
  type TokenTerms,
} from "@blindbox/manifest";
import { parseManifestSource, resolveManifest } from "@blindbox/manifest/source";
import { describe, expect, it } from "vitest";
import { FULL_YAML, IMAGE, KEY_DIGEST } from "./documents.ts";

function resolve(yaml: string): Manifest {
  return resolveManifest(parseManifestSource(yaml, { format: "yaml" }).manifest, IMAGE);
}

const full = resolve(FULL_YAML);

function short({ direction, document, path, words }: PolicyChange): string {
  return `${direction} ${document} ${path}: ${words}`;
}

function jwt(requiredClaims: TokenTerms["requiredClaims"]): TokenTerms {
  const keys = { url: "https://api.example.com/v1/keys", thumbprints: ["A".repeat(43)] };
  const terms = { issuer: "https://idp.example", audience: "box", keys, algorithms: ["EdDSA" as const] };
  return { ...terms, requiredClaims, clockSkew: 30, maxLifetime: 3600 };
}

const interns = { id: "interns", audit: false, jwt: jwt({ sub: ["ivan"] }) };
const staff = { id: "staff", audit: false, jwt: jwt({}) };
const admins = { id: "admins", audit: false, jwt: jwt({ groups: { item: "admin" } }) };

function openTo(allow: readonly string[], requestsPerMinute: number, audit: boolean): AccessRule {
  const limits = { body: 1, requestsPerMinute, totalPerMinute: 6000, concurrent: 1, time: 1, response: 1 };
  return { allow, methods: ["GET"], path: "/**", headers: {}, upgrade: "none", audit, limits };
}

function withCallers(principals: readonly Principal[], rules: readonly AccessRule[]): Manifest {
  return { ...full, access: { principals, rules, mutualTls: null } };
}

/** What changes when one text of the full document is replaced by another. */
async function changes(...replacements: readonly (readonly [from: string, to: string])[]): Promise<readonly string[]> {
  const text = replacements.reduce((before, [from, to]) => {
    expect(before).toContain(from);
    return before.replace(from, to);
  }, FULL_YAML);
  return (await policyDiff(full, resolve(text))).map(short);
}

describe("the difference of a Manifest and itself", () => {
  it("is nothing", async () => {
    expect(await policyDiff(full, full)).toEqual([]);
  });
});

describe("what callers may ask", () => {
  it("grows by a rule, and shrinks without it", async () => {
    const rule = "\n    - { allow: [acme-staff], methods: [GET], path: /status }";
    const from = "path: /about }";
    expect(await changes([from, `${from}${rule}`])).toEqual([
      "wider after access.rules[2]: acme-staff: may ask what was refused before (GET of /status)",
    ]);
    const back = await policyDiff(resolve(FULL_YAML.replace(from, `${from}${rule}`)), full);
    expect(back.map(short)).toEqual([
      "narrower before access.rules[2]: acme-staff: may no longer ask (GET of /status)",
    ]);
  });

  it("grows by a path, a method, a caller and anybody", async () => {
    expect(await changes(["path: /whisper/**", "path: /**"])).toEqual([
      "wider after access.rules[0]: acme-batch, acme-staff: may ask what was refused before (POST of /**)",
      "wider after access.rules[0].limits.body: acme-batch, acme-staff: body goes from 1048576 to 52428800 (POST of /about)",
    ]);
    expect(await changes(["methods: [POST], path: /whisper/**", "methods: [POST, PUT], path: /whisper/**"])).toEqual([
      "wider after access.rules[0]: acme-batch, acme-staff: may ask what was refused before (PUT of /whisper/**)",
    ]);
    expect(await changes(["[acme-batch, acme-staff]", "[acme-batch, acme-staff, acme-host]"])).toEqual([
      "wider after access.rules[0]: acme-host: may ask what was refused before (POST of /whisper/**)",
    ]);
    expect(await changes(["[acme-batch, acme-staff]", "[anonymous]"])).toEqual([
      "wider after access.rules[0]: anonymous: may ask what was refused before (POST of /whisper/**)",
    ]);
  });

  it("does not change with the order of callers who do not meet", async () => {
    expect(await changes(["[acme-batch, acme-staff]", "[acme-staff, acme-batch]"])).toEqual([]);
  });

  it("is the same under other names, but that the application is told them", async () => {
    const renamed = FULL_YAML.replaceAll("acme-batch", "batch");
    expect((await policyDiff(full, resolve(renamed))).map(short)).toEqual([
      "changed after access.rules[0]: batch: the application is told another name for this caller (POST of /whisper/**)",
    ]);
  });

  it("tells of two callers whose names were swapped", async () => {
    const [one, two] = ["1", "2"].map((digit) => `sha256:${digit.repeat(64)}`);
    const swapped = (admin = "", guest = ""): Manifest =>
      withCallers(
        [
          { id: "admin", audit: false, apiKey: admin },
          { id: "guest", audit: false, apiKey: guest },
        ],
        [openTo(["admin", "guest"], 60, false)],
      );
    expect((await policyDiff(swapped(one, two), swapped(two, one))).map(short)).toEqual([
      "changed after access.rules[0]: admin, guest: the application is told another name for this caller (GET of /**)",
    ]);
  });

  it("tells where keys of an issuer are asked for instead, though the same keys count", async () => {
    const [from, to] = ["https://api.example.com/v1/keys", "https://api.example.com/v1/other-keys"];
    expect(await changes([from, to])).toEqual([
      `changed after access.principals[3].allOf[1].jwt.keys.url: keys of https://idp.acme.example are asked for at ${to} instead of ${from}`,
    ]);
  });

  it("shrinks where a caller must present more, and grows where less", async () => {
    const more = ["email_verified: true, tenant", "email_verified: true, sub: me, tenant"] as const;
    expect(await changes(more)).toEqual([
      "narrower before access.rules[0]: acme-staff: may no longer ask (POST of /whisper/**)",
    ]);
    expect(await changes(["email_verified: true, tenant", "tenant"])).toEqual([
      "wider after access.rules[0]: acme-staff: may ask what was refused before (POST of /whisper/**)",
    ]);
    expect(await changes(["maxLifetime: 7200", "maxLifetime: 7201"])).toEqual([
      "wider after access.rules[0]: acme-staff: may ask what was refused before (POST of /whisper/**)",
    ]);
  });

  it("grows where a condition on a header goes, and shrinks where one comes", async () => {
    const [gone] = await changes(["x-mode: fast, ", ""]);
    expect(gone).toMatch(/^wider after access\.rules\[2\]: acme-host, acme-admin: may ask .*GET of \/live\/\*\*/);
    const [come] = await changes(["x-mode: fast, ", "x-mode: fast, x-other: a, "]);
    expect(come).toMatch(/^narrower before access\.rules\[2\]: acme-host, acme-admin: may no longer ask/);
  });

  it("grows where only a header that comes twice was refused before", async () => {
    const one = "    - { allow: [anonymous], methods: [GET], path: /y, headers: { x-a: { present: true } } }";
    const none = "    - { allow: [anonymous], methods: [GET], path: /y, headers: { x-a: { present: false } } }";
    const rules = (lines: string): Manifest =>
      resolve(FULL_YAML.replace("    - { allow: [anonymous], methods: [any], path: /about }", lines));
    const any = "    - { allow: [anonymous], methods: [GET], path: /y }";
    const found = await policyDiff(rules(`${one}\n${none}`), rules(`${one}\n${none}\n${any}`));
    expect(found.map(short)).toEqual([
      "wider after access.rules[3]: anonymous: may ask what was refused before (GET of /y, with x-a twice)",
    ]);
  });

  it("grows by a WebSocket", async () => {
    const back = await policyDiff(resolve(FULL_YAML.replace("      upgrade: websocket\n", "")), full);
    expect(back.map(short)).toHaveLength(1);
    expect(back[0]?.words).toContain("as a WebSocket");
    expect(back[0]?.direction).toBe("wider");
  });

  it("grows by a header that names another method", async () => {
    const plain = FULL_YAML.replace(", x-method-override: [PUT] }", " }");
    const [change] = await policyDiff(resolve(plain), full);
    expect(change).toMatchObject({ direction: "wider", path: "access.rules[2].headers.x-method-override" });
  });
});

describe("limits and records", () => {
  it("are compared for the requests that a rule decides", async () => {
    const from = "limits: { totalPerMinute: 60, time: 3600, response: 1GiB }";
    const to = "limits: { totalPerMinute: 30, time: 7200, response: 1GiB }";
    expect((await changes([from, to])).map((each) => each.slice(0, each.indexOf(" (")))).toEqual([
      "narrower after access.rules[2].limits.totalPerMinute: acme-host, acme-admin: totalPerMinute goes from 60 to 30",
      "wider after access.rules[2].limits.time: acme-host, acme-admin: time goes from 3600 to 7200",
    ]);
  });

  it("are told apart where a narrower rule before went", async () => {
    const rules = (lines: string): Manifest =>
      resolve(FULL_YAML.replace("    - { allow: [anonymous], methods: [any], path: /about }", lines));
    const all = "    - { allow: [anonymous], methods: [GET], path: /**, limits: { body: 9 } }";
    const few = "    - { allow: [anonymous], methods: [GET], path: /about, limits: { body: 1 } }";
    const found = await policyDiff(rules(`${few}\n${all}`), rules(all));
    expect(found.map(short)).toEqual([
      "wider after access.rules[1].limits.body: anonymous: body goes from 1 to 9 (GET of /about)",
    ]);
  });

  it("of the access log are wider where less is written", async () => {
    const [less] = await changes(["      audit: true\n      limits", "      audit: false\n      limits"]);
    expect(less).toMatch(/^wider after access\.rules\[2\]\.audit: .* are no longer written to the access log/);
    expect(await changes(["entries: 500", "entries: 400"])).toEqual([
      "wider after audit.entries: the access log keeps 400 entries instead of 500",
    ]);
  });
});

describe("somebody who is several principals", () => {
  it("comes under the rules of the others when one of them is taken out", async () => {
    const before = withCallers([interns, staff], [openTo(["interns"], 10, true), openTo(["staff"], 600, false)]);
    const after = withCallers([staff], [openTo(["staff"], 600, false)]);
    expect((await policyDiff(before, after)).map(short)).toEqual([
      "wider after access.rules[0].limits.requestsPerMinute: interns: requestsPerMinute goes from 10 to 600 (GET of /**)",
      "wider after access.rules[0].audit: interns: are no longer written to the access log (GET of /**)",
      "changed after access.rules[0]: interns: the application is told another name for this caller (GET of /**)",
    ]);
  });

  it("comes under the rule that now goes first", async () => {
    const [slow, fast] = [openTo(["admins"], 10, true), openTo(["interns"], 600, false)];
    const callers = [interns, admins];
    const both = "whoever is both admins and interns";
    const swapped = await policyDiff(withCallers(callers, [slow, fast]), withCallers(callers, [fast, slow]));
    expect(swapped.map(short).toSorted()).toEqual([
      `changed after access.rules[0]: ${both}: the application is told another name for this caller (GET of /**)`,
      `wider after access.rules[0].audit: ${both}: are no longer written to the access log (GET of /**)`,
      `wider after access.rules[0].limits.requestsPerMinute: ${both}: requestsPerMinute goes from 10 to 600 (GET of /**)`,
    ]);
  });

  it("counts for the one that a rule now names first", async () => {
    const found = await policyDiff(
      withCallers([interns, admins], [openTo(["admins", "interns"], 10, true)]),
      withCallers([interns, admins], [openTo(["interns", "admins"], 10, true)]),
    );
    expect(found.map(short)).toEqual([
      "changed after access.rules[0]: whoever is both admins and interns: the application is told another name for this caller (GET of /**)",
    ]);
  });

  it("is told of where another pair of the same rules keeps its name", async () => {
    // Whoever is both of the first two is `second` before and after; whoever is `third` and the new `second` is not.
    const before = [
      { ...interns, id: "second", jwt: jwt({ sub: "ivan" }) },
      { ...admins, id: "third", jwt: jwt({ role: "admin" }) },
    ];
    const after = [{ ...interns, id: "second", jwt: jwt({ groups: { item: "g" } }) }];
    const found = await policyDiff(
      withCallers(before, [openTo(["third", "second"], 10, true)]),
      withCallers(after, [openTo(["second"], 10, true)]),
    );
    expect(found.map(short)).toContain(
      "changed after access.rules[0]: whoever is both second and third: the application is told another name for this caller (GET of /**)",
    );
  });

  it("is nobody where no request can be both", async () => {
    const [slow, fast] = [openTo(["admins"], 10, true), openTo(["interns"], 600, false)];
    const strange = [
      { ...admins, jwt: jwt({ sub: "ina" }) },
      { ...admins, jwt: { ...admins.jwt, issuer: "https://other.example" } },
      { ...admins, jwt: { ...admins.jwt, keys: { url: "https://api.example.com/k", thumbprints: ["B".repeat(43)] } } },
      { id: "admins", audit: false, apiKey: KEY_DIGEST },
    ];
    for (const other of strange) {
      const callers = [interns, other];
      expect(await policyDiff(withCallers(callers, [slow, fast]), withCallers(callers, [fast, slow]))).toEqual([]);
    }
  });
});

describe("everything else", () => {
  it.each<[string, string, readonly string[]]>([
    ["logs: none", "logs: app", ["wider after logs: what leaves as a log goes from none to app"]],
    [
      ", audit: true }",
      " }",
      ["narrower before access.principals[0].audit: access log and egress ledger: acme-batch may no longer read it"],
    ],
    [
      "san: { dns: host.acme.example } }",
      "san: { dns: host.acme.example } }, audit: true",
      ["wider after access.principals[2].audit: access log and egress ledger: acme-host may now read it"],
    ],
    [
      "health: ready",
      "health: live",
      ["narrower after operations.health: what /readyz follows goes from ready to live"],
    ],
    [
      "metrics: coarse",
      "metrics: none",
      ["narrower after operations.metrics: metrics for whoever runs the box go from coarse to none"],
    ],
    [
      "port: 9464",
      "port: 9465",
      ["changed after operations.port: the port for whoever runs the box goes from 9464 to 9465"],
    ],
    [
      "{ port: 8444 }",
      "{ port: 8445 }",
      ["changed after access.mutualTls: the port for client certificates goes from 8444 to 8445"],
    ],
    ["ports: [5432]", "ports: [5432, 5433]", ["wider after egress[2]: new: db.example.com in mode passthrough, 5433"]],
    [
      "  - { host: db.example.com, ports: [5432], mode: passthrough }\n",
      "",
      ["narrower before egress[2]: gone: db.example.com in mode passthrough"],
    ],
    ["user: 1000", "user: 0", ["wider after app.user: the user goes from 1000:1000 to 0:0"]],
    ["[/var/lib/app]", "[/var/lib/app, /data]", ["wider after app.writable: may write to /data"]],
    ["MODEL: small", "MODEL: medium", ["changed after app.env.MODEL: another value"]],
    ["memory: 1GiB", "memory: 2GiB", ["wider after app.resources.memory: memory goes from 1073741824 to 2147483648"]],
    ["[python3, /server.py]", "[python3, /other.py]", ["changed after app.command: another command"]],
    ["name: transcriber\n", "name: other\n", ["changed after name: the name goes from transcriber to other"]],
  ])("%s → %s", async (from, to, expected) => {
    expect(await changes([from, to])).toEqual(expected);
  });

  it("tells of another image, which nobody can compare", async () => {
    const other = { ...full, app: { ...full.app, image: `sha256:${"9".repeat(64)}` } };
    expect((await policyDiff(full, other)).map(({ direction, path }) => `${direction} ${path}`)).toEqual([
      "changed app.image",
    ]);
  });
});
