import { text as readAll } from "node:stream/consumers";
import type { Credentials } from "@blindbox/client";
import { isApiKey } from "@blindbox/manifest";
import { onFile, readInputText } from "./files.ts";
import { CliError } from "./output/failure.ts";

/** Where a key may come from. There is no flag that takes the key itself: every process may read a command line. */
export interface CredentialFlags {
  readonly keyFile?: string;
  readonly anonymous?: boolean;
  /** Only to be refused, with advice. */
  readonly key?: string;
}

/** The environment variable that holds a key where no `--key-file` does. */
export const keyVariable = "BLINDBOX_API_KEY";

const keyForm = "an API key alone on one line: bb_ and 43 characters";
const keyHint = "`blindbox keys new` makes one; the Manifest must hold its digest";

const standardInput = { what: "standard input", expected: keyForm, hint: keyHint };

function checkedKey(source: string, text: string): Credentials {
  const apiKey = text.replace(/\r?\n$/, "");
  if (isApiKey(apiKey)) return { apiKey };
  // Neither the text nor a part of it: a key with a slip of the finger is still nearly a key.
  throw new CliError({
    what: source,
    expected: keyForm,
    actual: `${text.length} characters of another form`,
    hint: keyHint,
  });
}

async function keyFromFile(path: string): Promise<Credentials> {
  if (path === "-") return checkedKey(standardInput.what, await onFile(standardInput, () => readAll(process.stdin)));
  return checkedKey(path, await readInputText(path, "a file with an API key", keyHint));
}

function refuseKeyFlag(): never {
  throw new CliError({
    what: "--key",
    expected: `--key-file FILE, or ${keyVariable} in the environment`,
    actual: "a key on the command line, where every process of this machine can read it",
    hint: "treat that key as known to others: make a new one with `blindbox keys new --out FILE`",
  });
}

/** Who the caller is. Never a default: a call without a key has to say `--anonymous`. */
export async function readCredentials(flags: CredentialFlags): Promise<Credentials> {
  if (flags.key !== undefined) refuseKeyFlag();
  if (flags.anonymous === true && flags.keyFile === undefined) return { anonymous: true };
  const named = process.env[keyVariable];
  if (flags.anonymous !== true && flags.keyFile !== undefined) return keyFromFile(flags.keyFile);
  if (flags.anonymous !== true && named !== undefined) return checkedKey(keyVariable, named);
  throw new CliError({
    what: "who calls",
    expected: `one of --key-file FILE, ${keyVariable} in the environment, --anonymous`,
    actual: flags.anonymous === true ? "--anonymous and --key-file" : "none of them",
    hint: "a box refuses callers whom its Manifest does not name",
  });
}
