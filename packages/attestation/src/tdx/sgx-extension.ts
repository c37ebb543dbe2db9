/** Intel's extension of a PCK certificate: which platform it is of, and at which TCB (Intel SGX PCK certificate profile). */
import {
  DER_TAG,
  derBoolean,
  derExpect,
  derOctetString,
  derOid,
  derRead,
  derSequence,
  derSmallInteger,
  EncodingError,
  toHex,
  type DerElement,
} from "@blindbox/encoding";

/** Object identifier of the extension; those of its members continue it. */
export const SGX_EXTENSION = "1.2.840.113741.1.13.1";

/** What Intel certifies of a platform. */
export interface SgxExtension {
  /** Lower-case hex, 16 bytes: the processor package. */
  readonly ppid: string;
  /** The sixteen SVNs of the SGX TCB components. */
  readonly sgxTcb: readonly number[];
  readonly pceSvn: number;
  /** Lower-case hex, 16 bytes. */
  readonly cpuSvn: string;
  /** Lower-case hex, 2 bytes. */
  readonly pceId: string;
  /** Lower-case hex, 6 bytes: family, model, stepping, platform type and custom SKU. */
  readonly fmspc: string;
  /** 0 standard, 1 scalable, 2 scalable with integrity; `null` where the certificate does not say. */
  readonly sgxType: number | null;
  /** Lower-case hex, 16 bytes; `null` where the Processor CA issued the certificate. */
  readonly platformInstanceId: string | null;
  /** `null` where the certificate does not say. */
  readonly dynamicPlatform: boolean | null;
  readonly cachedKeys: boolean | null;
  readonly smtEnabled: boolean | null;
}

const members = ["1", "2", "3", "4", "5", "6", "7"];
const tcbMembers = Array.from({ length: 18 }, (_, at) => String(at + 1));
const configurationMembers = ["1", "2", "3"];
const componentCount = 16;

/**
 * Reads the extension's DER.
 *
 * @throws EncodingError for a member that is missing, unknown, given twice, of another type or of another length.
 */
export function parseSgxExtension(der: Uint8Array): SgxExtension {
  const found = membersOf(derRead(der, "sgx"), "", members);
  const tcb = membersOf(found.get("2"), "2.", tcbMembers);
  const svns = tcbMembers.slice(0, componentCount).map((number) => small(tcb.get(number), `2.${number}`, 0xff));
  return {
    ppid: octets(found.get("1"), "1", 16),
    sgxTcb: svns,
    pceSvn: small(tcb.get("17"), "2.17", 0xffff),
    cpuSvn: octets(tcb.get("18"), "2.18", 16),
    pceId: octets(found.get("3"), "3", 2),
    fmspc: octets(found.get("4"), "4", 6),
    sgxType: found.has("5") ? typeOf(found.get("5")) : null,
    platformInstanceId: found.has("6") ? octets(found.get("6"), "6", 16) : null,
    ...configurationOf(found.get("7")),
  };
}

/** A SEQUENCE of SEQUENCE { OBJECT IDENTIFIER, value }, by the last number of the identifier. */
function membersOf(
  element: DerElement | undefined,
  prefix: string,
  allowed: readonly string[],
): ReadonlyMap<string, DerElement> {
  const field = `sgx.${prefix}`;
  const found = new Map<string, DerElement>();
  for (const member of derSequence(element, field)) {
    const [id, value, ...more] = derSequence(member, field);
    const name = derOid(id, field);
    const number = allowed.find((each) => name === `${SGX_EXTENSION}.${prefix}${each}`);
    if (number === undefined || value === undefined || more.length > 0 || found.has(number)) {
      throw refused(field, "known members, each once", "another member, or one twice");
    }
    found.set(number, value);
  }
  return found;
}

function octets(element: DerElement | undefined, member: string, length: number): string {
  const bytes = derOctetString(element, `sgx.${member}`);
  if (bytes.length === length) return toHex(bytes);
  throw refused(`sgx.${member}`, `${length} bytes`, `${bytes.length} bytes`);
}

function small(element: DerElement | undefined, member: string, max: number): number {
  const value = derSmallInteger(element, `sgx.${member}`);
  if (value <= max) return value;
  throw refused(`sgx.${member}`, `0 to ${max}`, String(value));
}

function typeOf(element: DerElement | undefined): number {
  const { contents } = derExpect(element, DER_TAG.enumerated, "sgx.5");
  const [type] = contents;
  if (contents.length === 1 && type !== undefined && type <= 2) return type;
  throw refused("sgx.5", "0, 1 or 2", "another type");
}

type Configuration = Pick<SgxExtension, "dynamicPlatform" | "cachedKeys" | "smtEnabled">;

function configurationOf(element: DerElement | undefined): Configuration {
  if (element === undefined) return { dynamicPlatform: null, cachedKeys: null, smtEnabled: null };
  const found = membersOf(element, "7.", configurationMembers);
  const flag = (member: string): boolean | null =>
    found.has(member) ? derBoolean(found.get(member), `sgx.7.${member}`) : null;
  return { dynamicPlatform: flag("1"), cachedKeys: flag("2"), smtEnabled: flag("3") };
}

function refused(field: string, expected: string, actual: string): EncodingError {
  return new EncodingError("bad-encoding", field, expected, actual);
}
