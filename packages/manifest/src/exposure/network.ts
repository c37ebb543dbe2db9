import { WILDCARD } from "../host-name.ts";
import type { Egress, Manifest } from "../manifest.ts";
import { BOX_PORT } from "../ports.ts";
import { keySights } from "./keys.ts";
import { ALWAYS, type Exposure, type Sight, where } from "./sight.ts";

// In TLS a client shows its certificate before it can attest the other end.
export const SHOWN =
  "certificates are encrypted on the way, but shown to whoever answers there, before the box is verified";

/** Everybody on the way between callers and box. */
export function callersNetwork({ access: { mutualTls } }: Manifest): Exposure {
  return {
    observer: "network",
    who: "the network between callers and box",
    sees: [
      { what: `addresses of callers, and that they talk to port ${BOX_PORT}`, because: ALWAYS },
      { what: "the name that they ask TLS for (SNI), and by its form which client they use", because: ALWAYS },
      { what: "when and how much is sent in each direction, so: how long requests and answers are", because: ALWAYS },
      ...where(
        mutualTls !== null,
        `which callers come to port ${mutualTls?.port}, where certificates are asked for; ${SHOWN}`,
        "access.mutualTls",
      ),
    ],
  };
}

/** Everybody on the way between box and allowed hosts; null: there is no way out. */
export function destinationsNetwork(egress: readonly Egress[]): Exposure | null {
  if (egress.length === 0) return null;
  const plain = egress.flatMap((rule, index) => plainSights(rule, `egress[${index}]`));
  const wild = egress.flatMap((rule, index) => wildSights(rule, `egress[${index}]`));
  return {
    observer: "network",
    who: "the network between box and allowed hosts, and the resolvers that are asked",
    sees: [
      { what: `the names that are looked up, among: ${listOf(egress.map(({ host }) => host))}`, because: "egress" },
      { what: "addresses and ports that are dialled, when, and how much is sent in each direction", because: "egress" },
      ...wild,
      ...plain,
    ],
  };
}

function listOf(hosts: readonly string[]): string {
  return [...new Set(hosts)].join(", ");
}

function wildSights({ host }: Egress, path: string): readonly Sight[] {
  const what = `the label that the application chooses in ${host}, in DNS and SNI: a way out for small data`;
  return where(host.startsWith(WILDCARD), what, path);
}

function plainSights({ mode, host }: Egress, path: string): readonly Sight[] {
  switch (mode) {
    case "verified":
    case "passthrough":
      return [{ what: `the name ${host.replace(WILDCARD, "below ")} in TLS (SNI)`, because: path }];
    case "http":
      return [{ what: `every request to ${host} and every answer, in plain text, and can change them`, because: path }];
    case "tcp":
      return [
        {
          what: `everything that goes to ${host} and back, but for what the application itself encrypts`,
          because: path,
        },
      ];
  }
}

const TRUSTS: Readonly<Record<Egress["mode"], string>> = {
  verified: "the box checked its certificate for that name",
  passthrough: "or whoever the network leads to instead, if the application takes its certificate",
  http: "or whoever the network leads to instead",
  tcp: "or whoever the network leads to instead",
};

/** Each allowed host. */
export function destinationExposures(manifest: Manifest): readonly Exposure[] {
  const asked = keySights(manifest);
  return manifest.egress.map((rule, index) => ({
    observer: "destination",
    who: `${rule.host}, port ${rule.ports.join(", ")}, mode ${rule.mode}: ${TRUSTS[rule.mode]}`,
    sees: [...destinationSights(rule, `egress[${index}]`), ...(asked.get(index) ?? [])],
  }));
}

function destinationSights(rule: Egress, path: string): readonly Sight[] {
  const asked =
    "methods" in rule ? `in requests of ${wordsOf(rule.methods)} to ${wordsOf(rule.paths)}` : "in any protocol";
  return [
    { what: `whatever the application sends ${asked}, the data of callers included`, because: path },
    ...where(
      rule.mode === "verified" && rule.websocket,
      "whatever the application sends in WebSockets, into which the box does not look",
      `${path}.websocket`,
    ),
    { what: "the address of the box's network, when it is asked, and how much is sent", because: path },
  ];
}

function wordsOf(words: readonly string[] | "any"): string {
  return words === "any" ? "any" : words.join(", ");
}
