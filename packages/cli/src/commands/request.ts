import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import { SecureSession } from "@blindbox/client";
import { Option, type Command } from "commander";
import { callBox, readBoxUrl } from "../box-call.ts";
import { keyVariable, readCredentials, type CredentialFlags } from "../credentials.ts";
import { fileReason } from "../files.ts";
import { exitCodes, type ExitCode } from "../output/exit-codes.ts";
import { CliError } from "../output/failure.ts";
import { printable } from "../output/printable.ts";
import { note, writeLine, type OutputStream, type Terminal } from "../output/terminal.ts";
import { addBoxOptions, readBoxOptions, type BoxOptions } from "./box-options.ts";
import { createCommand, type CommandContext } from "./command.ts";
import { readBody, type BodyFlags } from "./request-body.ts";

interface RequestFlags extends BoxOptions, BodyFlags, CredentialFlags {
  readonly header?: readonly string[];
  readonly include?: boolean;
  readonly output?: string;
}

/** What goes to the box, all read and checked before a connection is made. */
interface PreparedRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Awaited<ReturnType<typeof readBody>>["body"];
}

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

function readHeader(line: string): readonly [string, string] {
  const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*(.*)$/.exec(line) ?? [];
  if (name !== undefined && value !== undefined) return [name, value];
  const hint = "quote it for the shell: -H 'accept: text/plain'";
  throw new CliError({ what: "--header", expected: "name: value", actual: "something else", hint });
}

function bodyWithoutUse(method: string): CliError {
  const hint = "POST, PUT and PATCH carry a body";
  return new CliError({ what: "the body", expected: `none with ${method}`, actual: "one", hint });
}

async function prepare(method: string, address: string, flags: RequestFlags): Promise<PreparedRequest> {
  const url = readBoxUrl(address);
  const headers = (flags.header ?? []).map(readHeader);
  const { body, contentType } = await readBody(flags);
  if (body !== null && /^(get|head)$/i.test(method)) throw bodyWithoutUse(method);
  const typed = contentType === null || headers.some(([name]) => name.toLowerCase() === "content-type");
  return { method, url, headers: typed ? headers : [...headers, ["content-type", contentType]], body };
}

function writeHead(stream: OutputStream, response: Response): void {
  writeLine(stream, `HTTP/1.1 ${response.status} ${printable(response.statusText)}`.trimEnd());
  for (const [name, value] of response.headers) writeLine(stream, `${name}: ${printable(value)}`);
  writeLine(stream, "");
}

/** The body as it arrives, so that a long answer can be watched and piped on. */
async function writeBody(response: Response, output: string | undefined, { stdout }: Terminal): Promise<void> {
  // The two declarations of a web stream, of the runtime and of its module, describe the same object.
  const body = Readable.fromWeb((response.body ?? new Blob([]).stream()) as ReadableStream<Uint8Array>);
  if (output === undefined) return pipeline(body, stdout, { end: false });
  try {
    await pipeline(body, createWriteStream(output));
  } catch (error) {
    const actual = fileReason(error);
    if (actual === undefined) throw error;
    throw new CliError({ what: output, expected: "a file to write to", actual, hint: "name another file" });
  }
}

async function request(prepared: PreparedRequest, flags: RequestFlags, terminal: Terminal): Promise<ExitCode> {
  const { method, url, headers, body } = prepared;
  const credentials = await readCredentials(flags);
  const options = { ...(await readBoxOptions(flags)), credentials };
  return callBox(url, async () => {
    const session = await SecureSession.connect(url.origin, options);
    try {
      const response = await session.request(method, url, { headers, body });
      if (flags.include === true) writeHead(terminal.stdout, response);
      await writeBody(response, flags.output, terminal);
      if (response.status >= 400) note(terminal, `note: the answer has status ${response.status}`);
    } finally {
      await session.close();
    }
    return exitCodes.success;
  });
}

/** `blindbox request`: one request over an attested connection. */
export function addRequest(context: CommandContext): Command {
  const command = createCommand("request", context)
    .description("attests a box and, if it is accepted, sends one request to it")
    .argument("<method>", "GET, POST, …")
    .argument("<url>", "https address of the box, with path and query")
    .option("-H, --header <line>", "a header, as 'name: value'; may be given more than once", collect)
    .option("-d, --data <data>", "a form-encoded body; @file sends a file, @- the standard input")
    .option("--data-binary <data>", "a body of bytes, likewise")
    .option("-F, --form <field>", "a field of a multipart form, as name=value or name=@file; repeatable", collect)
    .option("-i, --include", "write status and headers before the body")
    .option("-o, --output <file>", "write the body into this file")
    .option("--key-file <file>", `the caller's API key, - for the standard input; else ${keyVariable} is read`)
    .option("--anonymous", "call without a key")
    .addOption(new Option("--key <key>").hideHelp());
  return addBoxOptions(command).action(async (method: string, url: string, flags: RequestFlags) => {
    const prepared = await prepare(method, url, flags);
    context.finish(await request(prepared, flags, context.terminal));
  });
}
