import { isIpv4Literal, normalizeHostName, WILDCARD } from "../host-name.ts";
import { type JsonSchema, type Shape, shown } from "../shape/index.ts";

/** Which hosts a rule may name, and whether they have to be written in their one form. */
export interface HostRules {
  /** IPv4 literals as well. */
  readonly addresses: boolean;
  /** `normal`: only what `normalizeHostName` leaves as it is. `written`: what it accepts, read into that. */
  readonly form: "normal" | "written";
}

/** Leaves room for the one label for which the wildcard stands, and its dot. */
const MAX_BELOW_WILDCARD = 251;

/** The host of a rule: a name, `*.` and a name, or an address where `rules` lets one stand. */
export function hostShape(rules: HostRules): Shape<string> {
  const expected = `a DNS name with at least one dot, or *. and one${rules.addresses ? ", or an IPv4 address" : ""}`;
  return {
    schema: schemaOf(rules),
    read(value, at) {
      const host = typeof value === "string" ? readHost(value, rules.addresses) : null;
      if (host !== null && (host === value || rules.form === "written")) return host;
      const hint = typeof value === "string" ? hintFor(value, host, rules) : undefined;
      return at.problem(expected, shown(value), hint);
    },
  };
}

function readHost(text: string, addresses: boolean): string | null {
  if (addresses && isIpv4Literal(text)) return text;
  if (!text.startsWith(WILDCARD)) return normalizeHostName(text);
  const name = normalizeHostName(text.slice(WILDCARD.length));
  return name === null || name.length > MAX_BELOW_WILDCARD ? null : WILDCARD + name;
}

type Hint = readonly [holds: (text: string) => boolean, hint: string];

const HINTS: readonly Hint[] = [
  [(text) => text === "", "name a host; an empty one would be none or all"],
  [(text) => text === "*", "name the hosts: * alone would be every one"],
  [(text) => text.includes("*"), "a wildcard is *. before a name and stands for exactly one label"],
  [isIpv4Literal, "an address can stand only in mode tcp, which trusts the network"],
  [(text) => /^[0-9.]+$/.test(text), "an IPv4 address has four parts without leading zeros"],
  [(text) => /^\[?[0-9a-f.]*:[0-9a-f:.]*:[0-9a-f:.]*\]?$/i.test(text), "IPv6 is off inside the box: name the host"],
  [(text) => text.includes("/"), "write the name alone, without scheme and path"],
  [(text) => text.includes(":"), "write the name alone; ports stand in ports"],
  [(text) => /[^\u0000-\u007f]/.test(text), "write other scripts as A-labels, which begin with xn--"],
  [(text) => !text.replace(/\.$/, "").includes("."), "write the whole name, with its domain"],
];

function hintFor(text: string, host: string | null, rules: HostRules): string {
  if (host !== null && rules.form === "normal")
    return "the resolved form holds names in lower case, without a dot at the end";
  return HINTS.find(([holds]) => holds(text))?.[1] ?? "letters, digits and inner hyphens, 1 to 63 between two dots";
}

// The same language as `readHost`, for editors: a test holds the two together.
function schemaOf({ addresses, form }: HostRules): JsonSchema {
  const [letters, dot] = form === "normal" ? ["a-z", ""] : ["A-Za-z", "\\.?"];
  const label = `[${letters}0-9](?:[${letters}0-9-]{0,61}[${letters}0-9])?`;
  const notNumber = `(?!(?:[0-9]+|0${form === "normal" ? "x" : "[xX]"}[0-9a-fA-F]*)${dot}$)`;
  const name = `(?=.{1,253}${dot}$)(?:\\*\\.)?(?:${label}\\.)+${notNumber}${label}${dot}`;
  const octet = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
  return { type: "string", pattern: addresses ? `^(?:${octet}(?:\\.${octet}){3}|${name})$` : `^${name}$` };
}
