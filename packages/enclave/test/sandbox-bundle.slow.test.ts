/** The sandbox from a bundle, where the gate is a file beside the one that starts it. */
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SELF_TEST_PROBES } from "@blindbox/attestation";
import { rolldown } from "rolldown";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { DRIVERS } from "./fixtures-sandbox/availability.ts";
import { busyboxRootfs, removeTemporary, temporaryDirectory } from "./fixtures-sandbox/rootfs.ts";
import { endBoxes, specFor, startBox } from "./fixtures-sandbox/start-box.ts";

afterEach(endBoxes);
afterAll(removeTemporary);

async function bundle(): Promise<string> {
  const folder = temporaryDirectory();
  const entries = { box: "fixtures-sandbox/box.ts", gate: "../src/sandbox/gate/main.ts" };
  for (const [name, path] of Object.entries(entries)) {
    const conditionNames = ["blindbox-source", "node", "import", "default"];
    const input = { [name]: fileURLToPath(new URL(path, import.meta.url)) };
    const build = await rolldown({ input, platform: "node", resolve: { conditionNames } });
    await build.write({ dir: folder, format: "esm", entryFileNames: "[name].mjs", codeSplitting: false });
    await build.close();
    chmodSync(join(folder, `${name}.mjs`), 0o644);
  }
  return join(folder, "box.mjs");
}

for (const { driver, skip, note } of DRIVERS) {
  describe(`the ${driver} sandbox, bundled${note}`, () => {
    test.skipIf(skip)("is as tight, and as open to the gateway, as from its sources", async () => {
      const box = await startBox(driver, specFor(busyboxRootfs(driver)), [await bundle()]);
      expect(await box.ask("selfTest")).toEqual(Object.fromEntries(SELF_TEST_PROBES.map((name) => [name, "denied"])));
      await box.ask("start");
      await expect
        .poll(() => box.ask<{ body: string }>("get", "/index.html").catch(String))
        .toMatchObject({ body: "hello\n" });
    });
  });
}
