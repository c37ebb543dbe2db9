/** The self-test says "denied" of a tight sandbox, and "allowed" of each way in which one could be loose. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import type { Socket as DatagramSocket } from "node:dgram";
import { once } from "node:events";
import { chmodSync, closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { SELF_TEST_PROBES } from "@blindbox/attestation";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import type { EgressReceiver, SandboxSpec } from "../src/parts.ts";
import type { LaunchPlan } from "../src/sandbox/app/launch.ts";
import { rooted } from "../src/sandbox/drivers/rooted.ts";
import { resourceLimits } from "../src/sandbox/limits/rlimits.ts";
import { type Network, openNetwork } from "../src/sandbox/network/network.ts";
import { layOut } from "../src/sandbox/rootfs/layout.ts";
import { standardMounts } from "../src/sandbox/rootfs/mounts.ts";
import { encodeFilter, instruction, OPCODE, SECCOMP_RETURN } from "../src/sandbox/seccomp/bpf.ts";
import { appFilter } from "../src/sandbox/seccomp/compile.ts";
import { openCanaries } from "../src/sandbox/self-test/canaries.ts";
import { type Granted, probes, type Targets } from "../src/sandbox/self-test/probes.ts";
import { callsOf, judge, readOutcomes, runSelfTest, selfTestProgram } from "../src/sandbox/self-test/run.ts";
import { findTools } from "../src/sandbox/tools.ts";
import { DRIVERS, whyNot } from "./fixtures-sandbox/availability.ts";
import { createArrivals } from "./fixtures-sandbox/receiver.ts";
import { busyboxRootfs, removeTemporary, scratchRootfs, temporaryDirectory } from "./fixtures-sandbox/rootfs.ts";
import { endBoxes, specFor, startBox } from "./fixtures-sandbox/start-box.ts";

const NO_TARGETS: Targets = {
  unixPath: "/none",
  abstractName: "\0none",
  port: 1,
  resolvers: [],
  address: "11.0.0.1",
  name: "none.none.com",
};
const NOTHING_GRANTED: Granted = { ports: [], capabilities: [] };
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

    test.skipIf(skip)("is denied in an image that has a directory closed to its own user, too", async () => {
      const rootfs = busyboxRootfs(driver);
      const closed = join(rootfs, "var");
      chmodSync(closed, 0);
      try {
        const box = await startBox(driver, specFor(rootfs));
        expect(await box.ask("selfTest")).toEqual(allDenied);
      } finally {
        chmodSync(closed, 0o755);
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
      "for(const p of [80,443,8080])t.createServer(s=>s.destroy()).listen(p,'0.0.0.0');" +
      "t.createServer(s=>s.destroy()).listen(53,'1.1.1.1');" +
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
    expect(allowedBy(results)).toEqual(["dns-resolver", "ip-literal", "other-ports", "udp", "metadata-address"]);
  });

  check("whose way out keeps connections that no rule allows is found out, and only then", async () => {
    const receiver = createArrivals();
    expect(allowedBy(await testLoosened({}, undefined, { receiver, egressPorts: [80, 443, 5432] }))).toEqual([]);
    expect(receiver.dialled.length).toBeGreaterThanOrEqual(8);
    for (const [answer, port] of [
      ["tell", 443],
      ["keep", 5432],
    ] as const) {
      receiver.answer = answer;
      const results = await testLoosened({}, undefined, { receiver, egressPorts: [port] });
      expect(allowedBy(results), answer).toEqual(["ip-literal"]);
    }
  });

  check("whose DNS knows every name, or says nothing, is found out", async () => {
    for (const alter of [knowsAll, saysNothing]) {
      const results = await testLoosened({}, undefined, { receiver: { ...createArrivals(), dnsSocket: alter } });
      expect(allowedBy(results), alter.name).toEqual(["dns-tunnel"]);
    }
  });

  check("that lets the application have more capabilities than it was granted, or fewer, is found out", async () => {
    const granted: LaunchPlan["capabilities"] = ["CAP_CHOWN", "CAP_KILL"];
    const root = { user: { uid: 0, gid: 0 } };
    for (const [real, demanded] of [
      [granted, []],
      [[], granted],
      [["CAP_KILL"], granted],
    ] as const) {
      const results = await testLoosened({ capabilities: real }, undefined, root, demanded);
      expect(allowedBy(results), `${real.length} for ${demanded.length}`).toEqual(["capabilities"]);
    }
    expect(allowedBy(await testLoosened({ capabilities: granted }, undefined, root, granted))).toEqual([]);
  });

  const onHost = { timeout: 60_000 };

  check("that is none, but the host's own network and root, is found out in all that is offered", onHost, async () => {
    const results = await testOnHost();
    const certain = ["ip-literal", "raw-socket", "packet-socket", "netlink-other", "evidence-devices", "unix-sockets"];
    const alsoCertain = [
      "io-uring",
      "new-namespaces",
      "ptrace",
      "write-rootfs",
      "inherited-descriptors",
      "vsock",
      "dns-tunnel",
    ];
    const ofTheKernel = ["network-settings", "capabilities", "kernel-interfaces"];
    expect(allowedBy(results)).toEqual(expect.arrayContaining([...certain, ...alsoCertain, ...ofTheKernel]));
  });
});

test.skipIf(reason !== null)("among the host's processes the program knows that it is there", async () => {
  expect(allowedBy(await testOnHost([], (name) => name === "host-processes"))).toContain("host-processes");
});

test("a probe that was not made, or whose target was reached all the same, counts as allowed", () => {
  const table = probes(NO_TARGETS, NOTHING_GRANTED);
  expect(allowedBy(judge(table, new Map(), new Set()))).toEqual(SELF_TEST_PROBES);
  expect(allowedBy(judge({}, new Map(), new Set()))).toEqual(SELF_TEST_PROBES);
  const reply = new Uint8Array(32);
  const refused = new Map(callsOf(table).map((each) => [each, { result: -1, reply }]));
  expect(judge(table, refused, new Set())["vsock"]).toBe("denied");
  expect(judge(table, refused, new Set(["vsock"]))["vsock"]).toBe("allowed");
});

test("the table has exactly the probes of the closed list", () => {
  const table = probes(NO_TARGETS, NOTHING_GRANTED);
  expect(Object.keys(table).toSorted()).toEqual(SELF_TEST_PROBES.toSorted());
});

function allowedBy(results: Readonly<Record<string, string>>): string[] {
  return SELF_TEST_PROBES.filter((name) => results[name] === "allowed");
}

function knowsAll(socket: DatagramSocket): void {
  socket.on("message", (query, { port, address }) => {
    const answer = Buffer.from(query);
    answer[2] = 0x81;
    answer[7] = 1;
    const record = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 198, 18, 0, 1];
    socket.send(Buffer.concat([answer, Uint8Array.from(record)]), port, address);
  });
}

function saysNothing(): void {}

/** The rooted driver's sandbox, but for what the test takes away. */
async function testLoosened(
  change: Partial<LaunchPlan>,
  before: (network: Network) => Promise<void> = () => Promise.resolve(),
  { receiver = createArrivals(), ...more }: Partial<SandboxSpec> & { receiver?: EgressReceiver } = {},
  demanded: LaunchPlan["capabilities"] = change.capabilities ?? [],
): Promise<Readonly<Record<string, string>>> {
  const spec = specFor(busyboxRootfs("rooted"), more);
  const { ids, root, owner } = rooted(spec);
  const tools = findTools();
  const { scratch, egressPorts } = spec;
  const network = await openNetwork({
    scratch,
    ip: tools.ip,
    ids,
    root,
    innerGroups: false,
    port: 80,
    egressPorts,
    receiver,
  });
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
    capabilities: [],
    limits: resourceLimits(spec.resources, new Set()),
    filter: appFilter(),
  };
  try {
    await before(network);
    return await runSelfTest({ ...plan, ...change }, owner, { ports: egressPorts, capabilities: demanded });
  } finally {
    await network.close();
  }
}

/** The same program with the host's network and all capabilities; only its files and process ids are its own. */
async function testOnHost(
  isolation: readonly string[] = ["--unshare-pid"],
  wanted: (probe: string) => boolean = () => true,
): Promise<Readonly<Record<string, string>>> {
  const scratch = temporaryDirectory();
  const canaries = await openCanaries(scratch);
  const all = Object.entries(probes(canaries.targets, NOTHING_GRANTED));
  const table = Object.fromEntries(all.filter(([name]) => wanted(name)));
  const calls = callsOf(table);
  const file = join(scratch, "program");
  writeFileSync(file, selfTestProgram(calls));
  chmodSync(file, 0o755);
  const inherited = openSync(file, "r");
  const files = ["--tmpfs", "/", "--proc", "/proc", "--dev", "/dev", "--bind", scratch, scratch, "--dir", "/tmp"];
  const { stdout } = spawnSync("/usr/bin/bwrap", [...isolation, "--die-with-parent", ...files, file], {
    stdio: ["ignore", "pipe", "pipe", inherited],
  });
  closeSync(inherited);
  await setTimeout(100);
  canaries.close();
  return judge(table, readOutcomes(stdout, calls) ?? new Map(), canaries.reached());
}
