/** Real quotes with Intel's real Endorsements, from the shared vectors; none where those are absent. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { AppraisalPolicy, Tee } from "@blindbox/attestation";
import { EncodingError, type JsonValue } from "@blindbox/encoding";
import { openCase, type OpenCase } from "../../../../conformance/case.ts";
import { tdxEndorsements, tdxPolicy, tdxSetAside, tdxTee } from "../../../../conformance/tees/tdx.ts";
import { vectorsFolder } from "../../../../conformance/vectors.ts";

/** One accepted case, to be changed. */
export interface RealCase {
  readonly id: string;
  readonly tee: Tee;
  readonly bytes: Uint8Array;
  readonly endorsements: Readonly<Record<string, string | null>>;
  readonly policy: AppraisalPolicy;
  readonly now: number;
  readonly opened: OpenCase;
}

/** The accepted cases under Intel's own root, each quote once. */
export async function realCases(): Promise<readonly RealCase[]> {
  const folder = vectorsFolder();
  const cases = folder === null ? null : join(folder, "cases", "tdx");
  if (cases === null || !existsSync(cases)) return [];
  const opened = readdirSync(cases)
    .sort()
    .map((file) => openCase(join(cases, file)))
    .filter(({ expect, policy }) => expect.verdict === "accepted" && policy.trustAnchor === undefined);
  const distinct = new Map(opened.map((each) => [each.evidence["file"], each]));
  return Promise.all([...distinct.values()].map(realCase));
}

async function realCase(opened: OpenCase): Promise<RealCase> {
  const endorsements = tdxEndorsements(opened.endorsements, opened.bytes) as RealCase["endorsements"];
  const bytes = opened.bytes(opened.evidence["file"] ?? "");
  const policy = tdxPolicy(opened.policy);
  return { id: opened.id, tee: await tdxTee(opened), bytes, endorsements, policy, now: opened.now, opened };
}

/** Whether the case, with these parts changed, is accepted. What cannot be read is not; anything else that is thrown is a fault. */
export async function accepts(
  { tee, policy, opened, ...right }: RealCase,
  change: { readonly bytes?: Uint8Array; readonly endorsements?: JsonValue; readonly now?: number } = {},
): Promise<boolean> {
  const { bytes, endorsements, now } = { ...right, ...change };
  const aside = tdxSetAside(opened.policy);
  try {
    const evidence = tee.parseEvidence(bytes);
    const { findings } = await evidence.authenticate(endorsements, policy, now);
    const all = [...findings, ...evidence.appraisePlatform(policy)];
    return all.every((finding) => finding.status === "passed" || finding.status === "warning" || aside(finding));
  } catch (error) {
    if (error instanceof EncodingError) return false;
    throw error;
  }
}

/** The bytes with one bit turned over. */
export function flipped(bytes: Uint8Array, at: number, bit: number): Uint8Array {
  return bytes.with(at, (bytes[at] ?? 0) ^ (1 << bit));
}
