/** `verify --bundle`: what is judged, by which clock, against whose word; how it is explained, altered and refused. */
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { formatRelease, parseRelease } from "@blindbox/release";
import { describe, expect, test } from "vitest";
import { kept, run } from "./kept-exchange.ts";

describe("a kept exchange", () => {
  test("is judged offline, and its keeper's words and the clock are told apart", async () => {
    const { verify } = await kept();
    const { code, stdout, stderr } = await verify();
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^a kept exchange\n {2}box +https:\/\/box\.example:8443, by the word of whoever saved it/);
    expect(stdout).toMatch(/ {2}judged at +\d{4}-.*Z, by this machine's clock\n/);
    expect(stdout).toContain("against        the release and the Manifest that your flags name");
  });

  test("is stale by another clock and refused; the bundle's time is used by a flag only", async () => {
    const { verify } = await kept();
    const late = await verify("--at", "2050-01-01T00:00:00Z");
    expect(late.code).toBe(1);
    expect(late.stdout).toContain("judged at      2050-01-01T00:00:00Z, by --at\n");
    expect(late.stdout).toMatch(/ {2}failed {3}clock: /);
    const then = await verify("--at", "saved");
    expect(then.code).toBe(0);
    expect(then.stdout).toContain("by the bundle's word (--at saved)");
  });

  test("that has grown stale is refused with the way to judge it as of then", async () => {
    const { file, verify } = await kept();
    const bundle = JSON.parse(readFileSync(file, "utf8")) as { document: string };
    // The clock of the box, an hour ago: the Statement is no longer the one that was signed, and stale as well.
    bundle.document = bundle.document.replace(/\\"time\\":(\d+)/, (_all, time) => `\\"time\\":${Number(time) - 3600}`);
    writeFileSync(file, JSON.stringify(bundle));
    const { code, stderr } = await verify();
    expect(code).toBe(1);
    expect(stderr).toMatch(/^hint: this is a recording: --at \d{4}-\S+Z judges it as of when its keeper says/);
  });

  test("says nothing of what is right: its own release counts only by a flag, and then the verdict says so", async () => {
    const { file, root } = await kept();
    const without = await run(["verify", "--bundle", file, root]);
    expect(without.code).toBe(2);
    expect(without.stderr).toContain("what the box should run: expected --box DIR or --release FILE, got neither");
    const trusting = await run(["verify", "--bundle", file, "--trust-bundle", root]);
    expect(trusting.code).toBe(0);
    expect(trusting.stdout).toContain("what the bundle itself says is right (--trust-bundle)");
    expect(trusting.stdout).toMatch(/: agrees with itself: .* not yours\n$/);
    expect(trusting.stdout).not.toContain("verified");
  });

  test("of another release than the flags name is refused", async () => {
    const { path, verify } = await kept();
    const release = parseRelease(readFileSync(path("release.json"), "utf8"));
    const referenceValues = [{ tee: "simulated", registers: { measurement: "ab".repeat(48) } }] as const;
    writeFileSync(path("release.json"), formatRelease({ ...release, referenceValues }));
    const { code, stdout } = await verify();
    expect(code).toBe(1);
    expect(stdout).toContain("  failed   reference-values");
  });

  test("with any one character altered is refused by a finding or as no bundle, and never a fault", async () => {
    const { file, verify } = await kept();
    const text = readFileSync(file, "utf8");
    const told = ["url", "time", "manifest", "releases"];
    for (let at = 0; at < text.length; at += 211) {
      const other = text[at] === "A" ? "B" : "A";
      writeFileSync(file, text.slice(0, at) + other + text.slice(at + 1));
      const { code, stdout, stderr } = await verify();
      if (code === 2) expect(stderr).toMatch(/^error: [^\n]+\nhint: [^\n]+\n$/);
      // What only its keeper says is compared with nothing, and shown as that.
      else if (code === 0)
        expect(
          told.some((name) => isWithin(text, name, at)),
          `${at}`,
        ).toBe(true);
      else expect(stdout).toContain("  failed   ");
    }
  });
});

/** Whether a place of the bundle's text is inside the value of that member. */
function isWithin(text: string, member: string, at: number): boolean {
  const start = text.indexOf(`"${member}":`);
  const end = text.indexOf(',"', start + member.length + 4);
  return at > start && (end === -1 || at < end || member === "releases");
}

describe("a file that is no bundle", () => {
  test.each<[string, (path: string) => void]>([
    ["none", () => undefined],
    ["a directory", (path) => mkdirSync(path)],
    ["an empty file", (path) => writeFileSync(path, "")],
    ["binary garbage", (path) => writeFileSync(path, Buffer.alloc(5000, 0xc3))],
    ["JSON of another kind", (path) => writeFileSync(path, '{"type":"blindbox-release/1"}')],
    ["64 MiB", sparse],
  ])("%s is told in one line, with advice and code 2", async (_name, make) => {
    const { path, flags } = await kept();
    make(path("other"));
    const { code, stdout, stderr } = await run(["verify", "--bundle", path("other"), ...flags]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^error: [^\n]+\nhint: [^\n]+\n$/);
  });
});

function sparse(path: string): void {
  writeFileSync(path, "");
  truncateSync(path, 64 * 1024 * 1024);
}

describe("flags that do not fit", () => {
  test.each<[readonly string[], string]>([
    [[], "what to verify: expected a URL or --bundle FILE, got neither"],
    [["https://127.0.0.1:1", "--bundle", "FILE"], "what to verify: expected a URL or --bundle FILE, got both"],
    [["--bundle", "FILE", "--save", "y"], "--save: expected it beside a URL"],
    [["https://127.0.0.1:1", "--at", "2027-01-01"], "--at: expected it beside --bundle"],
    [["https://127.0.0.1:1", "--trust-bundle"], "--trust-bundle: expected it beside --bundle"],
    [["--bundle", "FILE", "--trust-bundle", "--box", "y"], "--trust-bundle: expected the bundle's word, or --box"],
    [["--bundle", "FILE", "--at", "2027-02-30"], "--at: expected a time such as"],
    [["--bundle", "FILE", "--at", "2027-01-01T00:00:00"], "--at: expected a time such as"],
    [["--bundle", "FILE", "--at", "1"], "--at: expected a time such as"],
    [["--bundle", "FILE", "--trust-bundle", "--tee", "sgx"], "--tee: expected sev-snp, tdx, nitro, azure-vtpm"],
    [["--bundle", "FILE", "--trust-bundle", "--accept", "clock"], "--accept: expected release-unsigned or debug"],
    [["--bundle", "FILE", "--trust-bundle", "--policy", "/nowhere"], "/nowhere: expected an Appraisal Policy, got no"],
  ])("%j", async (flags, words) => {
    const { file } = await kept();
    const { code, stdout, stderr } = await run(["verify", ...flags.map((flag) => (flag === "FILE" ? file : flag))]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(words);
    expect(stderr).toMatch(/^error: [^\n]+\nhint: [^\n]+\n$/);
  });

  test("--tee beside --simulated: one verification never holds both", async () => {
    const { code, stderr } = await (await kept()).verify("--tee", "tdx");
    expect(code).toBe(2);
    expect(stderr).toContain("--tee: expected it without --simulated, got both");
  });

  test("hardware is accepted by default, the simulator never: its release is refused before anything is compared", async () => {
    const { file } = await kept();
    const { code, stdout } = await run(["verify", "--bundle", file, "--trust-bundle"]);
    expect(code).toBe(1);
    expect(stdout).toContain("expected a release for sev-snp or tdx or nitro or azure-vtpm\n");
    expect(stdout).toContain("refused (not-an-enclave)");
  });
});

describe("a release for hardware", () => {
  const registers = { pcr0: "22".repeat(48), pcr1: "33".repeat(48), pcr2: "44".repeat(48) };
  const { pcr2: _pcr2, ...incomplete } = registers;

  test.each([
    ["a complete tuple", registers, 1, ""],
    ["a tuple without a register", incomplete, 2, "referenceValues[0].registers.pcr2: expected a value, got nothing"],
    ["a register of another length", { ...registers, pcr2: "44" }, 2, "pcr2: expected 48 bytes in lower-case hex"],
    ["a register that it has not", { ...registers, pcr9: "44" }, 2, "pcr9: expected only pcr0, pcr1, pcr2"],
  ])("with %s", async (_what, values, expected, words) => {
    const { file, path } = await kept();
    const release = parseRelease(readFileSync(path("release.json"), "utf8"));
    const text = formatRelease({
      ...release,
      runtime: { ...release.runtime, tee: "nitro" },
      referenceValues: [{ tee: "nitro", registers: values }],
    });
    writeFileSync(path("nitro.json"), text);
    const args = ["--release", path("nitro.json"), "--manifest", release.manifest];
    const { code, stdout, stderr } = await run(["verify", "--bundle", file, ...args]);
    expect(code).toBe(expected);
    if (expected === 2) expect(stderr).toContain(words);
    // A simulator's exchange under the default, which is all hardware.
    else expect(stdout).toContain("  failed   tee-kind: Evidence of this kind of TEE has no pinned root here.");
  });
});

describe("--policy", () => {
  test("is enforced, and what it excuses is shown as excused and accepted, until its day", async () => {
    const { path, verify } = await kept();
    const under = (more: object) => {
      const text = JSON.stringify({ extends: "strict", simulated: { minTcb: 2 }, ...more });
      writeFileSync(path("policy.json"), text);
      return verify("--policy", path("policy.json"));
    };
    const strict = await under({});
    expect(strict.code).toBe(1);
    expect(strict.stdout).toContain("  failed   tcb (tcb): ");
    const exception = { tee: "simulated", check: "tcb", subject: "tcb", reason: "a test machine" };
    const excused = await under({ exceptions: [{ ...exception, until: "2100-01-01" }] });
    expect(excused.code).toBe(0);
    expect(excused.stdout).toMatch(/ {2}excused {2}tcb \(tcb\): .*Accepted until 2100-01-01.*: a test machine/);
    const expired = await under({ exceptions: [{ ...exception, until: "2020-01-01" }] });
    expect(expired.code).toBe(1);
    expect(expired.stdout).toMatch(/hint: The exception for this ended 2020-01-01/);
  });
});

describe("--self-test and --explain", () => {
  test("every altered copy is shown as refused, by its step", async () => {
    const { code, stdout } = await (await kept()).verify("--self-test");
    expect(code).toBe(0);
    const lines = stdout.slice(stdout.indexOf("\naltered copies of this exchange\n")).split("\n");
    const refused = lines.filter((line) => line.includes("refused, as it must be: "));
    expect(refused).toHaveLength(15);
    for (const step of ["parse", "authenticate", "platform", "measurement", "binding", "freshness", "channel"])
      expect(refused.some((line) => line.startsWith(`  ${step} `))).toBe(true);
    expect(stdout).toMatch(/\nself-test: all 15 refused\n$/);
  });

  test("a refused exchange shows nothing by being altered, and keeps its exit code", async () => {
    const { code, stdout } = await (await kept()).verify("--self-test", "--at", "2050-01-01");
    expect(code).toBe(1);
    expect(stdout).toContain("not run, since only what was accepted can show what altering it does");
  });

  test("--json has the same: the bundle's words, explanations and self-test", async () => {
    const { file, verify } = await kept();
    const { code, stdout } = await verify("--json", "--self-test", "--explain");
    expect(code).toBe(0);
    const value = JSON.parse(stdout) as { readonly selfTest: readonly object[]; readonly findings: readonly object[] };
    expect(value).toMatchObject({
      url: "https://box.example:8443",
      accepted: true,
      bundle: { file, clock: "this machine's clock", requirements: "flags" },
    });
    expect(value.selfTest).toHaveLength(16);
    for (const finding of value.findings)
      expect(finding).toMatchObject({ means: expect.any(String) as string, page: expect.any(String) as string });
  });

  test("--explain says of each finding what it means, where that is specified, and what is next", async () => {
    const { stdout } = await (await kept()).verify("--explain");
    const findings = [...stdout.matchAll(/^ {2}(?:passed|warning|failed|skipped) +[a-z-]+/gm)];
    expect(findings.length).toBeGreaterThan(40);
    expect([...stdout.matchAll(/^ {11}see /gm)]).toHaveLength(findings.length);
    expect([...stdout.matchAll(/^ {11}means /gm)]).toHaveLength(findings.length);
  });
});
