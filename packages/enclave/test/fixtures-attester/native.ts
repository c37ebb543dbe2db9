/** The native program as it is shipped, and the device that it is run against where there is none. */
import { spawnSync } from "node:child_process";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compileTeeIoctl } from "../../../../scripts/compile-tee-ioctl.ts";

const flags =
  "-std=gnu11 -Os -Wall -Wextra -Werror -static -nostdlib -ffreestanding -fno-pie -no-pie -fno-stack-protector";
const source = fileURLToPath(new URL("fake-device.c", import.meta.url));

/** False where there is no compiler, or it makes programs for another processor. */
export const canCompile: boolean = process.platform === "linux" && compileTeeIoctl() !== null;

/** Puts both programs into `folder`. */
export function compileBoth(folder: string): { readonly program: string; readonly fakeDevice: string } {
  const [program, fakeDevice] = [join(folder, "tee-ioctl"), join(folder, "fake-device")];
  writeFileSync(program, compileTeeIoctl() ?? "", { mode: 0o755 });
  const { status, stderr } = spawnSync(
    "gcc",
    [...flags.split(" "), "-fno-tree-loop-distribute-patterns", "-o", fakeDevice, source],
    { encoding: "utf8" },
  );
  if (status !== 0) throw new Error(stderr);
  return { program, fakeDevice };
}

/** What the kernel answers: a result below zero is an error's number; `detail` is exitinfo2, or the length of an answer. */
export interface ScriptedIoctl {
  readonly result: number;
  readonly detail: bigint;
  readonly answer: Uint8Array;
}

/** What the kernel was asked. */
export interface RecordedIoctl {
  readonly number: number;
  readonly descriptor: number;
  /** The struct that the call is given. */
  readonly argument: Buffer;
  /** What it points to: the request. */
  readonly request: Buffer;
}

/** A program in the place of `tee-ioctl`: the real one, with a fake device in the place of the kernel's. */
export function scripted(
  folder: string,
  device: "sev-guest" | "nsm",
  { result, detail, answer }: ScriptedIoctl,
): { readonly program: string; readonly record: () => RecordedIoctl } {
  const at = (name: string): string => join(folder, name);
  const script = Buffer.alloc(24);
  script.writeBigInt64LE(BigInt(result), 0);
  script.writeBigUInt64LE(detail, 8);
  script.writeBigUInt64LE(BigInt(answer.length), 16);
  writeFileSync(at("script"), Buffer.concat([script, answer]));
  const line = `exec ${at("fake-device")} ${at("tee-ioctl")} ${device[0]} 4<${at("script")} 5>${at("record")}`;
  writeFileSync(at("run"), `#!/bin/sh\n${line}\n`);
  chmodSync(at("run"), 0o755);
  return {
    program: at("run"),
    record: () => {
      const bytes = readFileSync(at("record"));
      return {
        number: Number(bytes.readBigUInt64LE(0)),
        descriptor: Number(bytes.readBigUInt64LE(8)),
        argument: bytes.subarray(16, 48),
        request: bytes.subarray(48),
      };
    },
  };
}
