/** Writes down who asked for what, under rules that say so: a chain of hashes, of which the newest records are kept. */
import { hash } from "node:crypto";
import {
  ACCESS_LOG_TYPE,
  type AccessEntry,
  type AccessRecord,
  formatAccessLog,
  linkBytes,
  originBytes,
} from "@blindbox/attestation";

/** The access log of one boot. */
export interface AccessLog {
  record(entry: AccessEntry): void;
  /** `sha256:<hex>`: head of the chain now. */
  head(): string;
  /** The document, as text. */
  document(): string;
}

export interface AccessLogOptions {
  /** Records that are kept; the oldest is given up for the next. */
  readonly entries: number;
  /** Milliseconds since 1970: the host's clock, which records show and nothing rests on. */
  readonly now: () => number;
}

/** Well below what is read as one document: long paths make records of 1.2 KiB, usual ones 250 bytes. */
const maxBytes = 48 * 1024 * 1024;

/** An empty access log. What fills it is bounded by the rules' own limits. */
export function createAccessLog({ entries, now }: AccessLogOptions): AccessLog {
  const records: AccessRecord[] = [];
  const sizes: number[] = [];
  let bytes = 0;
  let head: Uint8Array = sha256(originBytes(ACCESS_LOG_TYPE));
  let start = head;
  let next = 0;
  const isOver = (): boolean => records.length > entries || bytes > maxBytes;
  const giveUpOldest = (): void => {
    const oldest = records.shift();
    bytes -= sizes.shift() ?? 0;
    if (oldest !== undefined) start = sha256(linkBytes(start, oldest));
  };
  return {
    record(entry) {
      const record: AccessRecord = { ...entry, seq: next, time: Math.max(0, Math.floor(now() / 1000)) };
      const link = linkBytes(head, record);
      head = sha256(link);
      next += 1;
      records.push(record);
      sizes.push(link.length);
      bytes += link.length;
      while (isOver()) giveUpOldest();
    },
    head: () => format(head),
    document: () =>
      formatAccessLog({ start: format(start), first: next - records.length, records, head: format(head) }),
  };
}

function sha256(bytes: Uint8Array): Uint8Array {
  return hash("sha256", bytes, "buffer");
}

function format(head: Uint8Array): string {
  return `sha256:${Buffer.from(head).toString("hex")}`;
}
