/** Every bound that the gateway sets on what comes from outside. Times in milliseconds, sizes in bytes. */
export interface GatewayLimits {
  /** Open connections; the next one is closed at once. */
  readonly connections: number;
  /** Requests of one connection that are not answered yet (pipelining); one more closes it. */
  readonly pipelined: number;
  /**
   * Of these, requests to the box's own endpoints, which anybody may send: each may hold one Evidence document of at most
   * 5 MiB that its caller does not read. Answers of the application are held back at their source instead.
   */
  readonly pipelinedOwn: number;
  /** Request line and all headers together. */
  readonly headerBytes: number;
  /** Header lines of one request. */
  readonly headerCount: number;
  /** From the TCP connection to the end of the TLS handshake. */
  readonly handshake: number;
  /** From the first byte of a request (or the handshake) to the end of its headers. */
  readonly headers: number;
  /** From the first byte of a request to the last of its body. */
  readonly request: number;
  /** Between two requests of one connection. */
  readonly idle: number;
  /** A connection on which nothing moves in either direction. */
  readonly silence: number;
  /** How often the timeouts above are looked at. */
  readonly checkEvery: number;
  /** Of a refused request's body, read and thrown away so that the client can read the refusal. */
  readonly lingerBytes: number;
  /** As long as this. */
  readonly linger: number;
  /** To get a socket to the application. */
  readonly dial: number;
  /** From the end of the request to the head of the application's answer, whatever interim answers (1xx) it sends. */
  readonly answer: number;
  /** Interim answers (1xx) of the application to one request; one more is no valid answer. */
  readonly interimAnswers: number;
  /** Between two pieces of the application's answer. */
  readonly answerPause: number;
  /** A connection to the application that nobody uses. */
  readonly appIdle: number;
  /** The application's status line and headers together. */
  readonly appHeaderBytes: number;
  /** After an answer that ends with its connection: the time in which the application's death becomes known. */
  readonly settle: number;
}

export const gatewayLimits: GatewayLimits = Object.freeze({
  // Each costs some 50 KB of TLS state: 200 MB at the worst.
  connections: 4096,
  pipelined: 16,
  // Who awaits each answer, as every client of ours does, has one.
  pipelinedOwn: 2,
  // What Node, nginx and Apache allow by default, so that no client meets a smaller bound here than elsewhere.
  headerBytes: 16_384,
  headerCount: 100,
  handshake: 10_000,
  headers: 10_000,
  // A body of 1 GiB at 30 Mbit/s.
  request: 300_000,
  // Longer than the 60 s after which common load balancers give up, so that they close first.
  idle: 65_000,
  silence: 1_000_000,
  checkEvery: 1_000,
  lingerBytes: 262_144,
  linger: 2_000,
  dial: 5_000,
  // Inference over a long input has no byte to show for many minutes.
  answer: 900_000,
  // One 103 is common, a 102 now and then thinkable.
  interimAnswers: 8,
  answerPause: 900_000,
  // Below the shortest idle time of common application servers (2 s), lest they close while we send.
  appIdle: 1_500,
  appHeaderBytes: 32_768,
  settle: 50,
});
