import { createHash } from "node:crypto";
import { simulatedMeasurement, simulatedReferenceValues } from "@blindbox/measure";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

const hex = fc.stringMatching(/^[0-9a-f]{64}$/);

const ZERO = `sha256:${"0".repeat(64)}`;

/** The formula of DESIGN section 5, by another implementation of hashing. */
function expected(config: string, layers: readonly string[]): string {
  return createHash("sha384")
    .update("blindbox-sim/1")
    .update(Buffer.from([config, ...layers].join(""), "hex"))
    .digest("hex");
}

describe("the simulated measurement", () => {
  it("is SHA-384 over the label, the configuration and the layers in order", async () => {
    await fc.assert(
      fc.asyncProperty(hex, fc.array(hex, { maxLength: 5 }), async (config, layers) => {
        const image = { configDigest: `sha256:${config}`, diffIds: layers.map((layer) => `sha256:${layer}`) };
        const measurement = await simulatedMeasurement(image);
        expect(measurement).toHaveLength(48);
        expect(Buffer.from(measurement).toString("hex")).toBe(expected(config, layers));
        const reference = { tee: "simulated", registers: { measurement: expected(config, layers) } };
        expect(await simulatedReferenceValues(image)).toEqual(reference);
      }),
    );
  });

  it("changes with the order of layers", async () => {
    const other = `sha256:${"1".repeat(64)}`;
    const one = await simulatedMeasurement({ configDigest: ZERO, diffIds: [ZERO, other] });
    expect(await simulatedMeasurement({ configDigest: ZERO, diffIds: [other, ZERO] })).not.toEqual(one);
    expect(await simulatedMeasurement({ configDigest: other, diffIds: [ZERO, ZERO] })).not.toEqual(one);
  });

  it.each([
    "",
    "sha256:",
    ZERO.slice(0, -1),
    `${ZERO}0`,
    ZERO.replace("0", "g"),
    `${ZERO.slice(0, -1)}A`,
    ZERO.replace("256", "512"),
  ])("refuses %j as a digest", async (digest) => {
    await expect(simulatedMeasurement({ configDigest: digest, diffIds: [] })).rejects.toThrow(/configDigest/);
    await expect(simulatedMeasurement({ configDigest: ZERO, diffIds: [ZERO, digest] })).rejects.toThrow(/diffIds\[1\]/);
  });
});
