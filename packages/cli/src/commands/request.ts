import type { ReadableStream } from "node:stream/web";
import { SecureSession } from "@blindbox/client";
import type { Command } from "commander";
import { callBox, readBoxUrl } from "../box-call.ts";
import {
  addCredentialFlags,
  credentialFiles,
  type CredentialFlags,
  demandOneInput,
  readCredentials,
} from "../credentials.ts";
import { exitCodes, type ExitCode } from "../output/exit-codes.ts";
import { CliError } from "../output/failure.ts";
import { printable } from "../output/printable.ts";
import { isOnePlace, note, writeLine, type OutputStream, type Terminal } from "../output/terminal.ts";
import { checkTarget } from "../request-target.ts";
import { addBoxOptions, readBoxOptions, type BoxOptions } from "./box-options.ts";
import { collect, createCommand, type CommandContext } from "./command.ts";
import { checkAnswerFile, writeAnswer } from "./request-answer.ts";
import { filesSent, readBody, type BodyFlags, type FlaggedBody } from "./request-body.ts";

interface RequestFlags extends BoxOptions, BodyFlags, CredentialFlags {
  readonly header?: readonly string[];
  readonly include?: boolean;
  readonly fail?: boolean;
  readonly output?: string;
}

type Header = readonly [name: string, value: string];

/** What goes to the box, all checked before a connection is made. */
interface PreparedRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: readonly Header[];
  readonly openBody: FlaggedBody["open"];
}

function readHeader(line: string): Header {
  const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*(.*)$/.exec(line) ?? [];
  if (name === undefined || value === undefined) {
    const hint = "quote it for the shell: -H 'accept: text/plain'";
    throw new CliError({ what: "--header", expected: "name: value", actual: "something else", hint });
  }
  if (name.toLowerCase() !== "content-length") return [name, value];
  const hint = "leave it out: it is counted from the body";
  throw new CliError({
    what: "--header",
    expected: "none that the client sets itself",
    actual: "content-length",
    hint,
  });
}

function readHeaders(flags: RequestFlags, { contentType }: FlaggedBody): readonly Header[] {
  const headers = (flags.header ?? []).map(readHeader);
  const isTyped = headers.some(([name]) => name.toLowerCase() === "content-type");
  if (isTyped && flags.form !== undefined) {
    const hint = "leave it out: the type of a form names its boundary";
    const expected = "none that the client sets itself";
    throw new CliError({ what: "--header", expected, actual: "content-type with --form", hint });
  }
  return isTyped || contentType === null ? headers : [...headers, ["content-type", contentType]];
}

function bodyWithoutUse(method: string): CliError {
  const hint = "POST, PUT and PATCH carry a body";
  return new CliError({ what: "the body", expected: `none with ${method}`, actual: "one", hint });
}

/** The files that are read, `-` being the standard input, of which there is only one. */
function filesRead(flags: RequestFlags): readonly string[] {
  const files = [...filesSent(flags), ...credentialFiles(flags)];
  demandOneInput(files);
  return files.filter((file) => file !== "-");
}

async function prepare(method: string, address: string, flags: RequestFlags): Promise<PreparedRequest> {
  const url = readBoxUrl(address);
  checkTarget(address, url);
  const body = await readBody(flags);
  if (body.open !== null && /^(get|head)$/i.test(method)) throw bodyWithoutUse(method);
  const headers = readHeaders(flags, body);
  const files = filesRead(flags);
  if (flags.output !== undefined) await checkAnswerFile(flags.output, files);
  return { method, url, headers, openBody: body.open };
}

function writeHead(stream: OutputStream, response: Response): void {
  writeLine(stream, `HTTP/1.1 ${response.status} ${printable(response.statusText)}`.trimEnd());
  for (const [name, value] of response.headers) writeLine(stream, `${name}: ${printable(value)}`);
  writeLine(stream, "");
}

/** Says how the application answered, on a line of its own. */
function noteStatus(terminal: Terminal, status: number, lineIsOpen: boolean): void {
  if (status < 400) return;
  const start = lineIsOpen && isOnePlace(terminal) ? "\n" : "";
  note(terminal, `${start}note: the answer has status ${status}`);
}

/** Sends the request and writes the answer; returns its status. */
async function exchange(
  session: SecureSession,
  { method, url, headers, openBody }: PreparedRequest,
  flags: RequestFlags,
  terminal: Terminal,
): Promise<number> {
  const body = openBody === null ? null : await openBody();
  const response = await session.request(method, url, { headers, body });
  if (flags.include === true) writeHead(terminal.stdout, response);
  // The two declarations of a web stream, of the runtime and of its module, describe the same object.
  const answer = (response.body ?? new Blob([]).stream()) as ReadableStream<Uint8Array>;
  const lineIsOpen = await writeAnswer(answer, flags.output, terminal.stdout);
  noteStatus(terminal, response.status, lineIsOpen);
  return response.status;
}

/** What a file says when it was written to while it was being sent: the length that was announced is no longer true. */
function changedFile(error: unknown): unknown {
  if (!(error instanceof DOMException) || error.name !== "NotReadableError") return error;
  const expected = "a file that stays as it is while it is sent";
  const hint = "send a copy of it; the application has got a part";
  return new CliError({ what: "the body", expected, actual: "one that was changed or cannot be read", hint });
}

async function request(prepared: PreparedRequest, flags: RequestFlags, terminal: Terminal): Promise<ExitCode> {
  const credentials = await readCredentials(flags);
  const options = { ...(await readBoxOptions(flags)), credentials };
  const status = await callBox(prepared.url, async () => {
    const session = await SecureSession.connect(prepared.url.origin, options);
    try {
      return await exchange(session, prepared, flags, terminal);
    } catch (error) {
      throw changedFile(error);
    } finally {
      await session.close();
    }
  });
  return status >= 400 && flags.fail === true ? exitCodes.failedStatus : exitCodes.success;
}

/** `blindbox request`: one request over an attested connection. */
export function addRequest(context: CommandContext): Command {
  const command = createCommand("request", context)
    .description("attests a box and, if it is accepted, sends one request to it")
    .argument("<method>", "GET, POST, …")
    .argument("<url>", "https address of the box, with path and query")
    .option("-H, --header <line>", "a header, as 'name: value'; may be given more than once", collect)
    .option(
      "-d, --data <data>",
      "a form-encoded body; @file sends a file, @- the standard input; several are joined with &",
      collect,
    )
    .option("--data-binary <data>", "a body of bytes, likewise")
    .option("-F, --form <field>", "a field of a form: name=value, name=@file or name=@file;type=…; repeatable", collect)
    .option("-i, --include", "write status and headers before the body")
    .option("-f, --fail", "end with 6 where the answer has a status of 400 or more; its body is written all the same")
    .option("-o, --output <file>", "write the body into this file")
    .option("--anonymous", "call without a credential");
  return addBoxOptions(addCredentialFlags(command, "the caller's")).action(
    async (method: string, url: string, flags: RequestFlags) => {
      const prepared = await prepare(method, url, flags);
      context.finish(await request(prepared, flags, context.terminal));
    },
  );
}
