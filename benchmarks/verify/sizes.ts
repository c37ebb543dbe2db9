/** What a browser has to load: the Verifier with one TEE, or with all, bundled, minified and compressed. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import type { Result, Row } from "../table.ts";

const entry = fileURLToPath(new URL("../../packages/attestation/src/index.ts", import.meta.url));

const bundles: readonly (readonly [string, string, string])[] = [
  ["SNP", "sevSnp", "≤ 10 KB"],
  ["TDX", "tdx", ""],
  ["Nitro", "nitro", ""],
  ["all TEEs", "sevSnp, tdx, nitro, azureVtpm, azureUvm", "≤ 25 KB"],
];

async function sizeOf(names: string): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "blindbox-size-"));
  try {
    const file = join(folder, "entry.ts");
    writeFileSync(file, `export { createVerifier, strictPolicy, errorFor, ${names} } from ${JSON.stringify(entry)};\n`);
    const build = await rolldown({
      input: file,
      platform: "browser",
      resolve: { conditionNames: ["blindbox-source", "import", "default"] },
      treeshake: true,
      logLevel: "warn",
    });
    const { output } = await build.generate({ format: "esm", minify: true, codeSplitting: false });
    await build.close();
    return gzipSync(output[0].code, { level: 9 }).length;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The sizes, in kilobytes of 1000 bytes. */
export async function measureSizes(): Promise<Result> {
  const rows: Row[] = [];
  for (const [name, names, target] of bundles) {
    const bytes = await sizeOf(names);
    rows.push({ measured: name, result: `${(bytes / 1000).toFixed(1)} KB`, ...(target === "" ? {} : { target }) });
  }
  return { name: "bundle", method: "verifier with these TEEs, minified by rolldown, gzip -9; no dependency", rows };
}
