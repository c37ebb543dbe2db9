import { Writable } from "node:stream";
import { errorFor, type AttestationResult } from "@blindbox/attestation";
import { BuildError } from "@blindbox/builder";
import { describe, expect, test } from "vitest";
import { writeFindings } from "../src/output/findings.ts";
import { printable } from "../src/output/printable.ts";
import { createProgress } from "../src/output/progress.ts";
import { reportFailure } from "../src/output/report.ts";

/** A stream that keeps what is written to it. */
class Sheet extends Writable {
  isTTY?: boolean;
  #text = "";

  get text(): string {
    return this.#text;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#text += chunk.toString();
    done();
  }
}

const screen = (): { readonly stdout: Sheet; readonly stderr: Sheet } => ({ stdout: new Sheet(), stderr: new Sheet() });

describe("text from outside", () => {
  test.each([
    ["\u001b[2J", "\\u{1b}[2J"],
    ["a\nb\r\u0085c", "a\\u{a}b\\u{d}\\u{85}c"],
    ["\u202egnp.exe", "\\u{202e}gnp.exe"],
    ["grün → 語", "grün → 語"],
  ])("%j is shown as %j", (text, expected) => {
    expect(printable(text)).toBe(expected);
  });
});

describe("a failure", () => {
  test("of ours is shown with its stack, asks for a report and gives 5", () => {
    const terminal = screen();
    expect(reportFailure(terminal, new RangeError("broken bb_aaaaaaaaaaaaaaaa"))).toBe(5);
    const text = terminal.stderr.text;
    expect(text).toMatch(/^RangeError: broken bb_\(not shown\)\n {4}at /);
    expect(text).toMatch(/\nerror: this is a fault of BlindBox, not of yours\nhint: report it .*\n$/);
  });

  test("of a build is one line and a hint, and gives 2", () => {
    const terminal = screen();
    const error = new BuildError("not-an-image", { field: "image", expected: "a\u001bb", actual: "c", hint: "d" });
    expect(reportFailure(terminal, error)).toBe(2);
    expect(terminal.stderr.text).toBe("error: image: expected a\\u{1b}b, got c\nhint: d\n");
  });
});

describe("a refusal", () => {
  const finding = { step: "release", check: "release-unsigned", expected: "a", actual: "b", reason: "No." } as const;

  test.each([
    ["contraindicated", "failed", 1, "error: the box was refused (untrusted-release): "],
    ["warning", "warning", 3, "error: the box was not accepted (untrusted-release): "],
  ] as const)("with the status %s tells the first %s finding and gives %i", (status, of, code, text) => {
    const terminal = screen();
    const result = {
      status,
      tee: null,
      claims: {},
      findings: [{ ...finding, status: of }],
    } as unknown as AttestationResult;
    expect(reportFailure(terminal, errorFor(result))).toBe(code);
    expect(terminal.stderr.text).toBe(
      `${text}release-unsigned: No. Expected a; got b.\nhint: \`blindbox verify\` shows every comparison\n`,
    );
  });
});

describe("findings", () => {
  test("are grouped by step; what did not pass says what was expected, what was found and what to do", () => {
    const stream = new Sheet();
    const result = {
      status: "contraindicated",
      tee: "simulated",
      claims: { tee: "simulated", release: null, manifest: "sha256:1\u001b[2J" },
      findings: [
        { step: "parse", check: "document-form", status: "passed", expected: "x", actual: "x", reason: "Fine." },
        {
          step: "binding",
          check: "binding",
          status: "failed",
          expected: "a",
          actual: "b\u0007",
          reason: "Bad.",
          hint: "Go.",
        },
        { step: "parse", check: "statement-form", status: "passed", expected: "x", actual: "x", reason: "Fine, too." },
      ],
    } as unknown as AttestationResult;
    writeFindings(stream, {
      ...result,
      claims: { ...result.claims, measurement: null, sandboxDriver: null, binding: null },
    });
    expect(stream.text).toBe(
      [
        "the box says",
        "  tee            simulated",
        "  manifest       sha256:1\\u{1b}[2J",
        "parse",
        "  passed   document-form: Fine.",
        "  passed   statement-form: Fine, too.",
        "binding",
        "  failed   binding: Bad.",
        "           expected a",
        "           got      b\\u{7}",
        "           hint: Go.",
        "",
      ].join("\n"),
    );
  });
});

describe("progress", () => {
  const steps = [
    { step: "read", done: 0, total: 200 },
    { step: "read", done: 1, total: 200 },
    { step: "read", done: 200, total: 200 },
    { step: "write", done: 0, total: 0 },
  ];

  test("is one plain line for each step where there is no terminal", () => {
    const terminal = screen();
    const progress = createProgress(terminal, { read: "reading" });
    for (const step of steps) progress.show(step);
    progress.clear();
    expect(terminal.stderr.text).toBe("reading\nwrite\n");
  });

  test("is one line that is rewritten and taken away on a terminal", () => {
    const terminal = screen();
    terminal.stderr.isTTY = true;
    const progress = createProgress(terminal, { read: "reading" });
    for (const step of steps) progress.show(step);
    progress.clear();
    const line = "\r\u001b[2K";
    expect(terminal.stderr.text).toBe(`${line}reading 0 %${line}reading 100 %${line}write 100 %${line}`);
  });
});
