import { basename } from "node:path";
import type { RequestBody } from "@blindbox/client";
import { CliError } from "../output/failure.ts";
import { bodyOf, readContent, readNamedFile, wholeContent, type Content, type NamedFile } from "./content.ts";

/** The flags that make a body. */
export interface BodyFlags {
  readonly data?: readonly string[];
  readonly dataBinary?: string;
  readonly form?: readonly string[];
}

/** A body, and the content type that it has unless a header says otherwise; null where the body brings its own. */
export interface FlaggedBody {
  /** Reads what is to be sent, once a box was accepted. Null: there is no body. */
  readonly open: (() => Promise<RequestBody>) | null;
  readonly contentType: string | null;
}

/** One field of a form; `file` is null where the value stands in the flag itself. */
interface Field {
  readonly name: string;
  readonly value: string;
  readonly file: NamedFile | null;
}

const mediaType = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/;

function fieldProblem(actual: string, hint: string): CliError {
  return new CliError({ what: "--form", expected: "name=value or name=@file", actual, hint });
}

function readFieldFile(value: string): NamedFile {
  const [, path = "", type] = /^@(.*?)(?:;type=([^;]*))?$/s.exec(value) ?? [];
  if (path === "") throw fieldProblem("@ without a file", "`name=@speech.wav`, for instance");
  if (type === undefined) return { path, type: "application/octet-stream" };
  if (mediaType.test(type)) return { path, type };
  throw fieldProblem("a type that is none", "`name=@speech.wav;type=audio/wav`, for instance, or no `;type=` at all");
}

function readField(text: string): Field {
  const [, name, value] = /^([^=]+)=([\s\S]*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw fieldProblem("something without a name", "quote it for the shell");
  }
  return { name, value, file: value.startsWith("@") ? readFieldFile(value) : null };
}

/** The files that these flags read; `-` is the standard input. */
export function filesSent({ data = [], dataBinary, form = [] }: BodyFlags): readonly string[] {
  const values = [...data, ...(dataBinary === undefined ? [] : [dataBinary])].filter((value) => value.startsWith("@"));
  const files = form.flatMap((text) => readField(text).file ?? []);
  return [...values.map((value) => value.slice(1)), ...files.map(({ path }) => path)];
}

async function readForm(texts: readonly string[]): Promise<() => Promise<FormData>> {
  const fields = await Promise.all(
    texts.map(readField).map(async ({ name, value, file }) => {
      return { name, file, content: file === null ? value : await readNamedFile(file) };
    }),
  );
  return async () => {
    const form = new FormData();
    for (const { name, file, content } of fields) {
      const whole = await wholeContent(content, file?.type ?? "");
      if (typeof whole === "string") form.append(name, whole);
      else form.append(name, whole, basename(file?.path ?? ""));
    }
    return form;
  };
}

/** Several `--data` are one form, with `&` between them. */
async function joined(contents: readonly Content[]): Promise<RequestBody> {
  const [only, ...others] = contents;
  if (only !== undefined && others.length === 0) return bodyOf(only);
  const parts = await Promise.all(contents.map((content) => wholeContent(content, "")));
  return new Blob(parts.flatMap((part, at) => (at === 0 ? [part] : ["&", part])));
}

/** What the flags make of the body; more than one kind of them is a `CliError`. Nothing is read that is sent. */
export async function readBody({ data, dataBinary, form }: BodyFlags): Promise<FlaggedBody> {
  if ([data, dataBinary, form].filter((flag) => flag !== undefined).length > 1) {
    const hint = "a request has one body";
    throw new CliError({ what: "the body", expected: "one of --data, --data-binary, --form", actual: "several", hint });
  }
  if (form !== undefined) return { open: await readForm(form), contentType: null };
  if (data === undefined && dataBinary === undefined) return { open: null, contentType: null };
  const contents = await Promise.all((data ?? [dataBinary ?? ""]).map(readContent));
  const contentType = data === undefined ? "application/octet-stream" : "application/x-www-form-urlencoded";
  return { open: () => joined(contents), contentType };
}
