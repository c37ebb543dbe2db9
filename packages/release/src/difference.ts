import type { Release } from "./release.ts";

/** One thing that a Release lacks for being trusted in full. A client turns each into a Finding of step `release`. */
export interface Difference {
  readonly code: "unsigned";
  readonly expected: string;
  readonly actual: string;
  readonly reason: string;
  readonly hint: string;
}

/**
 * What keeps a Release from being trusted in full. This version of the document carries no signatures at all, so the
 * answer is never empty: nobody but who handed over the file vouches for it, and with it a result is at most `warning`.
 */
export function assessRelease(_release: Release): readonly Difference[] {
  return [
    {
      code: "unsigned",
      expected: "the publisher's signature and that of at least one voucher",
      actual: "no signature",
      reason: "release signatures are not supported yet: the release is trusted because of where its file came from",
      hint: "rebuild the box from its source and compare the release files, or obtain this file from whom you trust",
    },
  ];
}
