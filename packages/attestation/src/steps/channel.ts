/** Step 7: the key at the other end of this connection is the one that the Statement names. */
import { digest, formatSha256 } from "@blindbox/encoding";
import type { Appraisal } from "../appraisal.ts";
import { compared, skipped } from "../findings.ts";
import type { Finding } from "../types.ts";

/** Compares the key that the TLS handshake proved with the Statement's. */
export async function compareTlsKey({ statement, connection }: Appraisal): Promise<readonly Finding[]> {
  if (connection.peerKey === null) return [unshown("This runtime does not show the key of its connection.")];
  if (statement === null) return [unshown("There is no readable Statement.")];
  const actual = formatSha256(await digest("SHA-256", connection.peerKey.tlsSpki));
  const comparison = compared({
    step: "channel",
    check: "tls-key",
    holds: actual === statement.tls,
    expected: statement.tls,
    actual,
    passed: "This connection ends at the key that the TEE vouches for.",
    failed: "This connection ends at another key than the one that the TEE vouches for.",
    hint: "Somebody ends TLS in between: connect to the box itself.",
  });
  return [comparison];
}

function unshown(reason: string): Finding {
  return skipped("channel", "tls-key", "the key that the Statement names", reason);
}
