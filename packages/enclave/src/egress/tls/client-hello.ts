/**
 * The ClientHello of TLS 1.2 and 1.3 (RFC 8446, section 4.1.2; RFC 5246, section 7.4.1.2): bytes in, the one name that it
 * asks for out. Strict: what two servers could read differently is refused, and nothing is repaired.
 */
import { ByteReader, EncodingError } from "@blindbox/encoding";
import { normalizeHostName } from "@blindbox/manifest";

/** Why a first message is not one that the box lets through. */
export type ClientHelloFault =
  /** Not a well-formed ClientHello of TLS 1.2 or newer, or larger than allowed. */
  | "malformed"
  /** Not exactly one `host_name`, or one that is no DNS name. */
  | "server-name"
  /** Some form of encrypted ClientHello, which hides the name that counts. */
  | "encrypted";

/** Thrown by the parser; says nothing of the bytes. */
export class ClientHelloError extends Error {
  readonly fault: ClientHelloFault;

  constructor(fault: ClientHelloFault) {
    super(`the ClientHello is refused: ${fault}`);
    this.name = "ClientHelloError";
    this.fault = fault;
  }
}

const TLS_1_2 = 0x0303;
const HOST_NAME = 0;
const SERVER_NAME = 0x0000;

/**
 * Extensions that move the name out of sight. The number of ECH is also what browsers send as GREASE, with random bytes
 * in it, where they have no ECH configuration: nobody but the two ends can tell these apart, so GREASE is refused as well.
 */
const hidesTheName: ReadonlySet<number> = new Set([
  0xfe0d, // encrypted_client_hello
  0xfd00, // ech_outer_extensions
  0xffce, // encrypted_server_name, the draft before it
  0xda09, // ech_is_inner, of drafts
  // encrypted_client_hello of drafts 8 to 12
  0xfe08,
  0xfe09,
  0xfe0a,
  0xfe0b,
  0xfe0c,
]);

/**
 * Reads the body of a ClientHello, without the four bytes of its handshake header.
 *
 * @returns the name as `normalizeHostName` answers it.
 * @throws ClientHelloError
 */
export function readServerName(body: Uint8Array): string {
  try {
    return serverNameOf(readExtensions(body));
  } catch (error) {
    if (error instanceof EncodingError) throw new ClientHelloError("malformed");
    throw error;
  }
}

function readExtensions(body: Uint8Array): ReadonlyMap<number, Uint8Array> {
  const hello = new ByteReader(body, "clientHello");
  demand(hello.u16be("version") === TLS_1_2);
  hello.bytes(32, "random");
  demand(vector8(hello, "session").length <= 32);
  const suites = vector16(hello, "suites");
  demand(suites.length >= 2 && suites.length % 2 === 0);
  demand(vector8(hello, "compression").includes(0));
  const extensions = new ByteReader(vector16(hello, "extensions"), "extensions");
  hello.end();
  const found = new Map<number, Uint8Array>();
  while (extensions.remaining > 0) {
    const type = extensions.u16be("type");
    demand(!found.has(type));
    found.set(type, vector16(extensions, "data"));
  }
  return found;
}

function serverNameOf(extensions: ReadonlyMap<number, Uint8Array>): string {
  if ([...extensions.keys()].some((type) => hidesTheName.has(type))) throw new ClientHelloError("encrypted");
  const data = extensions.get(SERVER_NAME);
  if (data === undefined) throw new ClientHelloError("server-name");
  const extension = new ByteReader(data, "serverName");
  const list = new ByteReader(vector16(extension, "list"), "serverNames");
  extension.end();
  const type = list.u8("type");
  const text = vector16(list, "name");
  if (type !== HOST_NAME || list.remaining > 0) throw new ClientHelloError("server-name");
  const name = normalizeHostName(Buffer.from(text).toString("latin1"));
  if (name === null) throw new ClientHelloError("server-name");
  return name;
}

function vector8(reader: ByteReader, field: string): Uint8Array {
  return reader.bytes(reader.u8(field), field);
}

function vector16(reader: ByteReader, field: string): Uint8Array {
  return reader.bytes(reader.u16be(field), field);
}

function demand(holds: boolean): void {
  if (!holds) throw new ClientHelloError("malformed");
}
