/** A warning that nothing accepts: refused like a failure, and told apart from one by its exit code. */
import { Writable } from "node:stream";
import { refusalOf, verifyRecorded, type VerifyOptions } from "@blindbox/client";
import { describe, expect, test } from "vitest";
import { callBox } from "../src/box-call.ts";
import { exitCodeOf, writeVerdict, type Verdict } from "../src/commands/verdict.ts";
import { reportFailure } from "../src/output/report.ts";
import { hardwareExchange } from "./hardware-exchange.ts";

class Text extends Writable {
  text = "";
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/** The verdict on a box of SEV-SNP whose release nobody signed, which is a warning. */
async function verdictOn(accept: NonNullable<VerifyOptions["accept"]>): Promise<Verdict> {
  const { input, options: right } = await hardwareExchange("sev-snp");
  const options = { ...right, accept };
  const result = await verifyRecorded(input, options);
  expect(result.status).toBe("warning");
  const refusal = refusalOf(result, options);
  return { url: "https://box.example", result, refusal, exchange: input, options, kept: null };
}

describe("a warning", () => {
  test("that no flag accepts ends `verify` with 3, and says so", async () => {
    const verdict = await verdictOn([]);
    expect(exitCodeOf(verdict)).toBe(3);
    const stdout = new Text();
    writeVerdict(stdout, verdict, false);
    expect(stdout.text).toContain("  warning  release-unsigned: ");
    expect(stdout.text).toMatch(/: not accepted \(untrusted-release\): a warning that no flag accepts\n$/);
  });

  test("that a flag accepts ends it with 0", async () => {
    const verdict = await verdictOn(["release-unsigned"]);
    expect(verdict.refusal).toBeNull();
    expect(exitCodeOf(verdict)).toBe(0);
  });

  test("that no flag accepts ends `request` with 3 as well", async () => {
    const { refusal } = await verdictOn([]);
    const terminal = { stdout: new Text(), stderr: new Text() };
    // As `request` meets it: thrown by the session, through the call.
    const call = callBox(new URL("https://box.example"), () => Promise.reject(refusal ?? new Error("accepted")));
    const error = await call.catch((thrown: unknown) => thrown);
    expect(reportFailure(terminal, error)).toBe(3);
    expect(terminal.stdout.text).toBe("");
    expect(terminal.stderr.text).toMatch(
      /^error: the box was not accepted \(untrusted-release\): release-unsigned: .+\nhint: .+\n$/,
    );
  });
});
