/** Callers of each kind, and rules that know them, for the benchmark of what knowing them costs. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer, type TLSSocket } from "node:tls";
import { createAccessDecider, type Principal, tokenIssuers } from "@blindbox/manifest";
import { DEFAULT_LIMITS } from "@blindbox/manifest/source";
import { createCallers, createTokenVerifier } from "../packages/enclave/src/gateway/index.ts";
import { type Callers } from "../packages/enclave/src/gateway/credentials/index.ts";
import { authority, type ClientIdentity, clientOf } from "../packages/enclave/test/client-certificates.ts";
import { aliceKey, bobKey, digestOf } from "../packages/enclave/test/gateway-fixture.ts";
import { type IssuerKey, ISSUER, issuerKey, termsOf, token } from "../packages/enclave/test/token-issuer.ts";

/** As many tokens as are verified in one round. */
export const tokensPerRound = 250;

export const tokenKinds = ["ES256", "EdDSA", "RS256"] as const;

export type TokenKind = (typeof tokenKinds)[number];

export interface AccessScene {
  readonly apiKey: string;
  /** The key of the caller that also needs a token and a certificate. */
  readonly combinedKey: string;
  readonly tokens: Readonly<Record<TokenKind, readonly string[]>>;
  /** What knows them all, and no token yet. */
  fresh(): Callers;
  /** The box's end of a connection whose caller showed a certificate. */
  readonly socket: TLSSocket;
  [Symbol.asyncDispose](): Promise<void>;
}

function principalsOf(signers: Readonly<Record<TokenKind, IssuerKey>>, issuer: string): readonly Principal[] {
  const certificate = { issuer, subject: "any", san: null } as const;
  const jwtOf = (kind: TokenKind) => termsOf([signers[kind]], { issuer: `${ISSUER}/${kind}` });
  return [
    { id: "key", apiKey: digestOf(aliceKey), audit: false },
    ...tokenKinds.map((kind) => ({ id: kind, jwt: jwtOf(kind), audit: false })),
    { id: "host", certificate, audit: false },
    { id: "all", allOf: [{ apiKey: digestOf(bobKey) }, { jwt: jwtOf("ES256") }, { certificate }], audit: false },
  ];
}

export async function openScene(): Promise<AccessScene> {
  const acme = await authority("Acme CA");
  const client = await clientOf(acme);
  const signers = { ES256: issuerKey("ES256"), EdDSA: issuerKey("EdDSA"), RS256: issuerKey("RS256") };
  const access = { principals: principalsOf(signers, acme.spki), rules: [], mutualTls: { port: 8444 } };
  const [decider, issuers] = [await createAccessDecider({ access }), await tokenIssuers({ access })];
  const tokensOf = (kind: TokenKind): readonly string[] =>
    Array.from({ length: tokensPerRound }, (_, at) =>
      token(signers[kind], { claims: { iss: `${ISSUER}/${kind}`, sub: `caller ${at}` } }),
    );
  const connection = await openMutual(client);
  return {
    apiKey: aliceKey,
    combinedKey: bobKey,
    tokens: { ES256: tokensOf("ES256"), EdDSA: tokensOf("EdDSA"), RS256: tokensOf("RS256") },
    fresh() {
      const readKeys = (): Promise<never> => Promise.reject(new Error("there is no way out"));
      const monotonic = (): number => performance.now();
      const tokens = createTokenVerifier({ issuers, readKeys, onEvent: () => {}, monotonic });
      return createCallers({ access: decider, tokens, takesTokens: true, now: () => Math.floor(Date.now() / 1000) });
    },
    ...connection,
  };
}

async function openMutual({
  key,
  cert,
}: ClientIdentity): Promise<Pick<AccessScene, "socket" | typeof Symbol.asyncDispose>> {
  const own = { key, cert, minVersion: "TLSv1.3" } as const;
  const server = createServer({ ...own, requestCert: true, rejectUnauthorized: false });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const accepted = once(server, "secureConnection") as Promise<[TLSSocket]>;
  const client = connect({ ...own, port, host: "127.0.0.1", rejectUnauthorized: false });
  const [socket] = await accepted;
  for (const each of [client, socket]) each.on("error", () => {});
  return {
    socket,
    async [Symbol.asyncDispose]() {
      client.destroy();
      socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** How callers of a crowd are known. */
export type CrowdKind = "keys" | "tokens";

/** A decider for many callers, each of whom may ask below one path. */
export interface Crowd {
  /** Knows the caller, and decides on what it asks; true where it is let in. */
  ask(caller: number, tenant: number): boolean;
  readonly callers: number;
  readonly tenants: number;
}

export async function crowdOf(kind: CrowdKind, callers: number, tenants: number): Promise<Crowd> {
  const signer = issuerKey("ES256");
  const principal = (at: number): Principal =>
    kind === "keys"
      ? { id: `c${at}`, apiKey: digestOf(`${at}`), audit: false }
      : { id: `c${at}`, jwt: termsOf([signer], { requiredClaims: { sub: `caller ${at}` } }), audit: false };
  const rules = Array.from({ length: tenants }, (_, at) => ({
    allow: Array.from({ length: callers / tenants }, (__, of) => `c${(at * callers) / tenants + of}`),
    methods: ["GET" as const],
    path: `/tenants/${at}/**`,
    headers: {},
    upgrade: "none" as const,
    audit: false,
    limits: DEFAULT_LIMITS,
  }));
  const access = { principals: Array.from({ length: callers }, (_, at) => principal(at)), rules, mutualTls: null };
  const decider = await createAccessDecider({ access });
  const [issuer] = await tokenIssuers({ access });
  const key = issuer?.inline[0]?.thumbprint ?? "";
  const now = Math.floor(Date.now() / 1000);
  const digests = Array.from({ length: callers }, (_, at) => digestOf(`${at}`));
  const claims = Array.from({ length: callers }, (_, at) => ({
    iss: ISSUER,
    aud: "box",
    iat: now,
    exp: now + 600,
    sub: `caller ${at}`,
  }));
  return {
    callers,
    tenants,
    ask(caller, tenant) {
      const token = kind === "keys" ? null : { algorithm: "ES256", key, claims: claims[caller] ?? {} };
      const apiKey = kind === "keys" ? (digests[caller] ?? "") : null;
      const identity = decider.identify({ apiKey, token, certificate: null }, now);
      const target = `/tenants/${tenant}/x`;
      return decider.decide({ identity, method: "GET", target, upgrade: null, headers: () => [] }).allowed;
    },
  };
}
