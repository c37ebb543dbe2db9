/** The box's side of `native/tee-ioctl.c`: one program a request, which has the device as descriptor 3 and nothing else. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { Readable, Writable } from "node:stream";
import { ByteReader, ByteWriter } from "@blindbox/encoding";
import { within } from "../../../within.ts";
import { DeviceFault, faultOf } from "../device-fault.ts";

/** What the program can ask a device, by the number that it knows it by. */
const calls = { "snp-ext-report": 1, "snp-report": 2, "nsm-attestation": 3 } as const;

export type IoctlCall = keyof typeof calls;

/** Asks a device once. */
export interface TeeIoctl {
  /**
   * @param device absolute path
   * @param binding 64 bytes
   * @throws DeviceFault where the device cannot be opened, or the program does not answer.
   */
  ask(device: string, call: IoctlCall, binding: Uint8Array): Promise<IoctlAnswer>;
}

export interface IoctlAnswer {
  /** 0, or the kernel's number of the error; then there is no payload. */
  readonly errno: number;
  /** SEV-SNP: the hypervisor's error in the upper half, the firmware's in the lower. */
  readonly detail: bigint;
  readonly payload: Uint8Array;
}

/** Less than the attester gives a device, so that the reason is still heard. */
const answerMs = 9_000;

/** The head, a report of SEV-SNP in its 4000 bytes, and 16 KiB of certificates: the longest answer. */
const maxAnswerBytes = 16 + 4000 + 16_384;

/** @param program absolute path of the built `tee-ioctl.c` */
export function createTeeIoctl(program: string): TeeIoctl {
  return {
    async ask(device, call, binding) {
      const file = await openDevice(device);
      try {
        const frame = new ByteWriter()
          .u32le(1 + binding.length)
          .u8(calls[call])
          .bytes(binding)
          .finish();
        return parseAnswer(await exchange(program, file.fd, frame));
      } finally {
        await file.close();
      }
    },
  };
}

async function openDevice(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDWR);
  } catch (error) {
    throw faultOf(error, path);
  }
}

type Program = ChildProcessByStdio<Writable, Readable, null>;

async function exchange(program: string, device: number, frame: Uint8Array): Promise<Uint8Array> {
  const child = spawn(program, [], { stdio: ["pipe", "pipe", "ignore", device], env: {} }) as Program;
  const answer = converse(child, frame);
  // After the time is over nobody listens any more.
  answer.catch(() => undefined);
  try {
    return await within(answerMs, answer);
  } catch (error) {
    if (error instanceof DeviceFault) throw error;
    throw new DeviceFault("failed", `tee-ioctl: ${reasonOf(error)}`, { cause: error });
  } finally {
    child.kill("SIGKILL");
  }
}

async function converse(child: Program, frame: Uint8Array): Promise<Uint8Array> {
  // Rejects where the program could not be started.
  const ended = once(child, "close") as Promise<[status: number | null]>;
  child.stdin.on("error", () => undefined);
  child.stdin.end(frame);
  const [answer, [status]] = await Promise.all([readAll(child.stdout), ended]);
  if (status !== 0) throw new DeviceFault("failed", `tee-ioctl: ended with status ${status}`);
  return answer;
}

async function readAll(stream: Readable): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > maxAnswerBytes) throw new DeviceFault("malformed", "tee-ioctl: too long an answer");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : "unknown error";
}

/** @throws EncodingError for anything but one whole answer */
export function parseAnswer(bytes: Uint8Array): IoctlAnswer {
  const frame = new ByteReader(bytes, "tee-ioctl");
  const body = new ByteReader(frame.bytes(frame.u32le("length"), "answer"), "tee-ioctl.answer");
  frame.end();
  const errno = body.u32le("errno");
  const detail = body.u64le("detail");
  return { errno, detail, payload: body.bytes(body.remaining, "payload") };
}
