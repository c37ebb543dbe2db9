import type { Command } from "commander";
import { EncodingError } from "@blindbox/encoding";
import { formatBundle } from "../exchange/bundle.ts";
import { runSelfTest, type SelfTestOutcome } from "../exchange/self-test.ts";
import { checkNewFile, writeNewFile } from "../files.ts";
import { exitCodes, type ExitCode } from "../output/exit-codes.ts";
import { CliError } from "../output/failure.ts";
import { printable } from "../output/printable.ts";
import { hint, note, paint, writeLine, type OutputStream, type Terminal } from "../output/terminal.ts";
import { addBoxOptions } from "./box-options.ts";
import { createCommand, type CommandContext } from "./command.ts";
import { judge, type JudgeFlags } from "./judge.ts";
import { exitCodeOf, writeVerdict, writeVerdictJson, type Verdict } from "./verdict.ts";

interface VerifyFlags extends JudgeFlags {
  readonly json?: boolean;
  readonly explain?: boolean;
  readonly selfTest?: boolean;
  readonly save?: string;
}

/** Keeps what was judged, whatever was made of it: a refused box is evidence as well. */
async function save(file: string, { url, exchange, options }: Verdict, terminal: Terminal): Promise<void> {
  if (exchange === null || options === null) return note(terminal, "nothing was saved: there is no answer to keep");
  const { release, require } = options;
  const bundle = {
    url,
    exchange,
    time: Math.floor(Date.now() / 1000),
    releases: Array.isArray(release) ? (release as readonly string[]) : [],
    manifest: "manifest" in require ? require.manifest : "",
  };
  await writeNewFile(file, textOf(bundle), 0o644);
  note(terminal, `wrote ${printable(file)}`);
}

function textOf(bundle: Parameters<typeof formatBundle>[0]): string {
  try {
    return formatBundle(bundle);
  } catch (error) {
    if (!(error instanceof EncodingError)) throw error;
    const next = "nothing was saved: an answer that is no text cannot be one of a box";
    throw new CliError({ what: "--save", expected: "an answer in UTF-8", actual: "other bytes", hint: next });
  }
}

/** Null where there is no accepted exchange: what is refused anyway shows nothing by being refused. */
async function selfTest({ exchange, refusal, options }: Verdict): Promise<readonly SelfTestOutcome[] | null> {
  if (exchange === null || options === null || refusal !== null) return null;
  return runSelfTest(exchange, options);
}

function writeSelfTest(stream: OutputStream, outcomes: readonly SelfTestOutcome[] | null): void {
  writeLine(stream, `\n${paint(stream, "strong", "altered copies of this exchange")}`);
  if (outcomes === null)
    return writeLine(stream, "self-test: not run, since only what was accepted can show what altering it does");
  const width = Math.max(...outcomes.map(({ what }) => what.length));
  for (const outcome of outcomes) writeOutcome(stream, outcome, width);
  const tried = outcomes.filter(({ outcome }) => outcome !== "absent").length;
  const missed = outcomes.filter(({ outcome }) => outcome === "accepted").length;
  const text = missed === 0 ? `all ${tried} refused` : `${missed} of ${tried} not refused`;
  writeLine(stream, `self-test: ${paint(stream, missed === 0 ? "good" : "bad", text)}`);
}

function writeOutcome(stream: OutputStream, { step, what, outcome, checks }: SelfTestOutcome, width: number): void {
  const start = `  ${step.padEnd(12)}  ${what.padEnd(width)}  `;
  if (outcome === "absent") return writeLine(stream, `${start}${paint(stream, "quiet", "there is none here")}`);
  const [style, text] =
    outcome === "refused"
      ? (["good", "refused, as it must be"] as const)
      : (["bad", "NOT REFUSED by this step"] as const);
  writeLine(stream, `${start}${paint(stream, style, text)}${checks.length === 0 ? "" : `: ${checks.join(", ")}`}`);
}

/** A kept exchange is stale by now, as every recording: whoever means to judge what was true then has to say so. */
function adviseOnClock({ result, kept }: Verdict, terminal: Terminal): void {
  const stale = result.findings.some(({ check, status }) => check === "clock" && status === "failed");
  if (!stale || kept === null || kept.clock !== "this machine's clock") return;
  hint(terminal, `this is a recording: --at ${kept.savedAt} judges it as of when its keeper says that it was made`);
}

async function verify(address: string | undefined, flags: VerifyFlags, terminal: Terminal): Promise<ExitCode> {
  await demandNothingLost(flags);
  const verdict = await judge(address, flags);
  const outcomes = flags.selfTest === true ? await selfTest(verdict) : null;
  const explain = flags.explain === true;
  if (flags.json === true) writeVerdictJson(terminal.stdout, verdict, { explain, selfTest: outcomes });
  else {
    writeVerdict(terminal.stdout, verdict, explain);
    if (flags.selfTest === true) writeSelfTest(terminal.stdout, outcomes);
  }
  adviseOnClock(verdict, terminal);
  if (flags.save !== undefined) await save(flags.save, verdict, terminal);
  const missed = outcomes?.some(({ outcome }) => outcome === "accepted") === true;
  return missed ? exitCodes.fault : exitCodeOf(verdict);
}

/** Before the box is asked: an exchange takes place once, and what it is to be kept in has to be there for it. */
async function demandNothingLost({ bundle, save: file }: VerifyFlags): Promise<void> {
  if (file === undefined) return;
  if (bundle === undefined) return checkNewFile(file);
  const advice = "a bundle is a file already: copy it";
  throw new CliError({ what: "--save", expected: "it beside a URL", actual: "it beside --bundle", hint: advice });
}

/** `blindbox verify`: one attestation, live or kept, shown comparison by comparison. */
export function addVerify(context: CommandContext): Command {
  const command = createCommand("verify", context)
    .description("attests a box and shows every comparison; sends nothing but the attestation request")
    .argument("[url]", "https address of the box");
  return addBoxOptions(command)
    .option("--json", "write the whole result as JSON")
    .option("--explain", "say of every comparison what it means and where it is specified")
    .option("--self-test", "then alter copies of the exchange, one for each step, and show that each is refused")
    .option("--save <file>", "keep the exchange in this new file, to be judged offline; no credential is in it")
    .option("--bundle <file>", "judge a kept exchange instead of a box; makes no connection")
    .option("--at <time>", "with --bundle: judge it as of this time, or as of `saved`; left out: now")
    .option("--trust-bundle", "with --bundle: compare with the release and Manifest that the bundle itself names")
    .action(async (url: string | undefined, flags: VerifyFlags) =>
      context.finish(await verify(url, flags, context.terminal)),
    );
}
