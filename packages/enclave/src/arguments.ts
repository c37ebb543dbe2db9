/** The command line of a box; the only thing that it is told from outside besides its measured files. */
import { isIP } from "node:net";
import { parseArgs } from "node:util";
import type { DriverChoice } from "./parts.ts";
import { RefusalError } from "./refusal.ts";

/** The options that one entry has beside the common ones, each with a value: it must be given, or may be left out. */
export type ExtraOptions = Readonly<Record<string, "required" | "optional">>;

/** Their values; null where an optional one is left out. */
export type ExtraValues<Extra extends ExtraOptions> = {
  readonly [Name in keyof Extra]: Extra[Name] extends "required" ? string : string | null;
};

export interface BoxArguments<Extra extends ExtraOptions> {
  /** Absolute path of the folder with `manifest.json`, `runtime.json` and `app/rootfs`. */
  readonly root: string;
  readonly host: string;
  readonly port: number;
  readonly driver: DriverChoice;
  /** Absolute path of a folder for what the sandbox has to put on disk; made if it is not there. */
  readonly scratch: string;
  /** Resolvers of the box's own queries, `address` or `address:port`; null: those of the machine. */
  readonly resolvers: readonly string[] | null;
  /** Ends when standard input does, which happens when whoever started the box is gone. */
  readonly exitWithParent: boolean;
  /** The options that this entry alone has. */
  readonly extra: ExtraValues<Extra>;
}

const hint =
  "main.mjs [--root DIR] [--listen HOST:PORT] [--driver auto|rooted|unprivileged] [--scratch DIR] [--resolver ADDRESS[:PORT],…] [--exit-with-parent]; hardware: [--endorsements FILE]; simulated: --device SOCKET";

const parentFlag = "exit-with-parent";

/**
 * @param extra the options beside the common ones
 * @throws RefusalError with code `arguments-invalid`
 */
export function parseArguments<const Extra extends ExtraOptions>(
  argv: readonly string[],
  extra: Extra,
): BoxArguments<Extra> {
  const own = Object.keys(extra);
  const { values, exitWithParent } = read(argv, ["root", "listen", "driver", "scratch", "resolver", ...own]);
  return {
    root: absolute("root", values["root"] ?? "/blindbox"),
    ...listenAddress(values["listen"] ?? "0.0.0.0:8443"),
    driver: driverChoice(values["driver"] ?? "auto"),
    scratch: absolute("scratch", values["scratch"] ?? "/run/blindbox"),
    resolvers: resolverList(values["resolver"]),
    exitWithParent,
    extra: Object.fromEntries(own.map((name) => [name, ownValue(name, values[name], extra)])) as ExtraValues<Extra>,
  };
}

interface GivenArguments {
  readonly values: Readonly<Record<string, string | undefined>>;
  readonly exitWithParent: boolean;
}

function read(argv: readonly string[], names: readonly string[]): GivenArguments {
  const value = { type: "string" as const };
  const options = {
    ...Object.fromEntries(names.map((name) => [name, value])),
    [parentFlag]: { type: "boolean" as const },
  };
  try {
    const { [parentFlag]: flag, ...values } = parseArgs({ args: [...argv], options, strict: true }).values;
    return { values, exitWithParent: flag === true };
  } catch {
    throw invalid(
      `expected only --${parentFlag}, and ${names.map((name) => `--${name}`).join(", ")} with a value each`,
    );
  }
}

function absolute(name: string, path: string): string {
  if (path.startsWith("/") && !path.includes("\0")) return path;
  throw invalid(`--${name}: expected an absolute path`);
}

function ownValue(name: string, value: string | undefined, extra: ExtraOptions): string | null {
  return value === undefined && extra[name] === "optional" ? null : given(name, value);
}

function given(name: string, value: string | undefined): string {
  if (value !== undefined && value !== "") return value;
  throw invalid(`--${name}: missing`);
}

function driverChoice(text: string): DriverChoice {
  const known = (["auto", "rooted", "unprivileged"] as const).find((each) => each === text);
  if (known !== undefined) return known;
  throw invalid("--driver: expected auto, rooted or unprivileged");
}

const MOST_RESOLVERS = 4;

function resolverList(text: string | undefined): readonly string[] | null {
  if (text === undefined) return null;
  const servers = text.split(",");
  if (servers.length <= MOST_RESOLVERS && servers.every(isServer)) return servers;
  throw invalid(`--resolver: expected 1 to ${MOST_RESOLVERS} addresses of the form ADDRESS or ADDRESS:PORT`);
}

function isServer(text: string): boolean {
  const [, host = "", port = "53"] = /^([0-9.]+)(?::([0-9]{1,5}))?$/.exec(text) ?? [];
  const [, bracketed = "", bracketedPort = "53"] = /^\[([0-9a-f:]+)\](?::([0-9]{1,5}))?$/i.exec(text) ?? [];
  return (isIP(host) === 4 && isPort(port)) || (isIP(bracketed) === 6 && isPort(bracketedPort));
}

function isPort(digits: string): boolean {
  return Number(digits) >= 1 && Number(digits) <= 65_535;
}

function listenAddress(text: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+)):([0-9]{1,5})$/i.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host !== undefined && port <= 65_535) return { host, port };
  throw invalid("--listen: expected HOST:PORT, with an IPv6 address in brackets");
}

function invalid(reason: string): RefusalError {
  return new RefusalError("arguments-invalid", reason, hint);
}
