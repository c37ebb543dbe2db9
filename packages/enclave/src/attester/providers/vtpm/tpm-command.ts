/** Making commands, and reading the head of what comes back (TPM 2.0 Library, part 1, section 18). */
import { ByteReader, ByteWriter } from "@blindbox/encoding";
import { Disturbed } from "../attempts.ts";
import { DeviceFault } from "../device-fault.ts";
import { HANDLE_PASSWORD, TAG_NO_SESSIONS, TAG_SESSIONS } from "./tpm-constants.ts";
import type { TpmTransport } from "./tpm-transport.ts";

const headBytes = 10;

/** One command without its head. */
export interface TpmCommand {
  readonly code: number;
  readonly handles: readonly number[];
  /** True: with the empty password for the first handle, which is what all keys and indices that we use have. */
  readonly authorised: boolean;
  readonly parameters: Uint8Array;
}

/** Asks, and returns the parameters of the answer. @throws TpmError, Disturbed, DeviceFault, EncodingError */
export async function tpmCall(tpm: TpmTransport, command: TpmCommand): Promise<ByteReader> {
  return parseResponse(await tpm.exchange(formatCommand(command)), command.authorised);
}

function formatCommand({ code, handles, authorised, parameters }: TpmCommand): Uint8Array {
  const body = new ByteWriter();
  for (const each of handles) body.u32be(each);
  if (authorised) body.u32be(emptyPassword.length).bytes(emptyPassword);
  const bytes = body.bytes(parameters).finish();
  const tag = authorised ? TAG_SESSIONS : TAG_NO_SESSIONS;
  return new ByteWriter()
    .u16be(tag)
    .u32be(headBytes + bytes.length)
    .u32be(code)
    .bytes(bytes)
    .finish();
}

/** TPMS_AUTH_COMMAND: no nonce, no attributes, no secret. */
const emptyPassword = new ByteWriter().u32be(HANDLE_PASSWORD).u16be(0).u8(0).u16be(0).finish();

/** A TPM's answer that is no success. */
export class TpmError extends DeviceFault {
  readonly responseCode: number;

  constructor(responseCode: number) {
    super("failed", `the TPM answers with 0x${responseCode.toString(16)}${nameOf(responseCode)}`);
    this.responseCode = responseCode;
  }
}

/** Part 2, section 6.6: what is over as soon as the TPM had its time. */
const passing: ReadonlyMap<number, string> = new Map([
  [0x908, "TPM_RC_YIELDED"],
  [0x909, "TPM_RC_CANCELED"],
  [0x90a, "TPM_RC_TESTING"],
  [0x920, "TPM_RC_NV_RATE"],
  [0x922, "TPM_RC_RETRY"],
  [0x923, "TPM_RC_NV_UNAVAILABLE"],
]);

const lasting: ReadonlyMap<number, string> = new Map([
  [0x101, "TPM_RC_FAILURE"],
  [0x12f, "TPM_RC_AUTH_UNAVAILABLE"],
  [0x149, "TPM_RC_NV_AUTHORIZATION"],
  [0x14a, "TPM_RC_NV_UNINITIALIZED"],
  [0x921, "TPM_RC_LOCKOUT"],
]);

/** Errors of format 1 say in their other bits which handle, session or parameter they are about. */
const byParameter: ReadonlyMap<number, string> = new Map([
  [0x082, "TPM_RC_ATTRIBUTES"],
  [0x084, "TPM_RC_VALUE"],
  [0x08b, "TPM_RC_HANDLE"],
  [0x08e, "TPM_RC_AUTH_FAIL"],
  [0x092, "TPM_RC_SCHEME"],
  [0x0a2, "TPM_RC_BAD_AUTH"],
]);

const isFormat1 = (code: number): boolean => (code & 0x80) !== 0;

function nameOf(code: number): string {
  const name = isFormat1(code) ? byParameter.get(code & 0xbf) : lasting.get(code);
  return name === undefined ? "" : ` (${name})`;
}

/** Whether the TPM has no object or index of that handle. */
export function isUnknownHandle(error: unknown): boolean {
  return error instanceof TpmError && isFormat1(error.responseCode) && (error.responseCode & 0xbf) === 0x08b;
}

function parseResponse(bytes: Uint8Array, authorised: boolean): ByteReader {
  const reader = new ByteReader(bytes, "tpm");
  const tag = reader.u16be("tag");
  const size = reader.u32be("size");
  const code = reader.u32be("code");
  if (size !== bytes.length) throw new DeviceFault("malformed", `the TPM announces ${size} bytes of ${bytes.length}`);
  const retry = passing.get(code);
  if (retry !== undefined) throw new Disturbed(`the TPM answers ${retry}`);
  if (code !== 0) throw new TpmError(code);
  const expected = authorised ? TAG_SESSIONS : TAG_NO_SESSIONS;
  if (tag !== expected) throw new DeviceFault("malformed", `the TPM answers with tag 0x${tag.toString(16)}`);
  // Behind the parameters of an authorised command stands the TPM's own authorisation: with a password it says nothing.
  const length = authorised ? reader.u32be("parametersSize") : reader.remaining;
  return new ByteReader(reader.bytes(length, "parameters"), "tpm.parameters");
}

/** A TPM2B: the length in two bytes, and so many bytes. */
export function sized(reader: ByteReader, field: string): Uint8Array {
  return reader.bytes(reader.u16be(`${field}Size`), field);
}
