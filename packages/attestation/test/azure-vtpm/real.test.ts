/** Real machines under the vendors' own roots and the strict policy: what passes, and what a whole verifier misses. */
import { expect, test } from "vitest";
import { skipLine, vectorsFolder } from "../../../../conformance/vectors.ts";
import { codeOf, findingsOf, realMachines } from "./real.ts";

const real = realMachines();
if (vectorsFolder() === null) console.log(skipLine("real machines of Azure"));

test.each(real)(
  "$name passes everything but the lists of revoked certificates, which did not come along",
  async (each) => {
    expect(await codeOf(each)).toBeNull();
    const missing = (await findingsOf(each)).filter(({ status }) => status !== "passed").map(({ check }) => check);
    const presence = each.parts.tdQuote === null ? "crl-presence" : "collateral-presence";
    expect([...new Set(missing)]).toEqual([presence, "hardware-checks"]);
  },
);

test.each(real)("$name with parts of another machine is refused", async (each) => {
  for (const other of real.filter((one) => one !== each)) {
    const { hclReport, quote, signature, pcrs, tdQuote } = other.parts;
    for (const change of [{ hclReport }, { quote }, { signature }, { quote, signature }, { quote, signature, pcrs }]) {
      expect(await codeOf(each, change)).not.toBeNull();
    }
    if (tdQuote !== each.parts.tdQuote) expect(await codeOf(each, { tdQuote })).not.toBeNull();
    expect(await codeOf(each, { pcrs })).toBe("pcr-mismatch");
  }
});
