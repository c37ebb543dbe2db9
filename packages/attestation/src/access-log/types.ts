/** The words of the access log: who asked for what, under rules that say so. Types only. */
import type { RecordChain } from "../record-chain.ts";

/** How a request ended, in the box's words: an answer of the application, or the last part of a problem's `type`. */
export type AccessOutcome = string;

/** What one request has to say. Names are the Manifest's; never a path with data, a query, a header or a body. */
export interface AccessEntry {
  /** Id of the principal, or `anonymous`. */
  readonly principal: string;
  /** Index in the Manifest's `access.rules`. */
  readonly rule: number;
  /** One of the methods that a rule can name. */
  readonly method: string;
  /** The rule's own `path`, never the request's. */
  readonly path: string;
  /** `answered`, `broken`, or the code of a problem. */
  readonly outcome: AccessOutcome;
  /** Status code of the answer; null where none was sent. The application chooses it. */
  readonly status: number | null;
  /** Bytes of the request's body that the box took. */
  readonly received: number;
  /** Bytes of the answer's body that the box sent on. */
  readonly sent: number;
}

/** One link of the chain. */
export interface AccessRecord extends AccessEntry {
  /** From 0, without gaps, in the order in which requests ended in this boot. */
  readonly seq: number;
  /** When it ended, by the box's clock in whole seconds since 1970, which is the host's to set. */
  readonly time: number;
}

/** What a box answers at `ACCESS_LOG_PATH`: the records that it still has, and the heads around them. */
export type AccessLogDocument = RecordChain<AccessRecord>;
