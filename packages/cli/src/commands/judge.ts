/** From the flags of `verify` to a verdict: on a box, or on an exchange that was kept. */
import { AttestationError } from "@blindbox/attestation";
import { recordBox, refusalOf, verifyRecorded } from "@blindbox/client";
import { EncodingError } from "@blindbox/encoding";
import { callBox, readBoxUrl } from "../box-call.ts";
import { MAX_BUNDLE_BYTES, parseBundle, type Bundle } from "../exchange/bundle.ts";
import { readInputText } from "../files.ts";
import { instantForm, readInstant } from "../instant.ts";
import { CliError } from "../output/failure.ts";
import { readBoxOptions, type BoxOptions, type GivenRequirements } from "./box-options.ts";
import type { Kept, Verdict } from "./verdict.ts";

/** The flags that say what is judged, when, and against what. */
export interface JudgeFlags extends BoxOptions {
  readonly bundle?: string;
  readonly at?: string;
  readonly trustBundle?: boolean;
}

/** The verdict on the box at `address`, or on the bundle that the flags name. Throws a `CliError` for what does not fit. */
export async function judge(address: string | undefined, flags: JudgeFlags): Promise<Verdict> {
  demandFitting(address, flags);
  if (flags.bundle !== undefined) return judgeBundle(flags.bundle, flags);
  return judgeBox(address ?? "", flags);
}

function demandFitting(address: string | undefined, { bundle, at, trustBundle, ...box }: JudgeFlags): void {
  const hint = "`blindbox verify --help` lists what goes together";
  const demand = (holds: boolean, what: string, expected: string, actual: string): void => {
    if (!holds) throw new CliError({ what, expected, actual, hint });
  };
  demand(address !== undefined || bundle !== undefined, "what to verify", "a URL or --bundle FILE", "neither");
  demand(address === undefined || bundle === undefined, "what to verify", "a URL or --bundle FILE", "both");
  demand(bundle !== undefined || at === undefined, "--at", "it beside --bundle", "it beside a URL");
  demand(bundle !== undefined || trustBundle !== true, "--trust-bundle", "it beside --bundle", "it beside a URL");
  const named = box.box ?? box.release ?? box.manifest;
  const expected = "the bundle's word, or --box, --release and --manifest";
  demand(trustBundle !== true || named === undefined, "--trust-bundle", expected, "both");
}

async function judgeBox(address: string, flags: JudgeFlags): Promise<Verdict> {
  const url = readBoxUrl(address);
  return orRefusal(url.origin, null, async () => {
    const options = await readBoxOptions(flags);
    const { result, exchange } = await callBox(url, () => recordBox(url.origin, options));
    return { url: url.origin, result, refusal: refusalOf(result, options), exchange, options, kept: null };
  });
}

async function judgeBundle(file: string, flags: JudgeFlags): Promise<Verdict> {
  const bundle = await readBundle(file);
  const kept = keptOf(file, bundle, flags);
  return orRefusal(bundle.url, kept, async () => {
    const given = flags.trustBundle === true ? requirementsIn(file, bundle) : null;
    const now = new Date(kept.judgedAt);
    const options = { ...(await readBoxOptions(flags, given)), now: () => now };
    const result = await verifyRecorded(bundle.exchange, options);
    return { url: bundle.url, result, refusal: refusalOf(result, options), exchange: bundle.exchange, options, kept };
  });
}

/** What is refused before anything was compared is a verdict as well, and shown as one. */
async function orRefusal(url: string, kept: Kept | null, work: () => Promise<Verdict>): Promise<Verdict> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error;
    return { url, result: error.result, refusal: error, exchange: null, options: null, kept };
  }
}

const bundleHint = "`blindbox verify URL … --save FILE` writes one";

async function readBundle(file: string): Promise<Bundle> {
  const text = await readInputText(file, "a bundle", bundleHint, MAX_BUNDLE_BYTES);
  try {
    return parseBundle(text);
  } catch (error) {
    if (!(error instanceof EncodingError)) throw error;
    const { field, expected, actual } = error;
    throw new CliError({ what: `${file}: ${field}`, expected, actual, hint: bundleHint });
  }
}

function requirementsIn(file: string, { releases, manifest }: Bundle): GivenRequirements {
  if (releases.length > 0) return { releases, manifest };
  const hint = "name the release yourself, with --release FILE and --manifest";
  throw new CliError({ what: `${file}: releases`, expected: "the releases that were accepted", actual: "none", hint });
}

function keptOf(file: string, { url, time }: Bundle, { at, trustBundle }: JudgeFlags): Kept {
  const savedAt = isoOf(time * 1000);
  const rest = { file, url, savedAt, requirements: trustBundle === true ? "bundle" : "flags" } as const;
  // To the second, as everything is judged by.
  if (at === undefined) return { ...rest, judgedAt: isoOf(Date.now()), clock: "this machine's clock" };
  if (at === "saved") return { ...rest, judgedAt: savedAt, clock: "the bundle's word (--at saved)" };
  const milliseconds = readInstant(at);
  if (milliseconds !== null) return { ...rest, judgedAt: isoOf(milliseconds), clock: "--at" };
  const hint = "an exchange is fresh for some minutes only: name the time at which it is to be judged";
  throw new CliError({ what: "--at", expected: `${instantForm}, or saved`, actual: "something else", hint });
}

function isoOf(milliseconds: number): string {
  return new Date(Math.floor(milliseconds / 1000) * 1000).toISOString().replace(".000Z", "Z");
}
