/** A TPM that knows five commands, with whatever is in its NV index and PCRs, and that can be told to misbehave. */
import { constants, createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { ByteReader, ByteWriter } from "@blindbox/encoding";
import type { TpmTransport, WithTpm } from "../../src/attester/providers/vtpm/tpm-transport.ts";

const keys = generateKeyPairSync("rsa", { modulusLength: 2048 });

/** The key that signs quotes. */
export const fakeAk: KeyObject = keys.publicKey;

export interface FakeTpmOptions {
  readonly hclReport: Uint8Array | null;
  readonly pcrs?: readonly Uint8Array[];
  /** TPMA_NV of the index. Left out: the owner may read. */
  readonly attributes?: number;
  /** TPMI_ALG_PUBLIC of the key; null: there is none. Left out: RSA. */
  readonly keyType?: number | null;
  /** Answers to give first, by command: numbers of errors, or the bytes of a whole answer. */
  readonly first?: Readonly<Record<number, readonly (number | Uint8Array)[]>>;
  /** How often a PCR is extended before it is quoted. */
  readonly extended?: number;
  /** What is changed in what is signed. */
  readonly forge?: (attest: { extraData: Uint8Array; magic: number; type: number; selection: Uint8Array }) => void;
}

export interface FakeTpm {
  readonly withTpm: WithTpm;
  /** Codes of all commands. */
  readonly commands: number[];
  opened: number;
}

const unknownHandle = 0x18b;
const head = (tag: number, code: number, body: Uint8Array): Uint8Array =>
  new ByteWriter()
    .u16be(tag)
    .u32be(10 + body.length)
    .u32be(code)
    .bytes(body)
    .finish();
const sized = (bytes: Uint8Array): Uint8Array => new ByteWriter().u16be(bytes.length).bytes(bytes).finish();
const selectionOf = (bits: number): Uint8Array =>
  new ByteWriter()
    .u32be(1)
    .u16be(0xb)
    .u8(3)
    .u8(bits & 0xff)
    .u8((bits >> 8) & 0xff)
    .u8(bits >> 16)
    .finish();

export function fakeTpm(options: FakeTpmOptions): FakeTpm {
  const pcrs = Array.from({ length: 24 }, (_, index) => options.pcrs?.[index] ?? new Uint8Array(32).fill(index));
  const first = new Map(Object.entries(options.first ?? {}).map(([code, answers]) => [Number(code), [...answers]]));
  let extensions = options.extended ?? 0;
  const tpm: FakeTpm = { commands: [], opened: 0, withTpm: (work) => ((tpm.opened += 1), work(transport)) };

  const answers: Readonly<Record<number, (reader: ByteReader) => Uint8Array | number>> = {
    0x169: () => {
      if (options.hclReport === null) return unknownHandle;
      const area = new ByteWriter()
        .u32be(0x0140_0001)
        .u16be(0xb)
        .u32be(options.attributes ?? 0x2_0000);
      const publicArea = area.u16be(0).u16be(options.hclReport.length).finish();
      return head(
        0x8001,
        0,
        new ByteWriter()
          .bytes(sized(publicArea))
          .bytes(sized(new Uint8Array(34)))
          .finish(),
      );
    },
    0x14e: (reader) => {
      reader.bytes(4 + 4 + 4 + 9, "handles and password");
      const [length, offset] = [reader.u16be("size"), reader.u16be("offset")];
      return authorised(sized(options.hclReport?.slice(offset, offset + length) ?? new Uint8Array()));
    },
    0x173: () => {
      const type = options.keyType === undefined ? 1 : options.keyType;
      if (type === null) return unknownHandle;
      return head(0x8001, 0, sized(new ByteWriter().u16be(type).zero(20).finish()));
    },
    0x17e: (reader) => {
      reader.bytes(7, "bank");
      const wanted = reader.u8("0") | (reader.u8("8") << 8) | (reader.u8("16") << 16);
      const given = pcrs.flatMap((value, index) => ((wanted >> index) & 1 ? [{ index, value }] : [])).slice(0, 8);
      const body = new ByteWriter()
        .u32be(options.extended ?? 0)
        .bytes(selectionOf(bitsOf(given.map(({ index }) => index))));
      body.u32be(given.length);
      for (const { value } of given) body.bytes(sized(value));
      return head(0x8001, 0, body.finish());
    },
    0x158: (reader) => {
      reader.bytes(4 + 4 + 9, "key and password");
      if (extensions > 0) {
        extensions -= 1;
        pcrs[10] = createHash("sha256")
          .update(pcrs[10] ?? "")
          .digest();
      }
      const quoted = attest(reader.bytes(reader.u16be("extraDataSize"), "extraData"));
      const signature = sign("sha256", quoted, { key: keys.privateKey, padding: constants.RSA_PKCS1_PADDING });
      return authorised(new ByteWriter().bytes(sized(quoted)).u16be(0x14).u16be(0xb).bytes(sized(signature)).finish());
    },
  };

  function attest(given: Uint8Array): Uint8Array {
    const fields = { extraData: given, magic: 0xff54_4347, type: 0x8018, selection: selectionOf(0xff_ffff) };
    options.forge?.(fields);
    const digest = createHash("sha256").update(Buffer.concat(pcrs)).digest();
    return new ByteWriter()
      .u32be(fields.magic)
      .u16be(fields.type)
      .bytes(sized(new ByteWriter().u16be(0xb).zero(32).finish()))
      .bytes(sized(fields.extraData))
      .zero(17 + 8)
      .bytes(fields.selection)
      .bytes(sized(digest))
      .finish();
  }

  const transport: TpmTransport = {
    async exchange(command) {
      const reader = new ByteReader(command, "command");
      reader.u16be("tag");
      if (reader.u32be("size") !== command.length) throw new Error("a command of another length");
      const code = reader.u32be("code");
      tpm.commands.push(code);
      const answer = first.get(code)?.shift() ?? answers[code]?.(reader) ?? 0x143;
      return typeof answer === "number" ? head(0x8001, answer, new Uint8Array()) : answer;
    },
  };
  return tpm;
}

function bitsOf(indices: readonly number[]): number {
  return indices.reduce((bits, index) => bits | (1 << index), 0);
}

function authorised(parameters: Uint8Array): Uint8Array {
  const session = new ByteWriter().u16be(0).u8(1).u16be(0).finish();
  return head(0x8002, 0, new ByteWriter().u32be(parameters.length).bytes(parameters).bytes(session).finish());
}

/** An HCL report around the hardware's report, padded to `size`. */
export function hclReport(kind: "sev-snp" | "tdx", report: Uint8Array, variable = "{}", size = 2600): Uint8Array {
  const blob = Buffer.alloc(size);
  blob.write("HCLA", 0);
  blob.writeUInt32LE(2, 4);
  blob.writeUInt32LE(32 + 1184 + 20 + variable.length, 8);
  blob.writeUInt32LE(2, 12);
  blob.set(report, 32);
  blob.writeUInt32LE(20 + variable.length, 1216);
  blob.writeUInt32LE(1, 1220);
  blob.writeUInt32LE(kind === "tdx" ? 4 : 2, 1224);
  blob.writeUInt32LE(1, 1228);
  blob.writeUInt32LE(variable.length, 1232);
  blob.write(variable, 1236);
  return new Uint8Array(blob);
}

/** A report of SEV-SNP on Milan, with zero where nothing is asked for. */
export function snpReport(reportData: Uint8Array = new Uint8Array(64)): Uint8Array {
  const report = new Uint8Array(1184);
  report.set([5, 0, 0, 0]);
  // ECDSA P-384 with SHA-384.
  report.set([1], 0x34);
  report.set(reportData, 0x50);
  report.set([0x19, 0x01], 0x188);
  report.fill(7, 0x1a0, 0x1e0);
  return report;
}
