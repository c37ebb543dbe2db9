/** How an answer of the attestation exchange can be wrong, and what was expected instead. */
export const ANSWER_EXPECTATIONS = {
  "answer-head": "an HTTP/1.1 head of at most 64 well-formed lines",
  "answer-head-size": "a head of at most 8192 bytes",
  "answer-status": "status 200",
  "answer-media-type": "exactly one Content-Type: application/vnd.blindbox.evidence+json",
  "answer-length": "exactly one Content-Length of at most 5 MiB",
  "answer-coding": "no Transfer-Encoding and no Content-Encoding",
  "answer-persistence": "a connection that stays open",
  "answer-trailing-bytes": "nothing behind the body",
} as const;

/** Public code of one fault; also the `check` of the Finding that tells of it. */
export type AnswerCheck = keyof typeof ANSWER_EXPECTATIONS;

/** The peer answered the attestation request with something that is no Evidence document. */
export class AnswerError extends Error {
  readonly check: AnswerCheck;
  readonly expected: string;
  /** Never the peer's own text: at most a number that it sent. */
  readonly actual: string;

  constructor(check: AnswerCheck, actual = "something else") {
    super(`${check}: expected ${ANSWER_EXPECTATIONS[check]}, got ${actual}`);
    this.name = "AnswerError";
    this.check = check;
    this.expected = ANSWER_EXPECTATIONS[check];
    this.actual = actual;
  }
}
