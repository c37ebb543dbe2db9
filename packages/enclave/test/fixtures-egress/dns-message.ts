/** DNS messages by RFC 1035 alone: nothing of the code under test. */
export interface QueryParts {
  readonly id?: number;
  readonly flags?: number;
  readonly counts?: readonly [number, number, number, number];
  /** Labels, or the bytes that stand in their place. */
  readonly name?: readonly string[] | Buffer;
  readonly type?: number;
  readonly class?: number;
  /** Bytes behind the question. */
  readonly rest?: Buffer;
}

export function nameBytes(labels: readonly string[]): Buffer {
  const parts = labels.map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label, "latin1")]));
  return Buffer.concat([...parts, Buffer.of(0)]);
}

export function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(2 * values.length);
  values.forEach((value, index) => bytes.writeUInt16BE(value, 2 * index));
  return bytes;
}

export function queryBytes(parts: QueryParts = {}): Buffer {
  const { id = 0x1234, flags = 0x0100, counts = [1, 0, 0, 0], name = ["api", "example", "com"], rest } = parts;
  return Buffer.concat([
    words(id, flags, ...counts),
    Buffer.isBuffer(name) ? name : nameBytes(name),
    words(parts.type ?? 1, parts.class ?? 1),
    rest ?? Buffer.alloc(0),
  ]);
}

/** An OPT record. */
export function opt(
  change: { readonly root?: number; readonly version?: number; readonly data?: Buffer } = {},
): Buffer {
  const { root = 0, version = 0, data = Buffer.alloc(0) } = change;
  return Buffer.concat([Buffer.of(root), words(41, 1232), Buffer.of(0, version), words(0, data.length), data]);
}

/** With an OPT record behind the question. */
export function queryWithOptions(record: Buffer = opt(), parts: QueryParts = {}): Buffer {
  return queryBytes({ ...parts, counts: [1, 0, 0, 1], rest: record });
}
