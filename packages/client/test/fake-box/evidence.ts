/** The Evidence document of an honest box, with a hook at every place at which a box can lie. */
import {
  bindingOf,
  type EvidenceDocument,
  formatEvidenceDocument,
  formatSelfTest,
  formatStatement,
  leafHash,
  SELF_TEST_PROBES,
  SIMULATED_TCB,
  type SimulatedReportBody,
  type Statement,
} from "@blindbox/attestation";
import { digest, type MerkleProof, merkleTree, toBase64url } from "@blindbox/encoding";
import { runtimeDigest } from "@blindbox/release";
import type { Asked } from "./box.ts";
import { sha256, type World } from "./world.ts";

type Change<T> = (truth: T) => T;

/** Each member replaces a part of the truth; what comes after it in the document is made from the replacement. */
export interface Lies {
  /** Answer for another nonce or another connection. */
  readonly asked?: Change<Pick<Asked, "nonce" | "exporter">>;
  readonly leaf?: (asked: Asked) => Promise<Uint8Array>;
  readonly statement?: Change<Statement>;
  /** Before the Binding is made of it. */
  readonly statementText?: Change<string>;
  readonly report?: Change<SimulatedReportBody>;
  readonly proof?: (truth: MerkleProof) => MerkleProof | null;
  readonly document?: Change<EvidenceDocument>;
  /** The document's text, after everything else. */
  readonly text?: Change<string>;
}

const keep = <T>(truth: T): T => truth;

/** The text of the document for one asker. */
export async function evidenceFor(world: World, asked: Asked, lies: Lies = {}): Promise<string> {
  const { nonce, exporter } = (lies.asked ?? keep)(asked);
  const leaf = await (lies.leaf?.(asked) ?? leafHash("tls-exporter", nonce, exporter));
  const others = [1, 2, 3].map((fill) => new Uint8Array(32).fill(fill));
  const tree = await merkleTree([others[0] ?? leaf, leaf, ...others.slice(1)], (bytes) => digest("SHA-256", bytes));
  const selfTest = formatSelfTest(Object.fromEntries(SELF_TEST_PROBES.map((probe) => [probe, "denied"])));
  const statement = (lies.statement ?? keep)(await statementOf(world, tree.root, selfTest));
  const statementText = (lies.statementText ?? keep)(formatStatement(statement));
  const body = (lies.report ?? keep)(await reportOf(world, statementText));
  const document = (lies.document ?? keep)({
    tee: "simulated",
    evidence: await world.vendor.sign(body),
    endorsements: world.vendor.endorsements,
    statement: statementText,
    selfTest,
    proof: (lies.proof ?? keep)(tree.proof(1)),
    manifest: world.manifest,
    release: null,
  } satisfies EvidenceDocument);
  return (lies.text ?? keep)(formatEvidenceDocument(document));
}

async function statementOf(world: World, root: Uint8Array, selfTest: string): Promise<Statement> {
  return {
    type: "blindbox-statement/1",
    tee: "simulated",
    time: Math.floor(Date.now() / 1000),
    runtime: await runtimeDigest(world.release.runtime),
    manifest: world.manifestDigest,
    tls: world.identity.spkiDigest,
    channel: null,
    sandbox: { driver: "rooted", selfTest: await sha256(selfTest) },
    ledger: null,
    audit: null,
    challenge: toBase64url(root),
  };
}

async function reportOf(world: World, statementText: string): Promise<SimulatedReportBody> {
  return {
    debug: false,
    tcb: BigInt(SIMULATED_TCB),
    measurement: world.measurement,
    binding: await bindingOf(statementText),
    chipId: world.vendor.chipId,
  };
}
