import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const assets = ["enclave/simulated/main.mjs", "device/main.mjs"];

/** Whether the bundles were built: `npm run build` does, and so does the whole check before it runs the tests. */
export const hasAssets: boolean = assets.every((asset) =>
  existsSync(fileURLToPath(new URL(`../assets/${asset}`, import.meta.url))),
);
