import { text as readAll } from "node:stream/consumers";
import type { CallerCredentials, Credentials } from "@blindbox/client";
import { isApiKey } from "@blindbox/manifest";
import { type Command, Option } from "commander";
import { onFile, readInputText } from "./files.ts";
import { CliError } from "./output/failure.ts";

/** Files with credentials. There is no flag that takes one itself: every process may read a command line. */
export interface CredentialFlags {
  readonly keyFile?: string;
  readonly tokenFile?: string;
  readonly cert?: string;
  readonly certKey?: string;
  readonly anonymous?: boolean;
  /** Only to be refused, with advice. */
  readonly key?: string;
  /** Likewise. */
  readonly token?: string;
}

/** The environment variable that holds a key where no flag says who calls. */
export const keyVariable = "BLINDBOX_API_KEY";

/** Adds the flags of {@link CredentialFlags}, but for `--anonymous`. `whose`: "the caller's", for instance. */
export function addCredentialFlags(command: Command, whose: string): Command {
  return command
    .option(
      "--key-file <file>",
      `${whose} API key, - for the standard input; ${keyVariable} is read if no flag says who`,
    )
    .option("--token-file <file>", `${whose} token, a JWT; - for the standard input`)
    .option(
      "--cert <file>",
      `${whose} certificate with its issuer's, for the box's port of mutual TLS: shown unverified`,
    )
    .option("--cert-key <file>", "the private key of that certificate; both in PEM")
    .addOption(new Option("--key <key>").hideHelp())
    .addOption(new Option("--token <token>").hideHelp());
}

/** Credential files, to see whether one is read twice. */
export function credentialFiles({ keyFile, tokenFile, cert, certKey }: CredentialFlags): readonly string[] {
  return [keyFile, tokenFile, cert, certKey].filter((file) => file !== undefined);
}

/** Throws a `CliError` where the standard input, `-`, would be read for two things. */
export function demandOneInput(files: readonly string[]): void {
  if (files.filter((file) => file === "-").length < 2) return;
  const hint = "name a file for the others";
  throw new CliError({ what: "the standard input", expected: "to be read once", actual: "several uses of it", hint });
}

/** One kind of credential that is a line of text. */
interface LineKind {
  readonly file: string;
  readonly form: string;
  readonly hint: string;
  readonly fits: (text: string) => boolean;
}

const keyKind: LineKind = {
  file: "a file with an API key",
  form: "an API key alone on one line: bb_ and 43 characters",
  hint: "`blindbox keys new` makes one; the Manifest must hold its digest",
  fits: isApiKey,
};

const tokenKind: LineKind = {
  file: "a file with a token",
  form: "a JWT alone on one line: three parts of base64url with dots between them",
  hint: "the identity provider that the Manifest names gives it out, without `Bearer` before it",
  fits: (text) => text.length <= 8192 && /^[\w-]+\.[\w-]+\.[\w-]+$/.test(text),
};

function checkedLine(source: string, text: string, { form, hint, fits }: LineKind): string {
  const line = text.replace(/\r?\n$/, "");
  if (fits(line)) return line;
  // Neither the text nor a part of it: a secret with a slip of the finger is still nearly one.
  throw new CliError({ what: source, expected: form, actual: `${text.length} characters of another form`, hint });
}

async function lineFrom(path: string, kind: LineKind): Promise<string> {
  const input = { what: "standard input", expected: kind.form, hint: kind.hint };
  const text =
    path === "-" ? await onFile(input, () => readAll(process.stdin)) : await readInputText(path, kind.file, kind.hint);
  return checkedLine(path === "-" ? input.what : path, text, kind);
}

const secretFlags = [
  [
    "key",
    "--key-file FILE",
    `, or ${keyVariable} in the environment`,
    "make a new one with `blindbox keys new --out FILE`",
  ],
  ["token", "--token-file FILE", "", "let it expire, and ask for another"],
] as const;

function refuseSecrets(flags: CredentialFlags): void {
  for (const [name, instead, or, advice] of secretFlags) {
    if (flags[name] === undefined) continue;
    throw new CliError({
      what: `--${name}`,
      expected: `${instead}${or}`,
      actual: `a ${name} on the command line, where every process of this machine can read it`,
      hint: `treat that ${name} as known to others: ${advice}`,
    });
  }
}

async function certificateOf({ cert, certKey }: CredentialFlags): Promise<Pick<CallerCredentials, "certificate">> {
  if (cert === undefined && certKey === undefined) return {};
  if (cert === undefined || certKey === undefined) {
    const [what, expected] = cert === undefined ? ["--cert-key", "--cert FILE"] : ["--cert", "--cert-key FILE"];
    const hint = "a handshake proves that the caller has the key of its certificate";
    throw new CliError({ what, expected: `${expected} beside it`, actual: "it alone", hint });
  }
  const hint = "both are PEM; the certificate of the issuer stands behind the caller's own";
  return {
    certificate: {
      cert: await readInputText(cert, "a file with a certificate", hint),
      key: await readInputText(certKey, "a file with a private key", hint),
    },
  };
}

/** Whom to name where nobody is named. */
export interface Asking {
  readonly what: string;
  readonly hint: string;
  readonly anonymous: boolean;
}

const caller: Asking = {
  what: "who calls",
  hint: "a box refuses callers whom its Manifest does not name",
  anonymous: true,
};

function nobodyNamed({ what, hint, anonymous }: Asking, actual: string): CliError {
  const flags = ["--key-file FILE", "--token-file FILE", "--cert FILE", `${keyVariable} in the environment`];
  const expected = `one of ${[...flags, ...(anonymous ? ["--anonymous"] : [])].join(", ")}`;
  return new CliError({ what, expected, actual, hint });
}

/**
 * Who the caller is. Never a default: a call without a credential has to say `--anonymous`. The environment counts only
 * where no flag names anything: a box refuses a caller with one credential too many.
 */
export async function readCredentials(flags: CredentialFlags, asking: Asking = caller): Promise<Credentials> {
  refuseSecrets(flags);
  const files = credentialFiles(flags);
  if (flags.anonymous === true) {
    if (files.length === 0) return { anonymous: true };
    throw nobodyNamed(asking, "--anonymous and a credential");
  }
  const named = process.env[keyVariable];
  if (files.length === 0 && named !== undefined) return { apiKey: checkedLine(keyVariable, named, keyKind) };
  if (files.length === 0) throw nobodyNamed(asking, "none of them");
  return {
    ...(flags.keyFile === undefined ? {} : { apiKey: await lineFrom(flags.keyFile, keyKind) }),
    ...(flags.tokenFile === undefined ? {} : { token: await lineFrom(flags.tokenFile, tokenKind) }),
    ...(await certificateOf(flags)),
  };
}
