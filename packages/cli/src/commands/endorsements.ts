import { setTimeout } from "node:timers/promises";
import {
  createEndorser,
  EndorserError,
  formatEndorsementsDocument,
  type AmdProduct,
  type AmdSource,
  type Endorser,
  type EndorserOptions,
  type FetchedEndorsements,
  type Given,
  type IntelUpdate,
} from "@blindbox/attestation/endorsers";
import { type Command, InvalidArgumentError, Option } from "commander";
import { readEvidenceSubject } from "../endorsements/evidence-file.ts";
import { endorsementsCache, readEndorsementsDocument, readGiven } from "../endorsements/files.ts";
import { dateLines, subjectWords, validityWords } from "../endorsements/summary.ts";
import { writeNewFile } from "../files.ts";
import { interruptible } from "../interrupt.ts";
import { exitCodes, type ExitCode } from "../output/exit-codes.ts";
import { CliError } from "../output/failure.ts";
import { printable } from "../output/printable.ts";
import { hint, note, writeLine, type Terminal } from "../output/terminal.ts";
import { createCommand, type CommandContext } from "./command.ts";

/** The world that Endorsements are fetched from. */
export type EndorserWorld = Pick<EndorserOptions, "fetch" | "now" | "sleep" | "random">;

const world: EndorserWorld = {
  fetch: (url, init) => fetch(url, init),
  now: () => Date.now() / 1000,
  sleep: (milliseconds, signal) => setTimeout(milliseconds, undefined, { signal }),
  random: Math.random,
};

interface RecallFlags {
  readonly tcb: IntelUpdate;
  readonly out?: string;
  readonly product?: AmdProduct;
  readonly certificates?: string;
  readonly uvm?: string;
}

interface FetchFlags extends RecallFlags {
  readonly from: AmdSource;
}

/** Says what went wrong with an Endorser's own words; what the user gave, or the Evidence does not say, is no network's fault. */
function failureOf(error: unknown, given: Given): unknown {
  if (!(error instanceof EndorserError)) return error;
  const { code, field, expected, actual, missing } = error;
  const isInput = code === "missing" || code === "mismatch" || (given.ek !== null && field === "ek");
  const others = missing.length > 1 ? ` (missing: ${missing.join(", ")})` : "";
  const exitCode = isInput ? exitCodes.usage : exitCodes.unreachable;
  return new CliError({ what: field, expected, actual: `${actual}: ${code}${others}`, hint: error.hint, exitCode });
}

type Get = (endorser: Endorser, given: Given) => Promise<FetchedEndorsements>;

function makeEndorser(around: EndorserWorld, terminal: Terminal, flags: Pick<FetchFlags, "from" | "tcb">): Endorser {
  const cache = endorsementsCache((reason) => note(terminal, `the cache was not written: ${reason}`));
  return createEndorser({ ...around, cache, amdSource: flags.from, intelUpdate: flags.tcb });
}

async function writeDocument(
  endorser: Endorser,
  flags: RecallFlags,
  terminal: Terminal,
  given: Given,
  get: Get,
): Promise<ExitCode> {
  const fetched = await get(endorser, given).catch((error: unknown) => {
    throw failureOf(error, given);
  });
  const text = formatEndorsementsDocument(fetched.subject, fetched.endorsements);
  for (const { members, failure } of fetched.parts) {
    if (failure !== null)
      note(terminal, `${members.join(", ")}: kept from before, since the vendor did not give it (${failure.code})`);
  }
  if (flags.out === undefined) writeLine(terminal.stdout, text);
  else {
    await writeNewFile(flags.out, text, 0o644);
    note(terminal, `wrote ${printable(flags.out)}`);
  }
  return exitCodes.success;
}

async function fetchAll(path: string, flags: FetchFlags, terminal: Terminal, around: EndorserWorld): Promise<ExitCode> {
  const subject = await readEvidenceSubject(path, flags.product ?? null);
  const given = await readGiven(flags);
  note(terminal, `Endorsements for ${subjectWords(subject)}`);
  const endorser = makeEndorser(around, terminal, flags);
  return interruptible(async (signal) => {
    const get: Get = (from, gives) => from.fetch(subject, gives, signal);
    return writeDocument(endorser, flags, terminal, given, get).catch((error: unknown) => {
      throw signal.aborted ? signal.reason : error;
    });
  });
}

async function exportAll(
  path: string,
  flags: RecallFlags,
  terminal: Terminal,
  around: EndorserWorld,
): Promise<ExitCode> {
  const subject = await readEvidenceSubject(path, flags.product ?? null);
  const endorser = makeEndorser(around, terminal, { from: "kds", tcb: flags.tcb });
  return writeDocument(endorser, flags, terminal, await readGiven(flags), (from, gives) => from.recall(subject, gives));
}

async function importAll(path: string, terminal: Terminal, around: EndorserWorld): Promise<ExitCode> {
  const document = await readEndorsementsDocument(path);
  const taken = await makeEndorser(around, terminal, { from: "kds", tcb: "default" }).keep(document);
  writeLine(terminal.stdout, `taken: ${taken.length === 0 ? "nothing" : taken.join(", ")}`);
  if (taken.length < Object.keys(document.endorsements).length) {
    hint(
      terminal,
      "not taken is what is not valid now, what the cache has of a later day, and what no vendor has an address for (VLEK, uvm)",
    );
  }
  return exitCodes.success;
}

async function show(path: string, { stdout }: Terminal, { now }: EndorserWorld): Promise<ExitCode> {
  const document = await readEndorsementsDocument(path);
  writeLine(stdout, `Endorsements for ${printable(subjectWords(document.subject))}`);
  for (const line of dateLines(document, now())) writeLine(stdout, line);
  writeLine(stdout, validityWords(document, now()));
  return exitCodes.success;
}

function readUpdate(value: string): IntelUpdate {
  if (value === "default" || value === "standard" || value === "early") return value;
  if (/^\d{1,6}$/.test(value)) return Number(value);
  throw new InvalidArgumentError("Allowed choices are default, standard, early and a number.");
}

function addInputOptions(command: Command): Command {
  return command
    .argument("<evidence>", "a report, a quote, a Nitro document, an HCL report, or what a box answered")
    .option("-o, --out <file>", "write the document into this new file instead of the standard output")
    .addOption(
      new Option("--product <name>", "line of AMD processors; reports of version 2 do not name it").choices([
        "milan",
        "genoa",
        "turin",
      ]),
    )
    .option("--certificates <file>", "certificate table that the host gave beside the report (auxblob); has the VLEK")
    .option("--uvm <file>", "what endorses the utility VM of an Azure container group (COSE)")
    .option("--tcb <list>", "which of Intel's lists: default, standard, early, or its number", readUpdate, "default");
}

/** `blindbox endorsements`: what vendors publish about a machine. `around` is what it is fetched by. */
export function addEndorsements(context: CommandContext, around: EndorserWorld = world): Command {
  const { terminal, finish } = context;
  const fetchCommand = addInputOptions(
    createCommand("fetch", context).description("asks the vendor for the Endorsements of a machine, and keeps them"),
  )
    .addOption(
      new Option("--from <source>", "who has AMD's certificates: AMD, or the metadata service of this Azure machine")
        .choices(["kds", "thim"])
        .default("kds"),
    )
    .action(async (path: string, flags: FetchFlags) => finish(await fetchAll(path, flags, terminal, around)));
  const exportCommand = addInputOptions(
    createCommand("export", context).description("writes what was kept of a machine, with no network"),
  ).action(async (path: string, flags: RecallFlags) => finish(await exportAll(path, flags, terminal, around)));
  const importCommand = createCommand("import", context)
    .description("keeps what is in a document, for machines without a network")
    .argument("<document>", "what `fetch` or `export` wrote")
    .action(async (path: string) => finish(await importAll(path, terminal, around)));
  const showCommand = createCommand("show", context)
    .description("says whose Endorsements a document has, and how long each part is good for")
    .argument("<document>", "what `fetch` or `export` wrote")
    .action(async (path: string) => finish(await show(path, terminal, around)));
  return createCommand("endorsements", context)
    .description("fetches what vendors publish about a machine; verifying a box never needs it")
    .addCommand(fetchCommand)
    .addCommand(exportCommand)
    .addCommand(importCommand)
    .addCommand(showCommand);
}
