import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { writeBox } from "./box.ts";
import { blindbox, emptyDirectory } from "./command.ts";

const digest = `sha256:${"a".repeat(64)}`;

const before = `blindbox: 1
name: hello
app: { image: x.tar, port: 80 }
access:
  principals: [{ id: alice, apiKey: "${digest}", audit: true }]
  rules: [{ allow: [alice], methods: [POST], path: /v1/** }]
egress:
  - { host: api.example.com, ports: [443], methods: [POST], paths: [/v1/**] }
`;

const requirement = `app: { image: any }
access:
  principals: { subsetOf: [{ apiKey: "${digest}" }] }
  websocket: false
  recorded: false
egress:
  subsetOf: [{ host: api.example.com, ports: [443], methods: [POST], paths: [/v1/**] }]
  modes: [verified]
logs: none
operations: { health: live, metrics: none }
audit: true
sandbox: [rooted]
`;

function directoryWith(files: Readonly<Record<string, string>>): string {
  const directory = emptyDirectory();
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  return directory;
}

const wider = before
  .replace("[POST], path: /v1/**", "[POST, GET], path: /v1/**")
  .replace("egress:", "logs: app\negress:");

describe("blindbox policy diff", () => {
  test("tells what became wider and what narrower, with its place", async () => {
    const cwd = directoryWith({
      "a.yml": before,
      "b.yml": wider.replace(/ {2}- \{ host.*\n/, "").replace("egress:\n", ""),
    });
    const { code, stdout, stderr } = await blindbox(["policy", "diff", "a.yml", "b.yml"], { cwd });
    expect(code).toBe(0);
    expect(stdout).toBe(
      [
        "Wider: more is let in or out, kept or told",
        "  access.rules[0]: alice: may ask what was refused before (GET of /v1/**)",
        "  logs: what leaves as a log goes from none to app",
        "Narrower",
        "  egress[0] (before): gone: api.example.com in mode verified",
        "",
      ].join("\n"),
    );
    expect(stderr).toMatch(/^hint: .*built boxes\n$/);
  });

  test("fails on what is wider only where that is asked", async () => {
    const cwd = directoryWith({ "a.yml": before, "b.yml": wider });
    const codeOf = async (...args: string[]): Promise<number | null> =>
      (await blindbox(["policy", "diff", ...args], { cwd })).code;
    expect(await codeOf("a.yml", "b.yml")).toBe(0);
    expect(await codeOf("a.yml", "b.yml", "--fail-on", "wider")).toBe(1);
    expect(await codeOf("b.yml", "a.yml", "--fail-on", "wider")).toBe(0);
    expect(await codeOf("a.yml", "b.yml", "--fail-on", "narrower")).toBe(2);
  });

  test("says where there is no difference, and compares another image", async () => {
    const cwd = directoryWith({ "a.yml": before, "b.yml": before.replace("x.tar", "y.tar") });
    expect((await blindbox(["policy", "diff", "a.yml", "a.yml"], { cwd })).stdout).toMatch(/^no difference/);
    expect((await blindbox(["policy", "diff", "a.yml", "b.yml"], { cwd })).stdout).toContain(
      "app.image: the image goes from x.tar to y.tar",
    );
  });

  test("compares a written Manifest with a built box but for what the image says", async () => {
    const cwd = directoryWith({
      "a.yml": "blindbox: 1\nname: hello\napp: { image: x.tar, port: 80 }\naccess: { rules: [] }\n",
    });
    await writeBox(join(cwd, "hello.blindbox"));
    const { stdout, stderr } = await blindbox(["policy", "diff", "hello.blindbox", "a.yml"], { cwd });
    expect(stdout).not.toMatch(/app\.(image|command|user)/);
    expect(stdout).toContain("app.resources.memory");
    expect(stderr).toMatch(/^hint: /);
  });

  test.each([
    [["a.yml"], /missing required argument/],
    [["a.yml", "nowhere.yml"], /nowhere\.yml: expected a Manifest/],
    [["a.yml", "bad.yml"], /bad\.yml has 1 problem/],
  ])("refuses %j", async (args, message) => {
    const cwd = directoryWith({ "a.yml": before, "bad.yml": before.replace("port: 80", "port: 0") });
    const { code, stdout, stderr } = await blindbox(["policy", "diff", ...args], { cwd });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(message);
  });
});

describe("blindbox policy check", () => {
  test("ends well where the Manifest is within the requirement", async () => {
    const cwd = directoryWith({ "blindbox.yml": before, "r.yml": requirement });
    const { code, stdout, stderr } = await blindbox(["policy", "check", "--require", "r.yml"], { cwd });
    expect({ code, stdout }).toEqual({ code: 0, stdout: "blindbox.yml: within r.yml\n" });
    expect(stderr).toMatch(/^sandbox: not in a Manifest; .*\n$/);
  });

  test("tells each difference in words with its path", async () => {
    const cwd = directoryWith({ "b.yml": wider.replace(digest, `sha256:${"b".repeat(64)}`), "r.yml": requirement });
    const { code, stdout } = await blindbox(["policy", "check", "--require", "r.yml", "b.yml"], { cwd });
    expect(code).toBe(1);
    expect(stdout).toContain(
      [
        "access.principals[0]: a caller is admitted that the requirement does not accept, and every caller is an output",
        "  expected a caller whose key material is accepted",
        `  got      the API key with digest sha256:${"b".repeat(64)}`,
        "logs: more leaves the box as a log than the requirement accepts",
      ].join("\n"),
    );
  });

  test("reads a requirement in JSON, and a built box", async () => {
    const image = `sha256:${"1".repeat(64)}`;
    const access = { principals: { subsetOf: [] }, websocket: false, recorded: true };
    const json = {
      app: { image },
      access,
      egress: { subsetOf: [], modes: [] },
      logs: "none",
      operations: { health: "live", metrics: "none" },
      audit: false,
    };
    const cwd = directoryWith({
      "r.json": JSON.stringify(json),
      "other.json": JSON.stringify({ ...json, app: { image: digest } }),
    });
    await writeBox(join(cwd, "hello.blindbox"));
    const codeOf = async (file: string): Promise<number | null> =>
      (await blindbox(["policy", "check", "--require", file, "hello.blindbox"], { cwd })).code;
    expect([await codeOf("r.json"), await codeOf("other.json")]).toEqual([0, 1]);
  });

  test("accepts no image of a Manifest whose image is not resolved yet", async () => {
    const cwd = directoryWith({
      "blindbox.yml": before,
      "r.yml": requirement.replace("image: any", `image: "${digest}"`),
    });
    const { code, stdout } = await blindbox(["policy", "check", "--require", "r.yml"], { cwd });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^app\.image: which image will run is known when the box is built/);
  });

  test.each<[string, string, RegExp]>([
    [
      "a part left out",
      requirement.replace("logs: none\n", ""),
      /r\.yml: expected a complete requirement, got logs: expected a value/,
    ],
    ["an unknown part", `${requirement}limits: {}\n`, /complete requirement, got limits: /],
    ["a part twice", `${requirement}logs: app\n`, /r\.yml has 1 problem\n {2}logs: .*a repeated member/],
    ["a list", "[]", /expected a map with app, access, egress, logs, operations, audit/],
    ["another driver", requirement.replace("[rooted]", "[any]"), /sandbox: expected a list of rooted or unprivileged/],
    [
      "a principal by its id",
      requirement.replace(`{ apiKey: "${digest}" }`, "alice"),
      /access\.principals\.subsetOf\[0\]/,
    ],
  ])("refuses a requirement with %s as bad input", async (_, text, message) => {
    const cwd = directoryWith({ "blindbox.yml": before, "r.yml": text });
    const { code, stdout, stderr } = await blindbox(["policy", "check", "--require", "r.yml"], { cwd });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(message);
  });

  test("needs the requirement to be named", async () => {
    const { code, stderr } = await blindbox(["policy", "check"], { cwd: directoryWith({ "blindbox.yml": before }) });
    expect(code).toBe(2);
    expect(stderr).toMatch(/--require/);
  });
});

describe("blindbox exposure", () => {
  test("tells who sees what because of which member", async () => {
    const cwd = directoryWith({ "blindbox.yml": wider });
    const { code, stdout, stderr } = await blindbox(["exposure", "--target", "sev-snp"], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^What is seen of hello on sev-snp/);
    expect(stdout).toMatch(/^ {2}whatever the application prints, data included \[logs\]$/m);
    expect(stdout).toMatch(/^api\.example\.com, port 443, mode verified: the box checked its certificate/m);
    expect(stdout).toMatch(/^the caller alice\n {2}whatever the application answers to POST, GET of \/v1\/\*\*/m);
    expect(stdout).toMatch(/^AMD, who makes the chip/m);
    expect(stdout).not.toContain("EVERYTHING");
  });

  test("says of the simulator that it protects nothing, and reads a built box", async () => {
    const cwd = emptyDirectory();
    await writeBox(join(cwd, "hello.blindbox"));
    const { code, stdout } = await blindbox(["exposure", "hello.blindbox", "--target", "simulated"], { cwd });
    expect(code).toBe(0);
    expect(stdout).toContain("EVERYTHING: the simulated TEE protects nothing");
  });

  test.each([
    [["exposure"], /--target/],
    [["exposure", "--target", "sgx"], /sgx.*sev-snp, tdx, nitro, azure-vtpm, simulated/],
    [["exposure", "nowhere.yml", "--target", "tdx"], /nowhere\.yml: expected a Manifest/],
  ])("refuses %j", async (args, message) => {
    const { code, stdout, stderr } = await blindbox(args, { cwd: directoryWith({ "blindbox.yml": before }) });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(message);
  });
});
