/** Every bound that the modes set on what comes from the application or from its hosts. Times in milliseconds, sizes in bytes. */
export interface EgressLimits {
  /** From the connection to the end of a ClientHello, or of another first message. */
  readonly hello: number;
  /** To end the application's TLS. */
  readonly handshake: number;
  /** To verify the host by TLS. */
  readonly upstreamHandshake: number;
  /** A spliced connection, or a WebSocket, on which nothing moves in either direction. */
  readonly idle: number;
  /** From the connection, or the end of the answer before, to the end of a request's head. */
  readonly head: number;
  /** Between two pieces of a request's body that the host is ready to take. */
  readonly bodyPause: number;
  /** Request line and all headers together. */
  readonly headerBytes: number;
  /** Header lines of one request. */
  readonly headerCount: number;
  /** Requests of one connection that are not answered yet; one more closes it. */
  readonly pipelined: number;
  /** Of a refused request's body, read and thrown away so that the application can read the refusal. */
  readonly lingerBytes: number;
  /** As long as this. */
  readonly linger: number;
  /** From the end of a request to the head of its answer, whatever interim answers (1xx) come. */
  readonly answer: number;
  /** Between two pieces of an answer that the application is ready to take. */
  readonly answerPause: number;
  /** Interim answers (1xx) to one request; one more is no valid answer. */
  readonly interimAnswers: number;
  /** The host's status line and headers together. */
  readonly answerHeaderBytes: number;
  /** A connection to a host that no request uses. */
  readonly upstreamIdle: number;
}

export const egressLimits: EgressLimits = Object.freeze({
  hello: 5_000,
  handshake: 10_000,
  upstreamHandshake: 10_000,
  // Pools of database connections rest for long; TCP keep-alive finds those whose other end is gone.
  idle: 3_600_000,
  // Longer than the 60 s for which common clients keep a connection at most, so that they close first.
  head: 65_000,
  bodyPause: 300_000,
  // What Node, nginx and Apache take by default.
  headerBytes: 16_384,
  headerCount: 100,
  pipelined: 16,
  lingerBytes: 262_144,
  linger: 2_000,
  // Inference over a long input has no byte to show for many minutes.
  answer: 900_000,
  answerPause: 900_000,
  // One 103 is common, a 102 now and then thinkable.
  interimAnswers: 8,
  // Some sites set dozens of cookies.
  answerHeaderBytes: 65_536,
  // Below the shortest idle time of common servers (5 s), lest they close while we send.
  upstreamIdle: 4_000,
});
