/** The self-test says "denied" of a tight sandbox, and "allowed" of each way in which one could be loose. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { SELF_TEST_PROBES } from "@blindbox/attestation";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import type { LaunchPlan } from "../src/sandbox/app/launch.ts";
import { rooted } from "../src/sandbox/drivers/rooted.ts";
import { resourceLimits } from "../src/sandbox/limits/rlimits.ts";
import { type Network, openNetwork } from "../src/sandbox/network/network.ts";
import { assemble } from "../src/sandbox/program/assemble.ts";
import { readResults } from "../src/sandbox/program/failure.ts";
import { layOut } from "../src/sandbox/rootfs/layout.ts";
import { standardMounts } from "../src/sandbox/rootfs/mounts.ts";
import { encodeFilter, instruction, OPCODE, SECCOMP_RETURN } from "../src/sandbox/seccomp/bpf.ts";
import { appFilter } from "../src/sandbox/seccomp/compile.ts";
import { openCanaries } from "../src/sandbox/self-test/canaries.ts";
import { probes } from "../src/sandbox/self-test/probes.ts";
import { judge, runSelfTest, stepsOf } from "../src/sandbox/self-test/run.ts";
import { findTools } from "../src/sandbox/tools.ts";
import { DRIVERS, whyNot } from "./fixtures-sandbox/availability.ts";
import { busyboxRootfs, removeTemporary, scratchRootfs, temporaryDirectory } from "./fixtures-sandbox/rootfs.ts";
import { endBoxes, specFor, startBox } from "./fixtures-sandbox/start-box.ts";

const allDenied = Object.fromEntries(SELF_TEST_PROBES.map((name) => [name, "denied"]));

afterAll(removeTemporary);
afterEach(endBoxes);

for (const { driver, skip, note } of DRIVERS) {
  describe(`the self-test of the ${driver} driver${note}`, () => {
    test.skipIf(skip)("is denied every way out, by an ordinary image and by one of a single file", async () => {
      for (const rootfs of [busyboxRootfs(driver), scratchRootfs(driver)]) {
        const box = await startBox(driver, specFor(rootfs));
        expect(await box.ask("selfTest")).toEqual(allDenied);
      }
    });

    test.skipIf(skip)("finds the same while the application runs, and after it was started anew", async () => {
      const box = await startBox(driver, specFor(busyboxRootfs(driver)));
      await box.ask("start");
      expect(await box.ask("selfTest")).toEqual(allDenied);
      await box.ask("stop", "0");
      await box.ask("start");
      expect(await box.ask("selfTest")).toEqual(allDenied);
    });
  });
}

const reason = whyNot("rooted");

describe(`a loose sandbox${reason === null ? "" : ` (skipped: ${reason})`}`, () => {
  const check = test.skipIf(reason !== null);

  check("without the filter is found out", async () => {
    const filter = encodeFilter([instruction(OPCODE.return, SECCOMP_RETURN.allow)]);
    expect(allowedBy(await testLoosened({ filter }))).toEqual([
      "vsock",
      "io-uring",
      "raw-socket",
      "netlink-other",
      "new-namespaces",
      "ptrace",
      "kernel-interfaces",
    ]);
  });

  check("with a writable root directory is found out", async () => {
    const results = await testLoosened({
      layout: {
        rebuilt: [],
        mounts: [
          { kind: "tmpfs", path: "/", size: 65_536, mode: 0o755 },
          { kind: "tmpfs", path: "/tmp", size: 65_536, mode: 0o1777 },
          { kind: "proc", path: "/proc" },
          { kind: "devices", path: "/dev", sharedMemory: 65_536 },
        ],
      },
    });
    expect(allowedBy(results)).toEqual(["write-rootfs"]);
  });

  check("with something that listens in the gate is found out", async () => {
    const listening =
      "const t=require('net'),u=require('dgram');" +
      "for(const p of [53,80,443])t.createServer(s=>s.destroy()).listen(p,'0.0.0.0');" +
      "for(const p of [53,443]){const s=u.createSocket('udp4');s.on('message',(m,r)=>s.send(m,r.port,r.address)).bind(p,'1.1.1.1')}" +
      "setTimeout(()=>process.stdout.write('up'),100)";
    let leak: ChildProcess | undefined;
    const leaking = testLoosened({}, async ({ namespaces }) => {
      leak = spawn("/usr/bin/nsenter", ["--net=/proc/self/fd/3", process.execPath, "-e", listening], {
        stdio: ["ignore", "pipe", "inherit", namespaces.gateNetwork],
      });
      await once(leak.stdout as NonNullable<typeof leak.stdout>, "data");
    });
    const results = await leaking.finally(() => leak?.kill("SIGKILL"));
    expect(allowedBy(results)).toEqual(["dns-resolver", "ip-literal", "udp", "metadata-address"]);
  });

  check("that is none, but the host's own network and root, is found out in whatever this machine offers", async () => {
    const results = await testOnHost();
    const certain = ["ip-literal", "raw-socket", "packet-socket", "netlink-other", "evidence-devices", "unix-sockets"];
    const alsoCertain = ["io-uring", "new-namespaces", "ptrace", "write-rootfs", "inherited-descriptors", "vsock"];
    const ofTheKernel = ["capabilities", "kernel-interfaces"];
    expect(allowedBy(results)).toEqual(expect.arrayContaining([...certain, ...alsoCertain, ...ofTheKernel]));
  });
});

test.skipIf(reason !== null)("among the host's processes the program knows that it is there", async () => {
  expect(allowedBy(await testOnHost([]))).toContain("host-processes");
});

test("a probe that was not made, or whose target was reached all the same, counts as allowed", () => {
  const table = probes({ unixPath: "/none", abstractName: "\0none", port: 1, resolvers: [] });
  expect(allowedBy(judge(table, new Map(), new Set()))).toEqual(SELF_TEST_PROBES);
  expect(allowedBy(judge({}, new Map(), new Set()))).toEqual(SELF_TEST_PROBES);
  const refused = new Map(stepsOf(table).map((step) => [step, step.call === "getdents64" ? 144 : -1]));
  expect(judge(table, refused, new Set())["vsock"]).toBe("denied");
  expect(judge(table, refused, new Set(["vsock"]))["vsock"]).toBe("allowed");
});

test("the table has exactly the probes of the closed list", () => {
  const table = probes({ unixPath: "/none", abstractName: "\0none", port: 1, resolvers: [] });
  expect(Object.keys(table).toSorted()).toEqual(SELF_TEST_PROBES.toSorted());
});

function allowedBy(results: Readonly<Record<string, string>>): string[] {
  return SELF_TEST_PROBES.filter((name) => results[name] === "allowed");
}

/** The rooted driver's sandbox, but for what the test takes away. */
async function testLoosened(
  change: Partial<LaunchPlan>,
  before: (network: Network) => Promise<void> = () => Promise.resolve(),
): Promise<Readonly<Record<string, string>>> {
  const spec = specFor(busyboxRootfs("rooted"));
  const { ids, root, owner } = rooted(spec);
  const tools = findTools();
  const network = await openNetwork({ scratch: spec.scratch, ip: tools.ip, ids, root, port: 80 });
  const plan: LaunchPlan = {
    scratch: spec.scratch,
    bubblewrap: tools.bubblewrap,
    namespaces: network.namespaces,
    root,
    rootfs: spec.rootfs,
    placeRootfs: true,
    layout: layOut(spec.rootfs, standardMounts(spec)),
    workingDir: "/",
    controlGroups: [],
    limits: resourceLimits(spec.resources, new Set()),
    filter: appFilter(),
  };
  try {
    await before(network);
    return await runSelfTest({ ...plan, ...change }, owner);
  } finally {
    await network.close();
  }
}

/** The same program with the host's network and all capabilities; only its files and process ids are its own. */
async function testOnHost(isolation: readonly string[] = ["--unshare-pid"]): Promise<Readonly<Record<string, string>>> {
  const scratch = temporaryDirectory();
  const canaries = await openCanaries(scratch);
  const table = probes(canaries.targets);
  const steps = stepsOf(table);
  const file = join(scratch, "program");
  writeFileSync(file, assemble(steps, { reportTo: 2, resultsTo: 1, firstStep: 0 }));
  chmodSync(file, 0o755);
  const inherited = openSync(file, "r");
  const files = ["--tmpfs", "/", "--proc", "/proc", "--dev", "/dev", "--bind", scratch, scratch, "--dir", "/tmp"];
  const { stdout } = spawnSync("/usr/bin/bwrap", [...isolation, "--die-with-parent", ...files, file], {
    stdio: ["ignore", "pipe", "pipe", inherited],
  });
  closeSync(inherited);
  await setTimeout(100);
  const results = readResults(stdout, steps) ?? [];
  canaries.close();
  return judge(table, new Map(steps.map((step, index) => [step, results[index] ?? Number.NaN])), canaries.reached());
}
