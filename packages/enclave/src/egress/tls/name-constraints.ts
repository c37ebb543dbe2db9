/** The name constraints of a certificate authority (RFC 5280, section 4.2.1.10), in DER. */

const SEQUENCE = 0x30;
const PERMITTED = 0xa0;
const EXCLUDED = 0xa1;
const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;

/** All addresses of a family: as many zero bytes for the address as for the mask. */
const allAddresses = [Buffer.alloc(8), Buffer.alloc(32)];

/**
 * Permits the DNS names of `hosts` (for `*.` and a name: that name) with everything below, and no address at all: a type
 * of name of which a constraint says nothing would be free.
 *
 * @throws TypeError where `hosts` is empty: an empty list of permitted names permits every name.
 */
export function nameConstraints(hosts: readonly string[]): Uint8Array<ArrayBuffer> {
  if (hosts.length === 0) throw new TypeError("hosts: at least one is needed");
  const names = [...new Set(hosts.map((host) => host.replace(/^\*\./, "")))];
  const permitted = names.map((name) => subtree(DNS_NAME, Buffer.from(name, "ascii")));
  const excluded = allAddresses.map((address) => subtree(IP_ADDRESS, address));
  return Uint8Array.from(element(SEQUENCE, element(PERMITTED, ...permitted), element(EXCLUDED, ...excluded)));
}

function subtree(tag: number, base: Buffer): Buffer {
  return element(SEQUENCE, element(tag, base));
}

function element(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag, ...lengthOf(body.length)]), body]);
}

function lengthOf(length: number): number[] {
  if (length < 0x80) return [length];
  const digits = length.toString(16);
  const bytes = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, "hex");
  return [0x80 | bytes.length, ...bytes];
}
