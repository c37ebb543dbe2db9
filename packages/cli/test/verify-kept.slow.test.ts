/** `verify --save`, `--bundle`, `--self-test`, `--explain`, `--policy` and `--tee`, over a box that runs. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasAssets } from "./assets.ts";
import { blindbox, commandLine, runProgram, type Run } from "./command.ts";

const imageScript = fileURLToPath(new URL("../../../examples/hello/build-image.sh", import.meta.url));
const missing = ["bwrap", "ip", "busybox"].filter((program) => spawnSync(program, ["--help"]).error !== undefined);

describe.skipIf(!hasAssets || missing.length > 0)(
  `a kept exchange (needs npm run build, bubblewrap, iproute2, busybox-static; missing: ${missing.join(", ")})`,
  () => {
    const cwd = mkdtempSync(join(tmpdir(), "bb-"));
    const state = { XDG_STATE_HOME: join(cwd, "state") };
    const checked = ["--box", "hello.blindbox", "--simulated"];
    const kept = ["--bundle", "kept.json", ...checked];
    let child: ChildProcess;
    let url = "";

    const run = (...args: readonly string[]): Promise<Run> => blindbox(args, { cwd, env: state });

    beforeAll(async () => {
      await runProgram("sh", [imageScript, join(cwd, "hello.tar")]);
      await run("init", "--name", "hello", "--image", "hello.tar", "--port", "80", "--new-key", "key.txt");
      expect((await run("build")).code).toBe(0);
      const env = { PATH: process.env["PATH"] ?? "", HOME: "/nowhere", ...state };
      child = spawn(process.execPath, commandLine(["run", "hello.blindbox", "--listen", "127.0.0.1:0"]), { cwd, env });
      let said = "";
      await new Promise<void>((resolve, reject) => {
        child.stdout?.setEncoding("utf8").on("data", (text: string) => {
          said += text;
          url = /^url {3}(https:\S+)$/m.exec(said)?.[1] ?? "";
          if (url !== "") resolve();
        });
        child.once("close", () => reject(new Error(`the box ended: ${said}`)));
      });
      const { code, stdout } = await run("verify", url, ...checked, "--save", "kept.json", "--self-test");
      expect(code).toBe(0);
      expect(stdout).toContain("self-test: all 15 refused");
    });

    afterAll(async () => {
      child.kill("SIGINT");
      await once(child, "close");
      rmSync(cwd, { recursive: true, force: true });
    });

    test("holds no key, and is not overwritten", async () => {
      expect(readFileSync(join(cwd, "kept.json"), "utf8")).not.toContain("bb_");
      const again = await run("verify", url, ...checked, "--save", "kept.json");
      expect([again.code, again.stderr]).toEqual([2, expect.stringContaining("a file that is there already")]);
    });

    test("is judged offline by the same comparisons", async () => {
      const live = JSON.parse((await run("verify", url, ...checked, "--json")).stdout) as {
        findings: { check: string }[];
      };
      const offline = await run("verify", ...kept, "--at", "saved", "--json");
      const judged = JSON.parse(offline.stdout) as {
        findings: { check: string; status: string }[];
        bundle: { clock: string };
      };
      expect(offline.code).toBe(0);
      expect(judged.findings.map(({ check }) => check)).toEqual(live.findings.map(({ check }) => check));
      expect(judged.bundle.clock).toContain("the bundle's word");
    });

    test("is stale where the time to judge at is another", async () => {
      const { code, stdout } = await run("verify", ...kept, "--at", "2031-01-01T00:00:00Z");
      expect(code).toBe(1);
      expect(stdout).toMatch(/failed {3}clock: /);
      expect((await run("verify", ...kept, "--at", "some day")).code).toBe(2);
    });

    test("is refused with one character changed, wherever that is", async () => {
      const text = readFileSync(join(cwd, "kept.json"), "utf8");
      for (let at = 40; at < text.length - 40; at += Math.floor(text.length / 12)) {
        const character = text[at] === "0" ? "1" : "0";
        writeFileSync(join(cwd, "other.json"), text.slice(0, at) + character + text.slice(at + 1));
        const { code, stderr } = await run("verify", "--bundle", "other.json", ...checked, "--at", "saved");
        // Url, releases and Manifest of the bundle are not what is compared with: the flags are.
        const judged = /"(?:document|nonce|exporter|tls)":"[^"]*$/.test(text.slice(0, at).replaceAll('\\"', "'"));
        if (judged) expect([code === 1 || code === 2, stderr.includes("    at ")]).toEqual([true, false]);
      }
    });

    test("--explain says of each step what it asks, and where that is specified", async () => {
      const { code, stdout } = await run("verify", ...kept, "--at", "saved", "--explain");
      expect(code).toBe(0);
      for (const step of [
        "parse",
        "authenticate",
        "platform",
        "measurement",
        "binding",
        "freshness",
        "channel",
        "manifest",
        "sandbox",
      ])
        expect(stdout).toMatch(new RegExp(`^${step} {2}.+\\?`, "m"));
      expect(stdout.match(/docs\/verify\.md, step \d/g)?.length).toBeGreaterThanOrEqual(9);
    });

    test("an exception of a policy file accepts a failure until its day, and is shown", async () => {
      const policy = (until: string): string =>
        JSON.stringify({
          extends: "strict",
          simulated: { minTcb: 5 },
          exceptions: [{ tee: "simulated", check: "tcb", subject: "tcb", until, reason: "the update is on its way" }],
        });
      writeFileSync(join(cwd, "later.json"), policy("2999-01-01T00:00:00Z"));
      writeFileSync(join(cwd, "over.json"), policy("2001-01-01T00:00:00Z"));
      const accepted = await run("verify", ...kept, "--at", "saved", "--policy", "later.json");
      expect([accepted.code, accepted.stdout]).toEqual([0, expect.stringContaining("the update is on its way")]);
      const refused = await run("verify", ...kept, "--at", "saved", "--policy", "over.json");
      expect([refused.code, refused.stdout]).toEqual([
        1,
        expect.stringContaining("The exception for this ended 2001-01-01"),
      ]);
    });

    test.each([
      ["no JSON", "x", "a value of JSON"],
      ["no base", "{}", '"extends": "strict"'],
      ["an unknown member", '{"extends":"strict","debg":"allow"}', "debg"],
      ["an unknown member inside", '{"extends":"strict","tdx":{"any":1}}', "any"],
      ["a value of another type", '{"extends":"strict","maxClockSkew":"x"}', "policy.maxClockSkew"],
      [
        "an exception without a day",
        '{"extends":"strict","exceptions":[{"tee":"simulated","check":"tcb","subject":"tcb","reason":"x"}]}',
        "until",
      ],
      ["an exception of what none may be made of", exception("evidence-signature"), "policy.exceptions[0].check"],
    ])("a policy file with %s is told in one line", async (_what, text, named) => {
      writeFileSync(join(cwd, "policy.json"), text);
      const { code, stderr } = await run("verify", ...kept, "--policy", "policy.json");
      expect(code).toBe(2);
      expect(stderr).toMatch(/^error: [^\n]+\nhint: [^\n]+\n$/);
      expect(stderr).toContain(named);
    });

    test("without --simulated the release for the simulator admits no box, and nothing is sent", async () => {
      const { code, stdout } = await run("verify", url, "--box", "hello.blindbox");
      expect(code).toBe(1);
      expect(stdout).toMatch(/tee-kind: Nothing was sent/);
      const one = await run("verify", url, "--box", "hello.blindbox", "--tee", "tdx");
      expect([one.code, one.stdout]).toEqual([1, expect.stringContaining("a release for tdx")]);
    });

    test.each([
      [["--tee", "sgx"], "--tee"],
      [["--tee", "tdx", "--simulated"], "--tee"],
      [["--at", "saved"], "--at"],
      [["--trust-bundle"], "--trust-bundle"],
    ])("%j beside a URL is a mistake that is told", async (flags, what) => {
      const simulated = flags.includes("--tee") ? [] : ["--simulated"];
      const { code, stderr } = await run("verify", url, "--box", "hello.blindbox", ...simulated, ...flags);
      expect([code, stderr]).toEqual([2, expect.stringContaining(what)]);
    });

    test("a bundle that is none is told in one line", async () => {
      for (const file of ["hello.tar", "blindbox.yml", "hello.blindbox", "none.json"]) {
        const { code, stderr } = await run("verify", "--bundle", file, ...checked);
        expect(code).toBe(2);
        expect(stderr).toMatch(/^error: [^\n]+\nhint: [^\n]+\n$/);
      }
    });
  },
);

function exception(check: string): string {
  const until = "2999-01-01T00:00:00Z";
  return JSON.stringify({
    extends: "strict",
    exceptions: [{ tee: "simulated", check, subject: "x", until, reason: "x" }],
  });
}
