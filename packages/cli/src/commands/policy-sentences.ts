import {
  type AccessRule,
  ANONYMOUS,
  type Egress,
  isIpv4Literal,
  type Logs,
  type Manifest,
  type Principal,
} from "@blindbox/manifest";

/** What both forms of a Manifest say about what may come in and go out. */
export interface Policy extends Pick<Manifest, "name" | "egress" | "logs"> {
  readonly principals: readonly Principal[];
  readonly rules: readonly Pick<AccessRule, "allow" | "methods" | "path">[];
}

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

/** A policy in plain words: who may call, what the application can reach, what is logged, and what none of it stops. */
export function explainPolicy(policy: Policy): readonly Section[] {
  return [
    {
      title: "Who may call. Every caller is a way out: the app can answer one with another's data",
      entries: callers(policy),
    },
    { title: "Who may read the egress ledger (times, hosts of rules, numbers of bytes)", entries: auditors(policy) },
    { title: "What the app can reach", entries: ways(policy.egress) },
    { title: "What leaves as a log", entries: [logsOf(policy.logs)] },
    { title: "What no rule stops", entries: RESIDUE },
  ];
}

const NOBODY: Explained = { what: "nobody", strength: "strong", notes: [] };

function callers({ principals, rules }: Policy): readonly Explained[] {
  const known = principals.map((principal) => callerOf(principal, rules));
  const anybody = rightsOf(ANONYMOUS, rules);
  const anonymous: Explained = { what: "anybody, without a key", strength: "weak", notes: anybody };
  const all = anybody.length === 0 ? known : [...known, anonymous];
  return all.length === 0 ? [NOBODY] : all;
}

function callerOf(principal: Principal, rules: Policy["rules"]): Explained {
  const rights = rightsOf(principal.id, rules);
  const notes = rights.length === 0 ? ["no rule admits it to the app"] : rights;
  return { what: `${principal.id}, known by ${materialOf(principal)}`, strength: "plain", notes };
}

function materialOf(principal: Principal): string {
  if ("apiKey" in principal) return `the API key with digest ${principal.apiKey.slice(0, 19)}…`;
  if ("jwt" in principal) return `a token of ${principal.jwt.issuer} (not supported yet)`;
  return "a client certificate (not supported yet)";
}

function rightsOf(id: string, rules: Policy["rules"]): readonly string[] {
  return rules
    .filter(({ allow }) => allow.includes(id))
    .map(({ methods, path }) => `may ask ${methods.join(", ")} of ${path}`);
}

function auditors({ principals }: Policy): readonly Explained[] {
  const readers = principals.filter((principal) => "audit" in principal && principal.audit);
  return readers.length === 0 ? [NOBODY] : readers.map(({ id }) => ({ what: id, strength: "plain", notes: [] }));
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
