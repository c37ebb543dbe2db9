import { AttestationError, type AttestationResult, type VerificationInput } from "@blindbox/attestation";
import { recordBox, refusalOf, verifyRecorded, type VerifyOptions } from "@blindbox/client";
import { EncodingError } from "@blindbox/encoding";
import type { Command } from "commander";
import { callBox, readBoxUrl } from "../box-call.ts";
import { formatBundle, MAX_BUNDLE_BYTES, parseBundle, type Bundle } from "../exchange/bundle.ts";
import { runSelfTest, type SelfTestOutcome } from "../exchange/self-test.ts";
import { readInputText, writeNewFile } from "../files.ts";
import { exitCodes, type ExitCode } from "../output/exit-codes.ts";
import { writeExplanation } from "../output/explanation.ts";
import { CliError } from "../output/failure.ts";
import { writeFindings } from "../output/findings.ts";
import { printable } from "../output/printable.ts";
import { paint, writeLine, type OutputStream, type Style, type Terminal } from "../output/terminal.ts";
import { addBoxOptions, readBoxOptions, type BoxOptions } from "./box-options.ts";
import { createCommand, type CommandContext } from "./command.ts";

interface VerifyFlags extends BoxOptions {
  readonly json?: boolean;
  readonly explain?: boolean;
  readonly selfTest?: boolean;
  readonly save?: string;
  readonly bundle?: string;
  /** When to judge a kept exchange: a time, or `saved`. */
  readonly at?: string;
}

/** A result, why the flags do not accept it (null where they do), and what it was made of. */
interface Verdict {
  /** What was verified, for people. */
  readonly name: string;
  readonly result: AttestationResult;
  readonly refusal: AttestationError | null;
  /** Null where there was no answer to judge. */
  readonly exchange: VerificationInput | null;
  /** Null where the flags admit no box at all. */
  readonly options: VerifyOptions | null;
  /** By which clock an exchange was judged that is not of now; null for a live one. */
  readonly clock: string | null;
}

async function judgeBox(address: string, flags: VerifyFlags): Promise<Verdict> {
  const url = readBoxUrl(address);
  const options = await readBoxOptions(flags);
  const { result, exchange } = await callBox(url, () => recordBox(url.origin, options));
  return { name: url.origin, result, refusal: refusalOf(result, options), exchange, options, clock: null };
}

async function judgeBundle(file: string, flags: VerifyFlags): Promise<Verdict> {
  const bundle = await readBundle(file);
  const { now, clock } = readClock(flags.at, bundle);
  const options = { ...(await readBoxOptions(flags)), now };
  const result = await verifyRecorded(bundle.exchange, options);
  const name = `${file} (of ${bundle.url})`;
  return { name, result, refusal: refusalOf(result, options), exchange: bundle.exchange, options, clock };
}

const bundleHint = "`blindbox verify URL … --save FILE` writes one";

async function readBundle(file: string): Promise<Bundle> {
  const text = await readInputText(file, "a bundle", bundleHint, MAX_BUNDLE_BYTES);
  try {
    return parseBundle(text);
  } catch (error) {
    if (!(error instanceof EncodingError)) throw error;
    throw new CliError({
      what: `${file}: ${error.field}`,
      expected: error.expected,
      actual: error.actual,
      hint: bundleHint,
    });
  }
}

interface Clock {
  readonly now: () => Date;
  /** In words, for the output. */
  readonly clock: string;
}

function readClock(at: string | undefined, bundle: Bundle): Clock {
  if (at === undefined) return { now: () => new Date(), clock: "now, by this machine's clock" };
  if (at === "saved") {
    const time = new Date(bundle.time * 1000);
    return {
      now: () => time,
      clock: `${time.toISOString()}, when the bundle says that it was saved: its keeper's word`,
    };
  }
  const time = new Date(at);
  if (/^\d{4}-\d{2}-\d{2}/.test(at) && !Number.isNaN(time.getTime()))
    return { now: () => time, clock: time.toISOString() };
  const hint = "an exchange is fresh for some minutes only: name the time at which it is to be judged";
  throw new CliError({
    what: "--at",
    expected: "a time such as 2027-01-31T12:00:00Z, or saved",
    actual: "something else",
    hint,
  });
}

function exitCodeOf({ result, refusal }: Verdict): ExitCode {
  if (refusal === null) return exitCodes.success;
  return result.status === "contraindicated" ? exitCodes.contraindicated : exitCodes.warning;
}

function writeJson(stream: OutputStream, { name, result, refusal, clock }: Verdict): void {
  const verdict = { url: name, accepted: refusal === null, error: refusal?.code ?? null, judgedAt: clock };
  writeLine(stream, JSON.stringify({ ...verdict, ...result }, null, 2));
}

function verdictText({ result, refusal }: Verdict): readonly [Style, string] {
  if (refusal === null && result.status === "affirming") return ["good", "verified"];
  if (refusal === null) return ["careful", "accepted with the warnings above: not a protection to rely on"];
  if (result.status === "contraindicated") return ["bad", `refused (${refusal.code})`];
  return ["bad", `not accepted (${refusal.code}): a warning that no flag accepts`];
}

function writeVerdict(stream: OutputStream, verdict: Verdict, explain: boolean): void {
  if (explain) writeExplanation(stream, verdict.result);
  else writeFindings(stream, verdict.result);
  const [style, text] = verdictText(verdict);
  if (verdict.clock !== null) writeLine(stream, `\njudged at ${verdict.clock}`);
  writeLine(stream, `\n${printable(verdict.name)}: ${paint(stream, style, text)}`);
}

async function save(file: string, { name, exchange, options }: Verdict): Promise<void> {
  if (exchange === null || options === null) {
    const hint = "a peer that gives no Evidence leaves nothing to keep";
    throw new CliError({ what: "--save", expected: "an answer to keep", actual: "none", hint });
  }
  const { release, require } = options;
  const bundle = {
    url: name,
    exchange,
    time: Math.floor(Date.now() / 1000),
    releases: Array.isArray(release) ? (release as readonly string[]) : [],
    manifest: "manifest" in require ? require.manifest : "",
  };
  await writeNewFile(file, formatBundle(bundle), 0o644);
}

/** What was tried, and whether the Verifier noticed. Only an exchange that was accepted can show it. */
async function selfTest(stream: OutputStream, { exchange, refusal, options }: Verdict): Promise<ExitCode> {
  if (exchange === null || options === null || refusal !== null) {
    writeLine(stream, "\nself-test: not run, since there is no accepted exchange to tamper with");
    return exitCodes.contraindicated;
  }
  const outcomes = await runSelfTest(exchange, options);
  writeLine(stream, "\nself-test: tampered copies of this exchange");
  for (const outcome of outcomes) writeOutcome(stream, outcome);
  const missed = outcomes.filter(({ refused }) => !refused).length;
  const text = missed === 0 ? `all ${outcomes.length} refused` : `${missed} of ${outcomes.length} accepted`;
  writeLine(stream, `self-test: ${paint(stream, missed === 0 ? "good" : "bad", text)}`);
  return missed === 0 ? exitCodes.success : exitCodes.fault;
}

function writeOutcome(stream: OutputStream, { step, what, refused, checks }: SelfTestOutcome): void {
  const word = refused ? paint(stream, "good", "refused ") : paint(stream, "bad", "ACCEPTED");
  writeLine(stream, `  ${word} ${step.padEnd(12)} ${what}${refused ? `: ${checks.join(", ")}` : ""}`);
}

async function verify(address: string | undefined, flags: VerifyFlags, { stdout }: Terminal): Promise<ExitCode> {
  const verdict = await judgeOrRefuse(address, flags);
  if (flags.save !== undefined) await save(flags.save, verdict);
  if (flags.json === true) writeJson(stdout, verdict);
  else writeVerdict(stdout, verdict, flags.explain === true);
  const code = exitCodeOf(verdict);
  if (flags.selfTest !== true) return code;
  const tested = await selfTest(stdout, verdict);
  return code === exitCodes.success ? tested : code;
}

/** What is refused before anything was asked is a verdict as well, and shown as one. */
async function judgeOrRefuse(address: string | undefined, flags: VerifyFlags): Promise<Verdict> {
  try {
    return await judge(address, flags);
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error;
    const name = address ?? flags.bundle ?? "";
    return { name, result: error.result, refusal: error, exchange: null, options: null, clock: null };
  }
}

function judge(address: string | undefined, flags: VerifyFlags): Promise<Verdict> {
  const { bundle, at, save: keep, json, selfTest: tries } = flags;
  const hint = "`blindbox verify --help` lists what goes together";
  const refuse = (what: string, expected: string, actual: string): never => {
    throw new CliError({ what, expected, actual, hint });
  };
  if (json === true && tries === true) refuse("--self-test", "it without --json", "both");
  if (bundle !== undefined && address !== undefined) refuse("--bundle", "a URL or --bundle", "both");
  if (bundle !== undefined && keep !== undefined) refuse("--save", "it with a URL", "it with --bundle");
  if (bundle !== undefined) return judgeBundle(bundle, flags);
  if (at !== undefined) refuse("--at", "it with --bundle", "it with a URL");
  return address === undefined
    ? refuse("what to verify", "a URL or --bundle FILE", "neither")
    : judgeBox(address, flags);
}

/** `blindbox verify`: one attestation, live or kept, shown comparison by comparison. */
export function addVerify(context: CommandContext): Command {
  const command = createCommand("verify", context)
    .description("attests a box and shows every comparison; sends nothing but the attestation request")
    .argument("[url]", "https address of the box");
  return addBoxOptions(command)
    .option("--json", "write the whole result as JSON")
    .option("--explain", "say of every comparison what it means and where it is specified")
    .option("--self-test", "then tamper with a copy of each step, and show that each is refused")
    .option("--save <file>", "keep the exchange, to be judged offline; never a credential")
    .option("--bundle <file>", "judge a kept exchange instead of a box; makes no connection")
    .option("--at <time>", "judge it at this time, or at `saved`; left out: now")
    .action(async (url: string | undefined, flags: VerifyFlags) =>
      context.finish(await verify(url, flags, context.terminal)),
    );
}
