/** The cases of Microsoft's endorsements of utility VMs: verdict, code and claims that their files expect. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { azureUvm, parseSevSnpReport } from "@blindbox/attestation";
import { expect, test } from "vitest";
import { skipLine, vectorsFolder } from "./vectors.ts";

interface UvmCase {
  readonly inputs: Readonly<Record<string, string>> & { readonly minimumSvn?: number };
  readonly expect: Readonly<Record<string, string>>;
}

const folder = vectorsFolder();
if (folder === null) console.log(skipLine("cases of utility VMs"));
const cases = folder === null ? [] : files(join(folder, "cases", "measure-aci"));

function files(path: string): readonly (readonly [string, string])[] {
  return readdirSync(path)
    .filter((name) => name.includes("uvm-"))
    .map((name) => [name, join(path, name)] as const);
}

test.skipIf(folder === null)("there are five cases", () => {
  expect(cases).toHaveLength(5);
});

test.skipIf(folder === null).each(cases)("measure-aci/%s", async (_name, file) => {
  const read = JSON.parse(readFileSync(file, "utf8")) as UvmCase;
  const bytes = (name: string): Uint8Array =>
    new Uint8Array(readFileSync(resolve(dirname(file), read.inputs[name] ?? "")));
  const hostData = sha256(bytes("policy"));
  const verdict = read.inputs["kind"] === "policy" ? { hostData } : await judge(read, bytes, hostData);
  expect(verdict).toEqual(read.expect);
});

async function judge(
  { inputs }: UvmCase,
  bytes: (name: string) => Uint8Array,
  policyDigest: string,
): Promise<UvmCase["expect"]> {
  const report = parseSevSnpReport(bytes("report"));
  const now = Date.parse("2026-11-01T00:00:00Z") / 1000;
  const { findings, registers } = await azureUvm().endorse(bytes("cose"), report, now);
  const failed = findings.find(({ status }) => status !== "passed");
  const code = failed?.code ?? pinned(registers, inputs);
  if (code !== null) return { verdict: "rejected", code };
  const hostData = Buffer.from(report.hostData).toString("hex");
  expect(hostData).toBe(policyDigest);
  const launchMeasurement = Buffer.from(report.measurement).toString("hex");
  return { verdict: "accepted", launchMeasurement, guestSvn: registers["uvmSvn"] ?? "", hostData };
}

/** What the tuple of a Release says, in the codes of the cases. */
function pinned(registers: Readonly<Record<string, string>>, inputs: UvmCase["inputs"]): string | null {
  if (registers["uvmIssuer"] !== inputs["expectedIssuer"]) return "issuer-mismatch";
  if (registers["uvmFeed"] !== inputs["expectedFeed"]) return "feed-mismatch";
  return Number(registers["uvmSvn"]) < (inputs.minimumSvn ?? 0) ? "svn-below-minimum" : null;
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
