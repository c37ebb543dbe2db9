/** A static ELF64 executable of two segments: code (read, execute) and data (read, write). */
const PAGE = 4096;
const HEADER = 64;
const SEGMENT_HEADER = 56;

/** Where the parts are loaded; below 2 GiB, see machine-code.ts. */
export const CODE_ADDRESS = 0x40_0000;
export const DATA_ADDRESS = 0x1000_0000;

const SEGMENT = Object.freeze({ load: 1, stack: 0x6474_e551 });
const EXECUTE = 1;
const WRITE = 2;
const READ = 4;

/** `entry` is the address of the first instruction, within the code. */
export function elfExecutable(code: Uint8Array, data: Uint8Array, entry: number): Uint8Array {
  const codeOffset = PAGE;
  const dataOffset = codeOffset + Math.ceil(code.length / PAGE) * PAGE;
  const file = new Uint8Array(dataOffset + data.length);
  const view = new DataView(file.buffer);
  writeHeader(view, entry);
  writeSegment(view, 0, SEGMENT.load, READ | EXECUTE, codeOffset, CODE_ADDRESS, code.length);
  writeSegment(view, 1, SEGMENT.load, READ | WRITE, dataOffset, DATA_ADDRESS, data.length);
  writeSegment(view, 2, SEGMENT.stack, READ | WRITE, 0, 0, 0);
  file.set(code, codeOffset);
  file.set(data, dataOffset);
  return file;
}

// ELF-64 object file format, version 1.5 draft 2, figure 2: class 64, little endian, ET_EXEC, EM_X86_64.
function writeHeader(view: DataView, entry: number): void {
  view.setUint32(0, 0x7f45_4c46);
  view.setUint8(4, 2);
  view.setUint8(5, 1);
  view.setUint8(6, 1);
  view.setUint16(16, 2, true);
  view.setUint16(18, 62, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, BigInt(entry), true);
  view.setBigUint64(32, BigInt(HEADER), true);
  view.setUint16(52, HEADER, true);
  view.setUint16(54, SEGMENT_HEADER, true);
  view.setUint16(56, 3, true);
}

function writeSegment(
  view: DataView,
  index: number,
  type: number,
  flags: number,
  offset: number,
  address: number,
  size: number,
): void {
  const at = HEADER + index * SEGMENT_HEADER;
  view.setUint32(at, type, true);
  view.setUint32(at + 4, flags, true);
  view.setBigUint64(at + 8, BigInt(offset), true);
  view.setBigUint64(at + 16, BigInt(address), true);
  view.setBigUint64(at + 24, BigInt(address), true);
  view.setBigUint64(at + 32, BigInt(size), true);
  view.setBigUint64(at + 40, BigInt(size), true);
  view.setBigUint64(at + 48, BigInt(PAGE), true);
}
