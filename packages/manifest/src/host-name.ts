/** Characters of a name, without the dot that may end it (RFC 1035, section 2.3.4, in text form). */
const MAX_NAME_LENGTH = 253;

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

// What an address parser takes for the last part of an IPv4 address (WHATWG URL, "ends in a number").
const NUMBER = /^(?:[0-9]+|0x[0-9a-f]*)$/;

const OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";

const IPV4 = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`);

/**
 * The one form in which Manifest, DNS, SNI and `Host` are compared: ASCII, lower case, without the one dot that may end a
 * name. At least two labels of letters, digits and inner hyphens, 1 to 63 characters each, 253 in all; A-labels (`xn--…`)
 * stay as they are, other scripts are refused. A last label that is a number makes an address, not a name. Null for
 * anything else; never throws.
 *
 * @example
 * normalizeHostName("API.Example.com."); // "api.example.com"
 * normalizeHostName("203.0.113.5"); // null
 */
export function normalizeHostName(text: string): string | null {
  if (text.length > MAX_NAME_LENGTH + 1) return null;
  const bare = text.endsWith(".") ? text.slice(0, -1) : text;
  if (bare.length > MAX_NAME_LENGTH || !/^[A-Za-z0-9.-]*$/.test(bare)) return null;
  const name = bare.toLowerCase();
  const labels = name.split(".");
  if (labels.length < 2 || !labels.every((label) => LABEL.test(label))) return null;
  return NUMBER.test(labels.at(-1) ?? "") ? null : name;
}

/** True for an IPv4 address in dotted decimal with four parts and no leading zeros, and for nothing else. */
export function isIpv4Literal(text: string): boolean {
  return IPV4.test(text);
}

/** Where a wildcard stands: before the name that it covers one label below. */
export const WILDCARD = "*.";

/**
 * Does the host of a rule cover a name that `normalizeHostName` answered? A wildcard covers names with exactly one label
 * more. An address covers no name.
 */
export function hostCovers(host: string, name: string): boolean {
  if (!host.startsWith(WILDCARD)) return host === name;
  return name.slice(name.indexOf(".") + 1) === host.slice(WILDCARD.length);
}
