/** Step 6: the asker's nonce and connection are in the Statement's challenge, and the box's clock is right. */
import { EncodingError, equalBytes, fromBase64url, merkleRoot, toBase64url } from "@blindbox/encoding";
import type { MerkleProof } from "@blindbox/encoding";
import type { Appraisal } from "../appraisal.ts";
import { leafHash } from "../binding.ts";
import { compared, skipped } from "../findings.ts";
import type { Connection } from "../input.ts";
import type { Finding, Statement } from "../types.ts";

/** Compares the challenge with the leaf of this connection, the level reached with the policy's, and the clocks. */
export async function appraiseFreshness(appraisal: Appraisal): Promise<readonly Finding[]> {
  return [await compareChallenge(appraisal), compareLevel(appraisal), compareClock(appraisal)];
}

async function compareChallenge({ document, statement, connection }: Appraisal): Promise<Finding> {
  const expected = "a challenge that holds this connection's leaf";
  const { nonce } = connection;
  if (nonce === null) return skipped("freshness", "challenge", expected, "No nonce was sent, so this may be a replay.");
  if (document === null || statement === null) {
    return skipped("freshness", "challenge", expected, "There is no readable Statement.");
  }
  const root = document.proof === null ? null : await rootOf(document.proof, nonce, connection);
  return compared({
    step: "freshness",
    check: "challenge",
    holds: root !== null && equalBytes(root, challengeOf(statement)),
    expected: statement.challenge,
    actual: root === null ? "no proof that leads to a challenge" : toBase64url(root),
    passed: "The Statement was made after this nonce was sent, over this connection.",
    failed: "The Evidence was made for another nonce or another connection: a replay, or somebody in between.",
    hint: "If nothing on the way ends TLS (no proxy, no L7 balancer), treat this as an attack.",
  });
}

function challengeOf(statement: Statement): Uint8Array {
  return fromBase64url(statement.challenge, "statement.challenge");
}

async function rootOf(proof: MerkleProof, nonce: Uint8Array, { channel }: Connection): Promise<Uint8Array | null> {
  const exporter = channel.binding === "tls-exporter" ? channel.exporter : undefined;
  const leaf = await leafHash(channel.binding, nonce, exporter);
  try {
    return await merkleRoot(leaf, proof);
  } catch (error) {
    if (error instanceof EncodingError) return null;
    throw error;
  }
}

function compareLevel({ connection, policy }: Appraisal): Finding {
  const expected = `at least ${policy.minimumBinding}`;
  if (connection.nonce === null) {
    return skipped(
      "freshness",
      "binding-level",
      expected,
      "No nonce was sent, so nothing ties this to the connection.",
    );
  }
  const actual = connection.channel.binding;
  return compared({
    step: "freshness",
    check: "binding-level",
    holds: actual === "tls-exporter" || policy.minimumBinding === "none",
    expected,
    actual,
    passed: "The tie between Evidence and connection is as strong as the policy demands.",
    failed: "The tie between Evidence and connection is weaker than the policy demands.",
    hint: "Use a runtime that exposes the TLS exporter, or set minimumBinding to none knowing that a stolen key relays.",
  });
}

function compareClock({ statement, policy, now }: Appraisal): Finding {
  const expected = `${now} s, give or take ${policy.maxClockSkew} s`;
  if (statement === null) return skipped("freshness", "clock", expected, "There is no readable Statement.");
  return compared({
    step: "freshness",
    check: "clock",
    holds: Math.abs(statement.time - now) <= policy.maxClockSkew,
    expected,
    actual: `${statement.time} s`,
    passed: "The box's clock is right, so the certificates and tokens that it judges are judged at the right time.",
    failed: "The Statement is old, or the box's clock is off.",
    hint: "Ask again; if it stays so, compare the clocks of this machine and of the box's host.",
  });
}
