import {
  type AccessRule,
  ANONYMOUS,
  type CertificateTerms,
  type ClaimTerm,
  type Egress,
  type Factor,
  factorsOf,
  type HeaderTerm,
  isIpv4Literal,
  type Logs,
  type Manifest,
  METHOD_OVERRIDES,
  type Operations,
  type Principal,
  type TokenTerms,
} from "@blindbox/manifest";

/** One thing that a policy allows, and what to know about it. */
export interface Explained {
  readonly what: string;
  /** `strong`: the box checks it itself. `weak`: it rests on somebody else. `plain`: neither. */
  readonly strength: "strong" | "weak" | "plain";
  readonly notes: readonly string[];
}

/** One question about a policy, with its answers. */
export interface Section {
  readonly title: string;
  readonly entries: readonly Explained[];
}

/** A policy in plain words: who may call, what the application can reach, what is told, and what none of it stops. */
export function explainPolicy({ access, egress, logs, operations, audit }: Manifest): readonly Section[] {
  return [
    {
      title: "Who may call. Every caller is a way out: the app can answer one with another's data",
      entries: callers(access.principals, access.rules),
    },
    {
      title: "Who may read the egress ledger (times, hosts of rules, numbers of bytes) and the access log",
      entries: auditors(access.principals),
    },
    { title: "What the access log holds", entries: [recordsOf(access.rules, audit.entries)] },
    { title: "What the app can reach", entries: ways(egress) },
    { title: "What leaves as a log", entries: [logsOf(logs)] },
    { title: "What whoever runs the box is told beside that", entries: told(operations) },
    { title: "What no rule stops", entries: RESIDUE },
  ];
}

const NOBODY: Explained = { what: "nobody", strength: "strong", notes: [] };

function callers(principals: readonly Principal[], rules: readonly AccessRule[]): readonly Explained[] {
  const known = principals.map((principal) => callerOf(principal, rules));
  const anybody = rightsOf(ANONYMOUS, rules);
  const anonymous: Explained = { what: "anybody, without a key", strength: "weak", notes: anybody };
  const all = anybody.length === 0 ? known : [...known, anonymous];
  return all.length === 0 ? [NOBODY] : all;
}

function callerOf(principal: Principal, rules: readonly AccessRule[]): Explained {
  const rights = rightsOf(principal.id, rules);
  const factors = factorsOf(principal);
  const conditions = factors.flatMap(conditionsOf);
  const notes = [...conditions, ...(rights.length === 0 ? ["no rule admits it to the app"] : rights)];
  return {
    what: `${principal.id}, known by ${factors.map(materialOf).join(" together with ")}`,
    strength: "plain",
    notes,
  };
}

function materialOf(factor: Factor): string {
  if ("apiKey" in factor) return `the API key with digest ${factor.apiKey.slice(0, 19)}…`;
  if ("jwt" in factor) return `a token of ${factor.jwt.issuer} for ${factor.jwt.audience}`;
  return `a client certificate of the issuer with key ${factor.certificate.issuer.slice(0, 19)}…`;
}

function conditionsOf(factor: Factor): readonly string[] {
  if ("apiKey" in factor) return [];
  return "jwt" in factor ? tokenNotes(factor.jwt) : certificateNotes(factor.certificate);
}

function tokenNotes({ keys, algorithms, requiredClaims, maxLifetime, clockSkew }: TokenTerms): readonly string[] {
  const source =
    "url" in keys ? `${keys.thumbprints.length} pinned, read at ${keys.url}` : `${keys.keys.length}, written out`;
  return [
    `its keys: ${source}; signed with ${algorithms.join(" or ")}`,
    `it lives ${maxLifetime} s at most, give or take ${clockSkew} s, by a clock that the host sets`,
    ...Object.entries(requiredClaims).map(([name, term]) => `its claim ${name} is ${claimWords(term)}`),
  ];
}

function claimWords(term: ClaimTerm): string {
  if (Array.isArray(term)) return term.map((each) => JSON.stringify(each)).join(" or ");
  if (typeof term !== "object") return JSON.stringify(term);
  if ("word" in term) return `a text with the word ${JSON.stringify(term.word)}`;
  return "item" in term ? `a list with ${JSON.stringify(term.item)}` : "";
}

function certificateNotes({ subject, san }: CertificateTerms): readonly string[] {
  const name =
    san === null ? [] : Object.entries(san).map(([kind, value]) => `its alternative names hold ${kind} ${value}`);
  if (subject !== "any")
    return [`its subject is ${subject.map(({ type, value }) => `${type}=${value}`).join(", ")}`, ...name];
  return name.length > 0 ? name : ["anybody's: every certificate of that issuer is this caller"];
}

function rightsOf(id: string, rules: readonly AccessRule[]): readonly string[] {
  return rules
    .filter(({ allow }) => allow.includes(id))
    .flatMap(({ methods, path, headers, upgrade }) => [
      `may ask ${methods.join(", ")} of ${path}${headerWords(headers)}`,
      ...(upgrade === "websocket" ? [`may have WebSockets on ${path}, into which the box does not look`] : []),
      ...Object.keys(headers)
        .filter((name) => METHOD_OVERRIDES.has(name))
        .map((name) => `with ${name} the app takes another method than the request has`),
    ]);
}

function headerWords(headers: AccessRule["headers"]): string {
  const words = Object.entries(headers).map(([name, term]) => termWords(name, term));
  return words.length === 0 ? "" : `, ${words.join(", ")}`;
}

function termWords(name: string, term: HeaderTerm): string {
  if ("present" in term) return `${term.present ? "with" : "without"} ${name}`;
  return `with ${name}: ${term.oneOf.join(" or ")}`;
}

function auditors(principals: readonly Principal[]): readonly Explained[] {
  const readers = principals.filter(({ audit }) => audit);
  return readers.length === 0 ? [NOBODY] : readers.map(({ id }) => ({ what: id, strength: "plain", notes: [] }));
}

function recordsOf(rules: readonly AccessRule[], entries: number): Explained {
  const recorded = rules.filter(({ audit }) => audit);
  if (recorded.length === 0) return { what: "no requests: no rule has audit: true", strength: "plain", notes: [] };
  const notes = recorded.map(({ methods, path }) => `${methods.join(", ")} of ${path}`);
  return { what: `the last ${entries} requests under these rules, without paths or bodies`, strength: "plain", notes };
}

function told({ port, health, metrics }: Operations): readonly Explained[] {
  const up = port === null ? "that the box is up: a constant" : `that the box is up, at plain port ${port} too`;
  const live: Explained = { what: up, strength: "strong", notes: [] };
  const ready: Explained = {
    what: `whether the app is ready, at plain port ${port}`,
    strength: "weak",
    notes: ["the app can flip this bit to signal"],
  };
  const counts: Explained = {
    what: `how many requests were answered, refused, failed or broken off, rounded down, at plain port ${port}`,
    strength: "plain",
    notes: ["and how often the app was started anew"],
  };
  return [live, ...(health === "ready" ? [ready] : []), ...(metrics === "coarse" ? [counts] : [])];
}

function ways(egress: readonly Egress[]): readonly Explained[] {
  if (egress.length === 0) return [{ what: "nothing", strength: "strong", notes: ["every packet ends in the box"] }];
  return egress.map((rule) => ({
    what: isNeverDialled(rule.host)
      ? `nothing by ${rule.host}, ${portsOf(rule)}: this address is not public, and is refused when it is dialled`
      : `${rule.host}, ${portsOf(rule)}: ${LABELS[rule.mode]}`,
    strength: rule.mode === "verified" ? "strong" : "weak",
    notes: [...notesOf(rule), ...wildcardNotes(rule)],
  }));
}

/** The best-known of the ranges that the box refuses; it judges by the full list when it dials. */
const NOT_PUBLIC = /^(?:0|10|127|169\.254|172\.(?:1[6-9]|2\d|3[01])|192\.168|22[4-9]|2[345]\d)\./;

function isNeverDialled(host: string): boolean {
  return isIpv4Literal(host) && NOT_PUBLIC.test(host);
}

function portsOf({ ports }: Egress): string {
  return `${ports.length === 1 ? "port" : "ports"} ${ports.join(", ")}`;
}

const LABELS: Readonly<Record<Egress["mode"], string>> = {
  verified: "verified",
  passthrough: "passthrough, trusts the network",
  http: "plain HTTP, trusts the network",
  tcp: "plain TCP, trusts the network",
};

function notesOf(rule: Egress): readonly string[] {
  switch (rule.mode) {
    case "verified":
      return [
        certificateNote(rule.roots),
        ...pinNotes(rule.pins),
        requestNote(rule),
        ...websocketNotes(rule.websocket),
      ];
    case "passthrough":
      return [
        "the box checks the name that the app asks for, and sees neither certificate nor requests",
        "whoever controls the network can answer for that name, if the app takes its certificate",
      ];
    case "http":
      return [requestNote(rule), "everybody on the way reads it, can change it, and can answer in the host's place"];
    case "tcp":
      return [
        "the box does not look at what is sent, in whatever protocol",
        "everybody on the way reads what the app itself does not encrypt, and can answer in the host's place",
        "private, loopback, link-local and other addresses that are not public are refused when they are dialled",
      ];
  }
}

function certificateNote(roots: readonly string[] | null): string {
  const store = roots === null ? "the measured root store" : `${roots.length} of the rule's own, and no other`;
  return `the box ends the app's TLS and checks the host's certificate itself; roots: ${store}`;
}

function pinNotes(pins: readonly string[]): readonly string[] {
  if (pins.length === 0) return ["no pins: a certificate that an authority issues wrongly for that name would pass"];
  return [`${pins.length} pinned: one of these keys must be in the host's chain`];
}

function requestNote({
  methods,
  paths,
}: {
  readonly methods: readonly string[] | "any";
  readonly paths: readonly string[] | "any";
}): string {
  const asked = methods === "any" ? "any method" : methods.join(", ");
  return `the box checks every request: ${asked} of ${paths === "any" ? "any path" : paths.join(", ")}`;
}

function websocketNotes(websocket: boolean): readonly string[] {
  return websocket ? ["a request may become a WebSocket, into which the box does not look"] : [];
}

function wildcardNotes({ host }: Egress): readonly string[] {
  if (!host.startsWith("*.")) return [];
  return [
    "wildcard: the app chooses the first label, and the network reads it in DNS and SNI: a way out for small data",
  ];
}

const LOG_WORDS: Readonly<Record<Logs, Explained>> = {
  none: { what: "nothing: what the app prints is read and discarded", strength: "strong", notes: [] },
  metadata: {
    what: "one line of codes a request, which the host reads",
    strength: "plain",
    notes: ["when somebody calls, and how it ended"],
  },
  app: { what: "whatever the app prints, which the host reads", strength: "weak", notes: ["a way out for any data"] },
};

function logsOf(logs: Logs): Explained {
  return LOG_WORDS[logs];
}

const RESIDUE: readonly Explained[] = [
  { what: "an allowed host or caller can do with the data what it wants", strength: "plain", notes: [] },
  {
    what: "the network sees which host is reached when, and how much is sent; the app can signal with that",
    strength: "plain",
    notes: [],
  },
];
