/** A machine for classic BPF, written from the kernel's documentation and knowing nothing of our compiler. */

export interface SystemCall {
  readonly number: number;
  readonly architecture: number;
  readonly args: readonly bigint[];
}

export interface Row {
  readonly code: number;
  readonly ifTrue: number;
  readonly ifFalse: number;
  readonly value: number;
}

export function decode(filter: Uint8Array): Row[] {
  const view = new DataView(filter.buffer, filter.byteOffset, filter.byteLength);
  return Array.from({ length: filter.length / 8 }, (_, index) => ({
    code: view.getUint16(index * 8, true),
    ifTrue: view.getUint8(index * 8 + 2),
    ifFalse: view.getUint8(index * 8 + 3),
    value: view.getUint32(index * 8 + 4, true),
  }));
}

/** What the filter returns, as an unsigned number; throws where the kernel would not have loaded it. */
export function run(rows: readonly Row[], call: SystemCall): number {
  const data = seccompData(call);
  let accumulator = 0;
  for (let counter = 0; counter < rows.length; counter += 1) {
    const { code, ifTrue, ifFalse, value } = rows[counter] as Row;
    const jump = (condition: boolean) => (counter += condition ? ifTrue : ifFalse);
    if (code === 0x20) accumulator = data.getUint32(value, true);
    else if (code === 0x54) accumulator = (accumulator & value) >>> 0;
    else if (code === 0x15) jump(accumulator === value);
    else if (code === 0x25) jump(accumulator > value);
    else if (code === 0x45) jump((accumulator & value) !== 0);
    else if (code === 0x06) return value;
    else throw new Error(`unknown instruction ${code}`);
  }
  throw new Error("ran off the end");
}

/** struct seccomp_data */
function seccompData({ number, architecture, args }: SystemCall): DataView {
  const view = new DataView(new ArrayBuffer(64));
  view.setInt32(0, number, true);
  view.setUint32(4, architecture, true);
  for (const [index, value] of args.entries()) view.setBigUint64(16 + index * 8, BigInt.asUintN(64, value), true);
  return view;
}
