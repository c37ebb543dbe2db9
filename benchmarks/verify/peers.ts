/** Verifiers of others, over Evidence that ours verifies in the same run. They are installed by `npm ci --prefix benchmarks/peers`. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { OpenCase } from "../../conformance/case.ts";
import { vectorsFolder } from "../../conformance/vectors.ts";

/** One verification; rejects where the peer refuses. */
export type PeerPass = () => Promise<void>;

const folder = new URL("../peers/node_modules/", import.meta.url);

/** @throws Error that says how to install them. */
export function demandPeers(): void {
  if (!existsSync(folder))
    throw new Error("peers are not installed: npm ci --ignore-scripts --prefix benchmarks/peers");
}

async function load<T>(path: string): Promise<T> {
  return (await import(new URL(path, folder).href)) as T;
}

interface Tinfoil {
  verifyAttestation(document: { format: string; body: string }, vcek: string): Promise<unknown>;
}

/** `@tinfoilsh/verifier`: report, VCEK chain, TCB, its own policy; judges by the machine's clock. */
export async function tinfoil({ evidence, endorsements, bytes }: OpenCase): Promise<PeerPass> {
  const peer = await load<Tinfoil>("@tinfoilsh/verifier/dist/index.js");
  const body = gzipSync(bytes(evidence["file"] ?? "")).toString("base64");
  const vcek = Buffer.from(bytes(endorsements.ek ?? "")).toString("base64");
  const document = { format: "https://tinfoil.sh/predicate/sev-snp-guest/v2", body };
  return async () => void (await peer.verifyAttestation(document, vcek));
}

interface Phala {
  verify(quote: Buffer, collateral: object, now: number): unknown;
}

/** `@phala/dcap-qvl`: quote and collateral at the case's time. */
export function phala({ evidence, endorsements, bytes, now }: OpenCase): PeerPass {
  const require = createRequire(fileURLToPath(new URL("x.cjs", folder)));
  const peer = require("@phala/dcap-qvl") as Phala;
  const part = (name: string): Buffer => Buffer.from(bytes(endorsements.collateral?.[name] ?? ""));
  const signed = (name: string, member: string): readonly [string, string] => {
    const whole = part(name).toString("utf8");
    const start = whole.indexOf(`"${member}":`) + member.length + 3;
    const { signature } = JSON.parse(whole) as { signature: string };
    return [whole.slice(start, whole.lastIndexOf(',"signature"')), signature];
  };
  const [tcbInfo, tcbInfoSignature] = signed("tcbInfo", "tcbInfo");
  const [qeIdentity, qeIdentitySignature] = signed("qeIdentity", "enclaveIdentity");
  const collateral = {
    tcb_info: tcbInfo,
    tcb_info_signature: hexBytes(tcbInfoSignature),
    tcb_info_issuer_chain: part("tcbInfoIssuerChain").toString("utf8"),
    qe_identity: qeIdentity,
    qe_identity_signature: hexBytes(qeIdentitySignature),
    qe_identity_issuer_chain: part("qeIdentityIssuerChain").toString("utf8"),
    pck_crl: part("pckCrl"),
    pck_crl_issuer_chain: part("pckCrlIssuerChain").toString("utf8"),
    root_ca_crl: part("rootCaCrl"),
  };
  const quote = Buffer.from(bytes(evidence["file"] ?? ""));
  return async () => void peer.verify(quote, collateral, now);
}

function hexBytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, "hex"));
}

interface SignedAttestation {
  verifyRootOfTrust(at: Date): Promise<boolean>;
  verifySignature(): Promise<boolean>;
  rootCertFingerprint(): Promise<string>;
}

interface Sequence {
  readonly SignedAttestation: { fromDocument(document: string): SignedAttestation };
}

/** What `@evervault/attestation-bindings` takes, in milliseconds a verification; null where `faketime` is not installed. */
export function evervault(count: number): readonly number[] | null {
  const folder = vectorsFolder();
  if (folder === null || !existsSync("/usr/bin/faketime")) return null;
  const program = fileURLToPath(new URL("evervault-child.ts", import.meta.url));
  const document = join(folder, "nitro/DEBUG-evervault-ga-2023.cose");
  const args = [
    "2023-09-18 15:03:40",
    process.execPath,
    "--conditions=blindbox-source",
    program,
    document,
    String(count),
  ];
  const output = execFileSync("/usr/bin/faketime", args, { env: { DONT_FAKE_MONOTONIC: "1" }, encoding: "utf8" });
  return JSON.parse(output) as readonly number[];
}

/** `@0xsequence/tee-verifier`: chain and signature at the case's time, as its fetch wrapper checks them. */
export async function sequence({ evidence, bytes, now }: OpenCase): Promise<PeerPass> {
  // It is written for browsers.
  Object.assign(globalThis, { window: globalThis });
  const { SignedAttestation } = await load<Sequence>("@0xsequence/tee-verifier/dist/index.js");
  const document = Buffer.from(bytes(evidence["file"] ?? "")).toString("base64");
  return async () => {
    const attestation = SignedAttestation.fromDocument(document);
    const chain = await attestation.verifyRootOfTrust(new Date(now * 1000));
    await attestation.rootCertFingerprint();
    if (!chain || !(await attestation.verifySignature())) throw new Error("refused");
  };
}
