import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { buildBox, runBox, unpackImage } from "../src/index.ts";
import { buildInputs } from "./support/boxes.ts";
import { scratchDirectory } from "./support/images.ts";

const runOptions = { boxDir: "x", listen: "127.0.0.1:0", stateDir: "x", driver: "auto", deviceMain: "x" } as const;

describe("options that no compiler checked", () => {
  test("unknown members are a TypeError, and nothing is done", async () => {
    const inputs = await buildInputs();
    await expect(buildBox({ ...inputs, tees: "simulated" } as never)).rejects.toThrow(
      new TypeError('buildBox: unknown options "tees"'),
    );
    await expect(runBox({ ...runOptions, debug: true } as never)).rejects.toThrow(TypeError);
    await expect(unpackImage("x", "y", { preserveOwners: false, force: true } as never)).rejects.toThrow(TypeError);
    expect(existsSync(inputs.outDir)).toBe(false);
  });

  test("missing members are a TypeError", async () => {
    const { nodeBinary: _node, ...inputs } = await buildInputs();
    await expect(buildBox(inputs as never)).rejects.toThrow(new TypeError("buildBox: options lack nodeBinary"));
    await expect(runBox({ ...runOptions, driver: undefined } as never)).rejects.toThrow("runBox: options lack driver");
    const destination = join(scratchDirectory(), "box");
    await expect(unpackImage("x", destination, {} as never)).rejects.toThrow(
      "unpackImage: options lack preserveOwners",
    );
  });
});
