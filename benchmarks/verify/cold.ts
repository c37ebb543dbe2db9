/** A first verification in a process of its own, above what a bare Node takes to start and end. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { median } from "../statistics.ts";
import type { Result, Row } from "../table.ts";
import type { Sample } from "./ours.ts";

const rounds = 11;
const attestation = fileURLToPath(new URL("../../packages/attestation/src/index.ts", import.meta.url));

/** A sample, and the name of the factory that reads it. */
export interface ColdSample extends Sample {
  readonly factory: string;
}

const program = (factory: string): string => `
import { readFileSync } from "node:fs";
import { ${factory} } from ${JSON.stringify(attestation)};
const { evidence, endorsements, policy, now } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const parsed = ${factory}().parseEvidence(new Uint8Array(Buffer.from(evidence, "base64")));
const { findings } = await parsed.authenticate(endorsements, policy, now);
const signature = findings.find(({ check }) => check === "evidence-signature");
process.exit(signature?.status === "passed" ? 0 : 1);
`;

async function bundle(folder: string, factory: string): Promise<string> {
  const file = join(folder, `${factory}.ts`);
  writeFileSync(file, program(factory));
  const build = await rolldown({
    input: file,
    platform: "node",
    resolve: { conditionNames: ["blindbox-source", "node", "import", "default"] },
    logLevel: "warn",
  });
  const out = join(folder, `${factory}.mjs`);
  await build.write({ file: out, format: "esm", minify: true, codeSplitting: false });
  await build.close();
  return out;
}

function millisecondsOf(args: readonly string[]): number {
  const start = process.hrtime.bigint();
  execFileSync(process.execPath, args, { stdio: "ignore", env: {} });
  return Number(process.hrtime.bigint() - start) / 1e6;
}

function textOf({ evidence, endorsements, policy, now }: Sample): string {
  return JSON.stringify({ evidence: Buffer.from(evidence).toString("base64"), endorsements, policy, now });
}

/** One bundle a TEE, each with its Evidence. */
export async function measureCold(samples: readonly ColdSample[]): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), "blindbox-cold-"));
  try {
    const empty = join(folder, "empty.mjs");
    writeFileSync(empty, "");
    const rows: Row[] = [];
    for (const sample of samples) {
      const file = await bundle(folder, sample.factory);
      const data = join(folder, `${sample.factory}.json`);
      writeFileSync(data, textOf(sample));
      const above = Array.from({ length: rounds }, () => millisecondsOf([file, data]) - millisecondsOf([empty]));
      rows.push({ measured: sample.factory, result: `+${median(above).toFixed(1)} ms`, target: "≤ 20 ms" });
    }
    return { name: "cold", method: `${rounds} processes each, minus a bare Node beside it; medians`, rows };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
