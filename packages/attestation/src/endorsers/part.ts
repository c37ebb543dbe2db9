/** The Endorsements of one machine are made of parts: what one vendor answers at one address, with dates of its own. */
import type { Fragment } from "./cache.ts";
import type { VendorAnswer, VendorRequest } from "./vendor-fetch.ts";

/** One certificate, CRL or signed list, and its dates. */
export interface Dated {
  /** Member of the Endorsements, for example `crls[0]`. */
  readonly name: string;
  /** notBefore, thisUpdate or issueDate: seconds since 1970. */
  readonly issued: number;
  /** notAfter or nextUpdate: seconds since 1970. */
  readonly expires: number;
  /** CRL number or TCB evaluation number; `null` for what has none. */
  readonly number: number | null;
}

/** Some members of the Endorsements, and how they are read. */
export interface Content {
  /** Never empty. The first one names the content in errors. */
  readonly members: readonly string[];
  /**
   * Reads the members strictly, and compares them with the machine that they are for. Proves nothing of their origin: that
   * is the Verifier's part.
   *
   * @throws EncodingError for another form, EndorserError `mismatch` for another machine's.
   */
  readonly check: (fragment: Fragment) => readonly Dated[];
}

/** Content, and who has it. */
export interface Part extends Content {
  readonly request: VendorRequest;
  /** Under which name it is kept: the address that its vendor has it at, whoever was asked. */
  readonly key: string;
  /** Asked anew once it is this old, in seconds, though it may be valid for longer. */
  readonly keepSeconds: number;
  /** The answer's members. @throws EncodingError */
  readonly read: (answer: VendorAnswer) => Fragment;
}

/** How the Endorsements of one machine come together. */
export interface Plan {
  readonly parts: readonly Part[];
  /** Members that no vendor is asked for. */
  readonly given: Fragment;
  /** The dates of those that have any. */
  readonly givenDated: readonly Dated[];
}

/** Lists that vendors issue anew every day, or whenever something is revoked. */
export const DAILY: number = 86_400;

/** Certificates of a chip or a CA: they change with the firmware, and their address with them. */
export const MONTHLY: number = 30 * 86_400;

/** When the first of them expires: seconds since 1970. */
export function expiryOf(dated: readonly Dated[]): number {
  return Math.min(...dated.map(({ expires }) => expires));
}

/** When the last of them was issued: seconds since 1970. */
export function issueOf(dated: readonly Dated[]): number {
  return Math.max(...dated.map(({ issued }) => issued));
}
