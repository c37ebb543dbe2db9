import { basename } from "node:path";
import { text as readAll } from "node:stream/consumers";
import type { RequestBody } from "@blindbox/client";
import { readInput } from "../files.ts";
import { CliError } from "../output/failure.ts";

/** The flags that make a body. */
export interface BodyFlags {
  readonly data?: string;
  readonly dataBinary?: string;
  readonly form?: readonly string[];
}

/** A body, and the content type that it has unless a header says otherwise; null where the body brings its own. */
export interface FlaggedBody {
  readonly body: RequestBody | null;
  readonly contentType: string | null;
}

const fileHint = "`@` before a name means the content of that file";

/** `@file` is the content of a file, `@-` what comes in; anything else is meant as it stands. */
async function readContent(value: string): Promise<string | Uint8Array<ArrayBuffer>> {
  if (!value.startsWith("@")) return value;
  if (value === "@-") return readAll(process.stdin);
  return new Uint8Array(await readInput(value.slice(1), "a file to send", fileHint));
}

function badField(): CliError {
  const expected = "name=value or name=@file";
  return new CliError({ what: "--form", expected, actual: "something without a name", hint: "quote it for the shell" });
}

async function readForm(fields: readonly string[]): Promise<FormData> {
  const form = new FormData();
  for (const field of fields) {
    const [, name, value] = /^([^=]+)=([\s\S]*)$/.exec(field) ?? [];
    if (name === undefined || value === undefined) throw badField();
    const content = await readContent(value);
    if (typeof content === "string") form.append(name, content);
    else form.append(name, new Blob([content]), basename(value.slice(1)));
  }
  return form;
}

/** What the flags make of the body; more than one kind of them is a `CliError`. */
export async function readBody({ data, dataBinary, form }: BodyFlags): Promise<FlaggedBody> {
  if ([data, dataBinary, form].filter((flag) => flag !== undefined).length > 1) {
    const hint = "a request has one body";
    throw new CliError({ what: "the body", expected: "one of --data, --data-binary, --form", actual: "several", hint });
  }
  if (data !== undefined) return { body: await readContent(data), contentType: "application/x-www-form-urlencoded" };
  if (dataBinary !== undefined) return { body: await readContent(dataBinary), contentType: "application/octet-stream" };
  return { body: form === undefined ? null : await readForm(form), contentType: null };
}
