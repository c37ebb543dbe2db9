/** `blindbox endorsements` in this process, with vendors of our own; and Evidence, as files have it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Writable } from "node:stream";
import { formatEvidenceDocument, type TeeKind } from "@blindbox/attestation";
import { onTestFinished, vi } from "vitest";
import { addEndorsements, type EndorserWorld } from "../src/commands/endorsements.ts";
import { takeValuesOnce } from "../src/commands/command.ts";
import { reportFailure } from "../src/output/report.ts";
import { hclReport as azureHclReport } from "../../attestation/test/azure-vtpm/hcl.ts";
import { chipId } from "../../attestation/test/endorsers/vendors.ts";
import { NOW } from "../../attestation/test/vendor.ts";
import { emptyDirectory, type Run } from "./command.ts";

class Text extends Writable {
  text = "";
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

export interface Workplace {
  readonly cwd: string;
  readonly path: (name: string) => string;
  readonly write: (name: string, content: Uint8Array | string) => string;
  /** Runs the command with the vendors that `fetch` stands for. */
  readonly run: (args: readonly string[], fetch?: EndorserWorld["fetch"], now?: number) => Promise<Run>;
}

/** Reaches nobody. */
export const noNetwork: EndorserWorld["fetch"] = () => Promise.reject(new TypeError("fetch failed"));

/** A directory that is gone after the test, with a cache of its own. */
export function workplace(): Workplace {
  const cwd = emptyDirectory();
  vi.stubEnv("XDG_CACHE_HOME", join(cwd, "cache"));
  onTestFinished(() => void vi.unstubAllEnvs());
  const path = (name: string): string => join(cwd, name);
  return {
    cwd,
    path,
    write: (name, content) => {
      writeFileSync(path(name), content);
      return path(name);
    },
    run: (args, fetch = noNetwork, now = NOW) => run(args, { fetch, now: () => now, sleep: briefly, random: () => 0 }),
  };
}

// Waits between attempts are no subject here; limits of time are long ones, and must not end anything.
const briefly: EndorserWorld["sleep"] = (milliseconds, signal) =>
  new Promise((resolve) => {
    if (milliseconds < 10_000) setImmediate(resolve);
    else signal.addEventListener("abort", () => resolve());
  });

async function run(args: readonly string[], world: EndorserWorld): Promise<Run> {
  const terminal = { stdout: new Text(), stderr: new Text() };
  let code: number | null = null;
  const finish = (with_: number): void => {
    code = with_;
  };
  try {
    const command = addEndorsements({ terminal, finish }, world);
    takeValuesOnce(command);
    await command.parseAsync([...args], { from: "user" });
  } catch (error) {
    code = reportFailure(terminal, error);
  }
  return { code, stdout: terminal.stdout.text, stderr: terminal.stderr.text };
}

/** A report of the chip that the fake vendors know; unsigned. */
export function snpReport(
  change: { readonly version?: number; readonly vlek?: boolean; readonly cpuid?: string } = {},
): Uint8Array {
  const { version = 3, vlek = false, cpuid = version < 3 ? "000000" : "190101" } = change;
  const bytes = Buffer.alloc(1184);
  bytes.writeUInt32LE(version, 0);
  // ECDSA P-384 with SHA-384.
  bytes.writeUInt32LE(1, 0x34);
  bytes.writeUInt32LE(vlek ? 4 : 0, 0x48);
  bytes.set(Buffer.from("0301000000000873", "hex"), 0x180);
  bytes.set(Buffer.from(cpuid, "hex"), 0x188);
  if (!vlek) bytes.set(Buffer.from(chipId, "hex"), 0x1a0);
  return new Uint8Array(bytes);
}

/** The HCL report of an Azure machine around a hardware report; `type` 2 is SNP, 4 TDX. */
export function hclReport(report: Uint8Array, type = 2): Uint8Array {
  return azureHclReport(report, Buffer.from("{}"), { reportType: type });
}

/** What a box of that TEE answers, around any Evidence. */
export function evidenceDocument(tee: TeeKind, evidence: Uint8Array): string {
  const texts = { statement: "{}", selfTest: "{}", manifest: "{}" };
  return formatEvidenceDocument({ tee, evidence, endorsements: {}, ...texts, proof: null, release: null });
}

/** The host's table, with one entry. */
export function certificateTable(guid: string, certificate: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(48 + certificate.length);
  bytes.set(Buffer.from(guid.replaceAll("-", ""), "hex"));
  bytes.writeUInt32LE(48, 16);
  bytes.writeUInt32LE(certificate.length, 20);
  bytes.set(certificate, 48);
  return new Uint8Array(bytes);
}
