/** A host that publishes keys, on real TLS, and boxes that read them there by their own rules. */
import type { RequestListener } from "node:http";
import { connect, type Socket } from "node:net";
import {
  createEgressDecider,
  jwkThumbprint,
  type Principal,
  type TokenTerms,
  type VerifiedEgress,
} from "@blindbox/manifest";
import type { ModeParts } from "../src/egress/contract.ts";
import { createKeyReader, type KeyReader, keyReaderLimits } from "../src/egress/key-reader.ts";
import { type Identity, certifyRoot, certifySite } from "./fixtures-egress/certificates.ts";
import { recordingLedger } from "./fixtures-egress/ledger.ts";
import { type HttpSite, startHttpsSite } from "./fixtures-egress/sites.ts";
import { verifiedRule } from "./fixtures-egress/way-out.ts";
import { type IssuerKey, termsOf } from "./token-issuer.ts";

export const KEYS_URL = "https://idp.test/keys";

/** The key host's name, and the authority that the rule trusts. */
export interface KeyWorld {
  readonly root: Identity;
  readonly honest: Identity;
}

export async function createKeyWorld(): Promise<KeyWorld> {
  const root = await certifyRoot("root");
  return { root, honest: await certifySite(root, "idp.test") };
}

/** The rule that lets the box ask for the keys, and nothing else. */
export function keyRule({ root }: KeyWorld, change: Partial<VerifiedEgress> = {}): VerifiedEgress {
  return verifiedRule([root.der], { host: "idp.test", methods: ["GET"], paths: ["/keys"], ...change });
}

/** The way of the box to a site on this machine; what the resolver and the classifier do is played here. */
export interface KeyWay {
  readonly reader: KeyReader;
  readonly ledger: ReturnType<typeof recordingLedger>;
}

export function keyWay(
  rules: readonly Parameters<typeof createEgressDecider>[0]["egress"][number][],
  site: Pick<HttpSite, "port">,
  limits: Partial<typeof keyReaderLimits> = {},
): KeyWay {
  const ledger = recordingLedger();
  const decider = createEgressDecider({ egress: rules });
  const parts: ModeParts = { decider, dialer: { dial: () => dial(site.port) }, ledger };
  return { ledger, reader: createKeyReader(parts, { ...keyReaderLimits, ...limits }) };
}

function dial(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  return new Promise((resolve, reject) => {
    socket.once("connect", () => resolve(socket)).once("error", reject);
  });
}

/** A caller known by tokens of these keys, which the Manifest names by thumbprint. */
export async function pinnedStaff(keys: readonly IssuerKey[], change: Partial<TokenTerms> = {}): Promise<Principal> {
  const thumbprints = await Promise.all(keys.map(({ jwk }) => jwkThumbprint(jwk)));
  return { id: "staff", jwt: termsOf(keys, { keys: { url: KEYS_URL, thumbprints }, ...change }), audit: true };
}

/** A JWK set as an issuer publishes it. */
export function setOf(...keys: readonly unknown[]): string {
  return JSON.stringify({ keys });
}

/** Serves what `published` says at the moment. */
export function startKeyHost(identity: Identity, published: () => string): Promise<HttpSite> {
  return startHttpsSite(identity, answering(published));
}

export function answering(text: () => string, status = 200, headers: Record<string, string> = {}): RequestListener {
  return (request, response) => {
    request.resume().once("end", () => response.writeHead(status, headers).end(text()));
  };
}
