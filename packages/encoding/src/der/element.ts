/**
 * Strict DER (X.690 section 10): definite lengths in their shortest form, one-byte tags, no constructed strings, nothing
 * behind the last element. Elements are found by offset: nothing is copied, and nothing below is read before it is asked for.
 */
import { plainView } from "../bytes/compare.ts";
import { EncodingError } from "../encoding-error.ts";
import { DER_TAG } from "./tags.ts";

/** One element: its tag, and views of the bytes that it was read from. */
export interface DerElement {
  /** The whole identifier octet: class, constructed bit and number. */
  readonly tag: number;
  /** Length of tag and length octets. */
  readonly header: number;
  /** 0 for what {@link derRead} returns, one more for each level of {@link derChildren}. */
  readonly depth: number;
  /** The contents octets, a view. */
  readonly contents: Uint8Array;
  /** The whole element with its header, a view: what a signature covers. */
  readonly raw: Uint8Array;
}

/** Vendors' certificates and CRLs nest 7 deep: twice that, and two. */
const maxDepth = 16;

/** The document that carries a CRL has at most 1 MiB, which holds 26,000 entries. */
const maxChildren = 65_536;

const constructedBit = 0x20;
const highTagNumber = 0x1f;
const universalClassEnd = 0x40;

/** Views are made when asked for: most elements of a CRL are only passed over. */
class Slice implements DerElement {
  readonly tag: number;
  readonly header: number;
  readonly depth: number;
  readonly end: number;
  readonly #source: Uint8Array;
  readonly #start: number;

  constructor(source: Uint8Array, tag: number, depth: number, start: number, header: number, end: number) {
    this.#source = source;
    this.tag = tag;
    this.depth = depth;
    this.#start = start;
    this.header = header;
    this.end = end;
  }

  get contents(): Uint8Array {
    return this.#source.subarray(this.#start + this.header, this.end);
  }

  get raw(): Uint8Array {
    return this.#source.subarray(this.#start, this.end);
  }
}

/**
 * The one element that `bytes` are. What is inside is checked when it is read.
 *
 * @throws EncodingError for anything but one DER element, trailing bytes included.
 */
export function derRead(bytes: Uint8Array, field: string = "der"): DerElement {
  const source = plainView(bytes);
  const element = readElement(source, 0, 0, field);
  if (element.end === source.length) return element;
  throw new EncodingError("trailing-bytes", field, `${element.end} bytes`, `${source.length} bytes`);
}

/**
 * The elements inside a constructed one, in order.
 *
 * @throws EncodingError where it is primitive, its contents are not a row of DER elements, or there are more than 16
 * levels or 65,536 children.
 */
export function derChildren(element: DerElement, field: string = "der"): DerElement[] {
  if ((element.tag & constructedBit) === 0) throw refused(field, "a constructed element", `tag ${element.tag}`);
  if (element.depth >= maxDepth) throw exceeded(field, `${maxDepth} levels`);
  const source = element.contents;
  const children: DerElement[] = [];
  for (let at = 0; at < source.length; ) {
    if (children.length === maxChildren) throw exceeded(field, `${maxChildren} elements`);
    const child = readElement(source, at, element.depth + 1, field);
    children.push(child);
    at = child.end;
  }
  return children;
}

/**
 * The element itself, if it has that tag. Every reader of a value checks so first.
 *
 * @throws EncodingError for another tag.
 */
export function derExpect(element: DerElement | undefined, tag: number, field: string = "der"): DerElement {
  if (element === undefined) throw new EncodingError("truncated", field, `tag ${tag}`, "no element");
  if (element.tag === tag) return element;
  throw refused(field, `tag ${tag}`, `tag ${element.tag}`);
}

/** The elements of a SEQUENCE. */
export function derSequence(element: DerElement | undefined, field: string = "der"): DerElement[] {
  return derChildren(derExpect(element, DER_TAG.sequence, field), field);
}

function readElement(source: Uint8Array, start: number, depth: number, field: string): Slice {
  const tag = octet(source, start, field);
  checkTag(tag, field);
  const first = octet(source, start + 1, field);
  const header = first < 0x80 ? 2 : 2 + (first & 0x7f);
  const length = first < 0x80 ? first : longLength(source, start + 2, first & 0x7f, field);
  const end = start + header + length;
  if (end <= source.length) return new Slice(source, tag, depth, start, header, end);
  const there = Math.max(0, source.length - start - header);
  throw new EncodingError("truncated", field, `${length} bytes of contents`, `${there} bytes`);
}

function octet(source: Uint8Array, at: number, field: string): number {
  const value = source[at];
  if (value === undefined) throw new EncodingError("truncated", field, "tag and length", `${source.length} bytes`);
  return value;
}

function checkTag(tag: number, field: string): void {
  if ((tag & highTagNumber) === highTagNumber) throw refused(field, "a tag of one byte", "a longer tag");
  if (tag >= universalClassEnd) return;
  const mustBeConstructed = (tag | constructedBit) === DER_TAG.sequence || (tag | constructedBit) === DER_TAG.set;
  const isConstructed = (tag & constructedBit) !== 0;
  if (tag !== 0 && mustBeConstructed === isConstructed) return;
  throw refused(field, "a tag that DER has", `tag ${tag}`);
}

/** Four bytes reach beyond any input, and stay below what arithmetic gets wrong. */
function longLength(source: Uint8Array, start: number, count: number, field: string): number {
  if (count === 0) throw refused(field, "a definite length", "an indefinite one");
  if (count > 4) throw refused(field, "a length of at most 4 bytes", `one of ${count}`);
  let length = 0;
  for (let at = start; at < start + count; at += 1) length = length * 256 + octet(source, at, field);
  const shortest = count === 1 ? 0x80 : 256 ** (count - 1);
  if (length >= shortest) return length;
  throw refused(field, "the shortest form of a length", `${length} in ${count} bytes`);
}

function refused(field: string, expected: string, actual: string): EncodingError {
  return new EncodingError("bad-encoding", field, expected, actual);
}

function exceeded(field: string, most: string): EncodingError {
  return new EncodingError("limit-exceeded", field, `at most ${most}`, "more");
}
