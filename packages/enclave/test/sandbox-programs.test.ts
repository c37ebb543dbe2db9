/** Programs of system calls: the machine code, the layout of the data, and what they do when they run. */
import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { assemble, STOPPED } from "../src/sandbox/program/assemble.ts";
import { describeFailure, readFailure, readResults } from "../src/sandbox/program/failure.ts";
import * as code from "../src/sandbox/program/machine-code.ts";
import {
  attempt,
  awaitByte,
  buffer,
  bytes,
  must,
  resultOf,
  sendByte,
  type Step,
  text,
  unlessAbsent,
  vector,
  words,
} from "../src/sandbox/program/steps.ts";
import { gateFile } from "../src/sandbox/gate/file.ts";

const folder = mkdtempSync(join(tmpdir(), "blindbox-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

const runnable = process.platform === "linux" && process.arch === "x64";
const note = runnable ? "" : " (skipped: needs Linux on x86-64)";
const all = { reportTo: 2, resultsTo: 2, firstStep: 0 };

function run(steps: readonly Step[], options: Partial<typeof all> = {}, input = ""): SpawnSyncReturns<Buffer> {
  const path = join(folder, `program-${Math.random()}`);
  writeFileSync(path, assemble(steps, { ...all, ...options }), { mode: 0o755 });
  return spawnSync(path, ["ignored"], { input, timeout: 5000, env: { IGNORED: "1" } });
}

describe(`a program of system calls${note}`, () => {
  const check = test.skipIf(!runnable);

  check("makes its calls in order, hands results on, and reports all of them", () => {
    const open = attempt("openat", -100, text("/proc/self/comm"), 0, 0);
    const content = buffer(64);
    const read = attempt("read", resultOf(open), content, 64);
    const steps = [open, read, attempt("write", 1, content, resultOf(read)), attempt("close", 77)];
    const { stdout, stderr, status } = run(steps);
    expect(stdout.toString()).toMatch(/^program-0\.\d+\n$/);
    expect(readResults(stderr, steps)).toEqual([3, stdout.length, stdout.length, -9]);
    expect(status).toBe(0);
  });

  check("passes six arguments, each in its register", () => {
    // pselect6-like calls are not in the table; a datagram to oneself takes six.
    const address = Uint8Array.of(1, 0, 0, ...new TextEncoder().encode(`blindbox-${process.pid}`));
    const socket = must("socket", 1, 2, 0);
    const bind = must("bind", resultOf(socket), bytes(address), address.length);
    const send = must("sendto", resultOf(socket), text("six"), 3, 0, bytes(address), address.length);
    const [from, length] = [buffer(110), words(110)];
    const content = buffer(8);
    const receive = must("recvfrom", resultOf(socket), content, 8, 0, from, length);
    const steps = [socket, bind, send, receive, must("write", 1, content, 3), must("write", 1, from, address.length)];
    const { stdout, stderr } = run(steps);
    expect(readResults(stderr, steps)).toEqual([3, 0, 3, 3, 3, address.length]);
    expect(stdout).toEqual(Buffer.concat([Buffer.from("six"), address]));
  });

  check("ends at the first step that must succeed and does not, and says which and why", () => {
    const steps = [
      must("getpid"),
      must("openat", -100, text("/does/not/exist"), 0, 0),
      must("write", 1, text("no"), 2),
    ];
    const { stdout, stderr, status } = run(steps, { firstStep: 1000 });
    expect([stdout.length, status]).toEqual([0, STOPPED]);
    const failure = readFailure(stderr);
    expect(failure).toEqual({ step: 1001, result: -2 });
    expect(failure && describeFailure(failure, steps, 1000)).toBe("openat: ENOENT");
    expect(readFailure(stderr.subarray(1))).toBe(null);
    expect(readResults(stderr, steps)).toBe(null);
  });

  check("waits for a byte, and ends when there will be none", () => {
    const steps = [sendByte(1), awaitByte(0), must("write", 1, text("go"), 2)];
    expect(run(steps, {}, "x").stdout.toString()).toBe(".go");
    const closed = run(steps);
    expect([closed.stdout.toString(), closed.status]).toEqual([".", STOPPED]);
    const failure = readFailure(closed.stderr);
    expect(failure && describeFailure(failure, steps, 0)).toBe("read: the other end closed");
  });

  check("goes on until what it is about is absent", () => {
    const directory = join(folder, "directory");
    mkdirSync(directory);
    const remove = () => unlessAbsent("rmdir", text(directory));
    const { stdout, status, stderr } = run([
      remove(),
      must("write", 1, text("on"), 2),
      remove(),
      must("write", 1, text("no"), 2),
    ]);
    expect([stdout.toString(), status]).toEqual(["on", STOPPED]);
    expect(readFailure(stderr)).toEqual({ step: 2, result: -2 });
  });

  check("becomes another program with exactly the arguments and environment of its steps", () => {
    const steps = [must("execve", text("/usr/bin/env"), vector(["env"]), vector(["A=1", "B=", "C=with space"]))];
    expect(run(steps).stdout.toString()).toBe("A=1\nB=\nC=with space\n");
  });

  check("lets a child that it made end at once, and goes on itself", () => {
    const steps = [attempt("clone", 17, 0, 0, 0, 0), attempt("write", 1, text("once"), 4)];
    const { stdout, stderr } = run(steps);
    expect(stdout.toString()).toBe("once");
    expect(readResults(stderr, steps)?.[0]).toBeGreaterThan(1);
  });

  check("has no segment that is both writable and executable, and no executable stack", () => {
    const image = Buffer.from(assemble([must("getpid")], all));
    const headers = Array.from({ length: image.readUInt16LE(56) }, (_, index) => image.subarray(64 + index * 56));
    for (const header of headers) expect(header.readUInt32LE(4) & 3).not.toBe(3);
    expect(headers.some((header) => header.readUInt32LE(0) === 0x6474e551)).toBe(true);
  });
});

test("a string with a NUL, a seventh argument, or the result of a foreign step is the caller's mistake", () => {
  expect(() => text("a\0b")).toThrow(TypeError);
  expect(() => assemble([must("write", 1, 2, 3, 4, 5, 6, 7)], all)).toThrow(TypeError);
  expect(() => assemble([must("close", resultOf(must("getpid")))], all)).toThrow(TypeError);
});

const objdump = existsSync("/usr/bin/objdump");

test.skipIf(!objdump)(
  `the instructions are what a disassembler reads${objdump ? "" : " (skipped: needs objdump)"}`,
  () => {
    const value = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    const address = fc.integer({ min: 0x1000_0000, max: 0x7fff_fff0 });
    fc.assert(
      fc.property(fc.constantFrom(0, 7, 6, 2, 10, 8, 9), value, address, (register, immediate, place) => {
        const name = ["rax", "", "rdx", "", "", "", "rsi", "rdi", "r8", "r9", "r10"][register];
        const hex = (number: bigint | number) => `0x${BigInt.asUintN(64, BigInt(number)).toString(16)}`;
        const instructions = [
          code.loadImmediate(register, immediate),
          code.loadFrom(register, place),
          code.storeTo(register, place),
        ];
        expect(disassemble(instructions)).toEqual([
          `movabs ${name},${hex(immediate)}`,
          `mov ${name},QWORD PTR ds:${hex(place)}`,
          `mov QWORD PTR ds:${hex(place)},${name}`,
        ]);
      }),
      { numRuns: 25 },
    );
    const jumps = [
      code.testResult(),
      code.skipUnlessNegative(2),
      code.systemCall(),
      code.skipIfPositive(0),
      code.skipUnlessEqual(0),
      code.compareResult(-2),
    ];
    expect(disassemble(jumps)).toEqual([
      "test rax,rax",
      "jns 0x7",
      "syscall",
      "jg 0x9",
      "jne 0xb",
      "cmp rax,0xfffffffffffffffe",
    ]);
    expect(disassemble([code.jump(0x40_0000, 0x40_0005), code.jump(0x40_0005, 0x40_0000)])).toEqual([
      "jmp 0x5",
      "jmp 0x0",
    ]);
  },
);

function disassemble(instructions: readonly Uint8Array[]): string[] {
  const file = join(folder, "code");
  writeFileSync(file, Buffer.concat(instructions));
  const options = ["-D", "-b", "binary", "-m", "i386:x86-64", "-M", "intel", "--no-show-raw-insn", file];
  const { stdout } = spawnSync("objdump", options, { encoding: "utf8" });
  return [...stdout.matchAll(/^\s+[0-9a-f]+:\s+(.*)$/gm)].map(([, line = ""]) => line.trim().replaceAll(/\s+/g, " "));
}

test("the gate's program is beside a bundle, and in its folder otherwise", () => {
  expect(gateFile("file:///blindbox/enclave/main.mjs")).toBe("/blindbox/enclave/gate.mjs");
  expect(gateFile("file:///blindbox/enclave/chunk-1.mjs")).toBe("/blindbox/enclave/gate.mjs");
  expect(gateFile("file:///x/dist/sandbox/gate/file.js")).toBe("/x/dist/sandbox/gate/main.js");
  expect(readFileSync(gateFile(), "utf8")).toContain('process.on("disconnect"');
});
