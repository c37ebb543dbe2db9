/** Step 8: the Manifest that came along is the one in force. What it means, the client asks. */
import { digest, formatSha256, utf8 } from "@blindbox/encoding";
import type { Appraisal } from "../appraisal.ts";
import { compared, skipped } from "../findings.ts";
import type { Finding } from "../types.ts";

/** Compares the Manifest's exact bytes with the digest in the Statement. */
export async function compareManifest({ document, statement }: Appraisal): Promise<readonly Finding[]> {
  if (document === null || statement === null) {
    return [skipped("manifest", "manifest-digest", "the Statement's digest", "There is no readable Statement.")];
  }
  const actual = formatSha256(await digest("SHA-256", utf8(document.manifest)));
  const comparison = compared({
    step: "manifest",
    check: "manifest-digest",
    holds: actual === statement.manifest,
    expected: statement.manifest,
    actual,
    passed: "The Manifest shown is the Manifest in force.",
    failed: "The Manifest shown is not the Manifest in force.",
  });
  return [comparison];
}
