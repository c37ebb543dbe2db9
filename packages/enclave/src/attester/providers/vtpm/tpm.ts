/** The five commands that Evidence takes (TPM 2.0 Library, part 3). */
import { parseTpmQuote, type TpmQuote } from "@blindbox/attestation";
import { ByteReader, ByteWriter, concatBytes } from "@blindbox/encoding";
import { Disturbed } from "../attempts.ts";
import { DeviceFault, readAnswer } from "../device-fault.ts";
import { sized, tpmCall } from "./tpm-command.ts";
import {
  ALGORITHM_RSA,
  ALGORITHM_RSASSA,
  ALGORITHM_SHA256,
  HANDLE_OWNER,
  NV_AUTH_READ,
  NV_OWNER_READ,
  NV_READ,
  NV_READ_PUBLIC,
  PCR_COUNT,
  PCR_READ,
  QUOTE,
  READ_PUBLIC,
  SHA256_BYTES,
} from "./tpm-constants.ts";
import { ALL_PCRS, formatSelection, readSelection } from "./tpm-selection.ts";
import type { TpmTransport } from "./tpm-transport.ts";

const noBytes = new Uint8Array();

/** What is to be known of an NV index before it is read. */
export interface NvIndex {
  readonly index: number;
  readonly size: number;
  /** The handle whose empty password allows reading. */
  readonly readAs: number;
}

/** TPM2_NV_ReadPublic. @throws DeviceFault where nobody may read it by password */
export async function readNvPublic(tpm: TpmTransport, index: number): Promise<NvIndex> {
  const call = { code: NV_READ_PUBLIC, handles: [index], authorised: false, parameters: noBytes };
  const nv = new ByteReader(sized(await tpmCall(tpm, call), "nvPublic"), "tpm.nvPublic");
  nv.u32be("index");
  nv.u16be("nameAlgorithm");
  const attributes = nv.u32be("attributes");
  sized(nv, "policy");
  const size = nv.u16be("size");
  nv.end();
  if ((attributes & NV_OWNER_READ) !== 0) return { index, size, readAs: HANDLE_OWNER };
  if ((attributes & NV_AUTH_READ) !== 0) return { index, size, readAs: index };
  throw new DeviceFault("denied", `NV index 0x${index.toString(16)}: neither the owner nor its password may read it`);
}

/** Every TPM of the PC Client profile gives so much at once. */
const nvChunkBytes = 512;

/** TPM2_NV_Read, as often as it takes. */
export async function readNv(tpm: TpmTransport, { index, size, readAs }: NvIndex): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for (let offset = 0; offset < size; offset += nvChunkBytes) {
    const length = Math.min(nvChunkBytes, size - offset);
    const parameters = new ByteWriter().u16be(length).u16be(offset).finish();
    const call = { code: NV_READ, handles: [readAs, index], authorised: true, parameters };
    const chunk = sized(await tpmCall(tpm, call), "data");
    if (chunk.length !== length) throw new DeviceFault("malformed", "the TPM gives less of an NV index than there is");
    chunks.push(chunk);
  }
  return concatBytes(...chunks);
}

/** TPM2_ReadPublic. @throws DeviceFault where the key is not RSA; TpmError where there is none */
export async function demandRsaKey(tpm: TpmTransport, handle: number): Promise<void> {
  const call = { code: READ_PUBLIC, handles: [handle], authorised: false, parameters: noBytes };
  const area = new ByteReader(sized(await tpmCall(tpm, call), "public"), "tpm.public");
  if (area.u16be("type") === ALGORITHM_RSA) return;
  throw new DeviceFault("malformed", `key 0x${handle.toString(16)}: expected RSA, found another kind`);
}

/** TPM2_PCR_Read of all 24 in the bank of SHA-256; a TPM gives a few at a time. @throws Disturbed where one changed meanwhile */
export async function readPcrs(tpm: TpmTransport): Promise<readonly Uint8Array[]> {
  const values = new Map<number, Uint8Array>();
  const counters = new Set<number>();
  while (values.size < PCR_COUNT) {
    const wanted = ALL_PCRS.filter((index) => !values.has(index));
    const call = { code: PCR_READ, handles: [], authorised: false, parameters: formatSelection(wanted) };
    const answer = await tpmCall(tpm, call);
    counters.add(answer.u32be("updateCounter"));
    const given = readSelection(answer);
    if (answer.u32be("count") !== given.length || given.length === 0 || given.some((index) => values.has(index))) {
      throw new DeviceFault("malformed", "the TPM gives other PCRs than it was asked for");
    }
    for (const index of given) values.set(index, digestOf(answer));
  }
  if (counters.size > 1) throw new Disturbed("a PCR changed while they were read");
  return ALL_PCRS.map((index) => values.get(index) ?? noBytes);
}

function digestOf(answer: ByteReader): Uint8Array {
  const digest = sized(answer, "digest");
  if (digest.length === SHA256_BYTES) return digest;
  throw new DeviceFault("malformed", `a PCR of ${digest.length} bytes`);
}

/** A quote with what the key signed of it. */
export interface SignedQuote {
  readonly quote: TpmQuote;
  /** RSASSA-PKCS1-v1_5 with SHA-256 over `quote.signed`. */
  readonly signature: Uint8Array;
}

/** TPM2_Quote over all 24 PCRs. @throws DeviceFault for what is no quote, or one in another scheme */
export async function quote(tpm: TpmTransport, key: number, extraData: Uint8Array): Promise<SignedQuote> {
  const parameters = new ByteWriter()
    .u16be(extraData.length)
    .bytes(extraData)
    .u16be(ALGORITHM_RSASSA)
    .u16be(ALGORITHM_SHA256)
    .bytes(formatSelection(ALL_PCRS))
    .finish();
  const answer = await tpmCall(tpm, { code: QUOTE, handles: [key], authorised: true, parameters });
  const attest = sized(answer, "quoted");
  const scheme = [answer.u16be("signatureAlgorithm"), answer.u16be("signatureHash")];
  const signature = sized(answer, "signature");
  answer.end();
  if (scheme[0] !== ALGORITHM_RSASSA || scheme[1] !== ALGORITHM_SHA256) {
    throw new DeviceFault("malformed", "the TPM signs with something else than RSASSA and SHA-256");
  }
  return { quote: readAnswer("a TPM's quote", () => parseTpmQuote(attest)), signature };
}
