/** What can become of an attempt to leave the box. A closed list: an unknown word makes a document malformed. */

const allowed = [
  /** A name below a wildcard was asked for the first time, and got its virtual address. */
  "name-assigned",
  /** A connection to the host is open, verified as the mode demands; nothing of the application went there yet. */
  "connected",
  /** Such a connection is over; the record has its bytes. */
  "closed",
  /** A request passed the rules. */
  "request-allowed",
  /** A request of the box itself, for the keys of an issuer of tokens, passed the rules. */
  "keys-requested",
] as const;

const refused = [
  /** DNS: a message that is no question of the one form that is understood. */
  "refused-query",
  /** DNS: a question for something else than addresses. */
  "refused-query-type",
  /** DNS: no rule names the host. */
  "refused-name",
  /** DNS: more distinct names than one boot may use. */
  "refused-name-limit",
  /** DNS: more new names than one minute may bring. */
  "refused-name-rate",
  /** An address was dialled that stands for no allowed name and no rule. */
  "refused-address",
  /** The rules of that host do not name the port. */
  "refused-port",
  /** More connections at once than allowed, in all or to one destination. */
  "refused-connection-limit",
  /** The allowed name could not be resolved. */
  "refused-resolution",
  /** The allowed name leads only to addresses that are not public. */
  "refused-address-not-public",
  /** No address of the host accepts a connection. */
  "refused-unreachable",
  /** The host took too long. */
  "refused-upstream-timeout",
  /** No ClientHello, or no other first message that the mode knows, within its bounds. */
  "refused-hello",
  /** The ClientHello names another host, several, or none. */
  "refused-server-name",
  /** The ClientHello hides the name it asks for. */
  "refused-encrypted-hello",
  /** The application ended the handshake, for example since it does not trust the box's authority. */
  "refused-tls-app",
  /** The handshake with the host failed. */
  "refused-tls-upstream",
  /** No path from the host's certificate to a root of the rule. */
  "refused-certificate-untrusted",
  /** The host's certificate is its own issuer. */
  "refused-certificate-self-signed",
  /** The host's certificate is for another name. */
  "refused-certificate-name",
  /** The host's certificate is not valid now. */
  "refused-certificate-expired",
  /** None of the rule's pins is in the host's chain. */
  "refused-certificate-pin",
  /** Bytes of no TLS where only TLS is let through. */
  "refused-no-tls",
  /** No request of the one form that is understood. */
  "refused-request-form",
  /** The request, or the rest of it, did not arrive in time. */
  "refused-request-timeout",
  /** The request names another host than the connection. */
  "refused-request-host",
  /** The request's target has more than one reading. */
  "refused-request-target",
  /** No rule of that host names the method. */
  "refused-request-method",
  /** No rule of that host and method names the path. */
  "refused-request-path",
  /** A header asks for another host, method or path than the one that was checked. */
  "refused-request-override",
  /** The request asks for another protocol, and the rule does not allow it. */
  "refused-upgrade",
  /** The host's answer is not of the one form that is understood. */
  "refused-answer",
  /** A fault of the box itself. */
  "refused-fault",
] as const;

/** What went through. */
export type LedgerPermission = (typeof allowed)[number];

/** What did not. */
export type LedgerRefusal = (typeof refused)[number];

/** What can become of an attempt to leave the box. */
export type LedgerVerdict = LedgerPermission | LedgerRefusal;

/** The closed list of verdicts. Those that begin with `refused-` are refusals, all others let something through. */
export const LEDGER_VERDICTS: readonly LedgerVerdict[] = Object.freeze([...allowed, ...refused]);
