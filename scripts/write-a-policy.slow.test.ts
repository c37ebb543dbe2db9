/** Everything that docs/write-a-policy.md says of its examples: built, asked at the doors of a real box, and explained. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ACCESS_LOG_PATH, parseAccessLog, verifyAccessLog } from "@blindbox/attestation";
import { createEgressDecider, type Manifest, parseManifest } from "@blindbox/manifest";
import { parseManifestSource, resolveManifest } from "@blindbox/manifest/source";
import { SecureSession } from "@blindbox/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasAssets } from "../packages/cli/test/assets.ts";
import { blindbox, type Run } from "../packages/cli/test/command.ts";
import { optionsFor } from "../packages/client/test/fake-box/index.ts";
import { type RealBox, startRealBox } from "../packages/client/test/real-box.ts";
import { codeBlocks } from "./check-docs.ts";
import { type Call, type Cast, policyCast, policyExamples, policyPage } from "./policy-page.ts";

const examples = policyExamples();
const folder = mkdtempSync(join(tmpdir(), "bb-policy-"));
const buildImage = fileURLToPath(new URL("../examples/hello/build-image.sh", import.meta.url));

let cast: Cast;

beforeAll(async () => {
  cast = await policyCast();
  execFileSync(buildImage, [join(folder, "app.tar")], { stdio: ["ignore", "ignore", "inherit"] });
  examples.forEach(({ yaml }, index) => writeFileSync(join(folder, `${index + 1}.yml`), yaml));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** An image of which only what the Manifest leaves to it counts. */
const image = {
  digest: `sha256:${"1".repeat(64)}`,
  entrypoint: ["/bin/app"],
  command: [],
  env: {},
  user: { uid: 1000, gid: 1000 },
  workingDir: "/",
};

function resolved(yaml: string): Manifest {
  return resolveManifest(parseManifestSource(yaml, { format: "yaml" }).manifest, image);
}

function typed(...args: readonly string[]): Promise<Run> {
  return blindbox(args, { cwd: folder });
}

async function statusOf(box: RealBox, { who, method, path, contentType }: Call): Promise<number> {
  const credentials = cast.credentialsOf(who);
  if (credentials === undefined) throw new Error(`nobody plays ${who}`);
  const session = await SecureSession.connect(box.mutualUrl ?? box.url, optionsFor(box.world, { credentials }));
  try {
    const body = /^(POST|PUT)$/.test(method) ? "{}" : null;
    const headers = contentType === null ? {} : { "content-type": contentType };
    const response = await session.request(method, path, { body, headers });
    await response.text();
    return response.status;
  } finally {
    await session.close();
  }
}

test("there are five examples, and each says of one call at least that it is answered, and of two that they are not", () => {
  expect(examples).toHaveLength(5);
  for (const { calls, printed } of examples) {
    expect(calls.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(1);
    expect(calls.filter(({ status }) => status === 401 || status === 403).length).toBeGreaterThanOrEqual(2);
    expect(printed.map(({ args }) => args[0])).toContain("policy");
  }
});

describe.each(examples.map((example, index) => [example.title, example, `${index + 1}.yml`] as const))(
  "example %s",
  (_, { yaml, calls, waysOut, printed }, file) => {
    let box: RealBox;

    beforeAll(async () => {
      box = await startRealBox(resolved(cast.withKeys(yaml)));
    });
    afterAll(() => box[Symbol.asyncDispose]());

    test("is built into a box that enforces it as it stands", { timeout: 120_000 }, async () => {
      expect(hasAssets, "the bundles are missing: npm run build").toBe(true);
      const { code, stderr } = await typed("build", file);
      expect(code, stderr).toBe(0);
      const built = parseManifest(
        readFileSync(join(folder, `${resolved(yaml).name}.blindbox`, "manifest.json"), "utf8"),
      );
      const { access, egress, logs, operations, audit } = resolved(yaml);
      expect(built).toMatchObject({ access, egress, logs, operations, audit });
    });

    test("answers as the page says, and the app sees no call that is refused", async () => {
      const statuses: Call[] = [];
      for (const call of calls) statuses.push({ ...call, status: await statusOf(box, call) });
      expect(statuses).toEqual(calls);
      const admitted = calls.filter(({ status }) => status === 200).map(({ method, path }) => `${method} ${path}`);
      expect(box.app.seen.map(({ method, url }) => `${method} ${url}`)).toEqual(admitted);
    });

    test("lets the app out as the page says", () => {
      const decider = createEgressDecider(resolved(yaml));
      const isOut = waysOut.map(({ method, url }) => {
        const to = { name: url.hostname, port: url.port === "" ? 443 : Number(url.port) };
        const { allowed } = decider.connection({ ...to, address: null });
        return { method, url, isLetOut: allowed && decider.request(to, { method, target: url.pathname }).allowed };
      });
      expect(isOut).toEqual(waysOut);
      expect(decider.ports.length > 0).toBe(waysOut.some(({ isLetOut }) => isLetOut));
    });

    test("is explained in the words of the page, in their order", async () => {
      for (const { args, lines } of printed) {
        const { code, stdout } = await typed(...args.map((arg) => (arg === "blindbox.yml" ? file : arg)));
        expect(code).toBe(0);
        const all = stdout.split("\n").map((line) => line.trim());
        // Each line behind the one before it.
        const places = lines.reduce<number[]>(
          (found, line) => [...found, all.indexOf(line, (found.at(-1) ?? -1) + 1)],
          [],
        );
        expect(lines.filter((_line, at) => places[at] === -1)).toEqual([]);
      }
    });
  },
);

test("an auditor of the fourth example reads who asked under which rule, and nothing of what was refused", async () => {
  const { yaml, calls } = examples[3] ?? { yaml: "", calls: [] };
  const box = await startRealBox(resolved(cast.withKeys(yaml)));
  for (const call of calls) await statusOf(box, call);
  const auditor = await box.connect(cast.credentialsOf("the auditor's key") ?? { anonymous: true });
  const text = await (await auditor.get(ACCESS_LOG_PATH)).text();
  const log = parseAccessLog(text);
  expect(await verifyAccessLog(log, auditor.attestation.claims.audit)).toEqual([]);
  expect(
    log.records.map(({ principal, method, path, outcome, status }) => [principal, method, path, outcome, status]),
  ).toEqual([["clinicians", "GET", "/notes/**", "answered", 200]]);
  expect(text).not.toContain('17"');
  await auditor.close();
  await box[Symbol.asyncDispose]();
});

test("the first example alone is within the requirement of the page, and a rule more is found to be wider", async () => {
  const [requirement] = codeBlocks("", policyPage).filter(({ code }) => code.startsWith("app: { image: any }"));
  writeFileSync(join(folder, "require.yml"), requirement?.code ?? "");
  const within: (number | null)[] = [];
  for (const at of examples.keys()) {
    within.push((await typed("policy", "check", "--require", "require.yml", `${at + 1}.yml`)).code);
  }
  expect(within).toEqual([0, 1, 1, 1, 1]);
  writeFileSync(
    join(folder, "wider.yml"),
    (examples[0]?.yaml ?? "").replace("methods: [GET]", "methods: [GET, DELETE]"),
  );
  expect((await typed("policy", "diff", "1.yml", "wider.yml", "--fail-on", "wider")).code).toBe(1);
  expect((await typed("policy", "diff", "wider.yml", "1.yml", "--fail-on", "wider")).code).toBe(0);
});

test("the commands of the page exist, with all their flags", async () => {
  const lines = codeBlocks("", policyPage)
    .filter(({ language }) => language === "sh")
    .flatMap(({ code }) => code.trim().split("\n"));
  expect(lines.length).toBeGreaterThan(5);
  const helps = new Map<string, string>();
  for (const line of lines) {
    const [program, ...words] = line.split(" ");
    expect(program).toBe("blindbox");
    const name = words.slice(0, /^(keys|policy|manifest)$/.test(words[0] ?? "") ? 2 : 1);
    const help = helps.get(name.join(" ")) ?? (await typed(...name, "--help")).stdout;
    helps.set(name.join(" "), help);
    expect(help, line).toContain(`Usage: blindbox ${name.join(" ")} `);
    for (const [flag] of line.matchAll(/ (--[a-z-]+|-H)\b/g)) expect(help, line).toContain(flag.trim());
  }
});
