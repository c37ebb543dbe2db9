/** Applications that start as root inside and become others: what they can do then, and what they still cannot. */
import { spawnSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { SELF_TEST_PROBES } from "@blindbox/attestation";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { whyNot } from "./fixtures-sandbox/availability.ts";
import { familyOf, reaperOf } from "./fixtures-sandbox/leftovers.ts";
import { lacks, manyUsersRootfs, nginxRootfs, postgresRootfs, POSTGRES_USER } from "./fixtures-sandbox/programs.ts";
import { busyboxRootfs, removeTemporary } from "./fixtures-sandbox/rootfs.ts";
import { endBoxes, type RunningBox, specFor, startBox } from "./fixtures-sandbox/start-box.ts";

const MIB = 1024 * 1024;
const ROOT = { uid: 0, gid: 0 };
const MANY = { users: "many", user: ROOT } as const;
/** CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID */
const SEVEN = "00000000000000fb";
const NONE = "0000000000000000";

afterEach(endBoxes);
afterAll(removeTemporary);

const reason = whyNot("rooted") ?? lacks("setpriv");
const noted = (title: string, why: string | null) => `${title}${why === null ? "" : ` (skipped: ${why})`}`;

describe(noted("an application of many users", reason), () => {
  const check = test.skipIf(reason !== null);

  const run = async (script: string, more = {}): Promise<{ stdout: string; stderr: string }> => {
    const command = ["/bin/busybox", "sh", "-c", script];
    const box = await startBox("rooted", specFor(manyUsersRootfs(), { ...MANY, command, ...more }));
    await box.ask("start");
    await box.ask("exited");
    return box.ask("output");
  };

  check("has exactly seven capabilities as root, none as anybody else, and cannot get more", async () => {
    const show = "/bin/busybox grep -E 'Cap|NoNewPrivs|Seccomp:' /proc/self/status";
    const { stdout } = await run(`${show}; echo; exec /usr/bin/setpriv --reuid 33 --regid 33 --clear-groups ${show}`);
    const [root, other] = stdout.trim().split("\n\n").map(fields);
    const rest = { NoNewPrivs: "1", Seccomp: "2", CapInh: NONE, CapAmb: NONE, CapBnd: SEVEN };
    expect(root).toEqual({ ...rest, CapPrm: SEVEN, CapEff: SEVEN });
    expect(other).toEqual({ ...rest, CapPrm: NONE, CapEff: NONE });
  });

  check("that does not start as root has none, and neither has one of a single user", async () => {
    const show = "/bin/busybox grep Cap /proc/self/status";
    for (const more of [{ user: { uid: 33, gid: 33 } }, { users: "one" }]) {
      const { stdout } = await run(show, more);
      expect(new Set(Object.values(fields(stdout)))).toEqual(new Set([NONE]));
    }
  });

  check("gives files to others, looks after theirs, and ends their processes", async () => {
    const script = [
      "cd /var/lib/app; ls -ldn . | /bin/busybox awk '{print $3, $4}'",
      "echo secret > f; /bin/busybox chown 33:34 f; /bin/busybox chmod 600 f; ls -n f | /bin/busybox awk '{print $3, $4}'",
      "cat f",
      "/usr/bin/setpriv --reuid 33 --regid 34 --clear-groups sh -c 'cat f; cat /var/lib/app/g; /bin/busybox id -u; /bin/busybox id -g; exec sleep 1000' &",
      "sleep 0.5; kill $!; wait $!; echo ended $?",
    ].join("\n");
    const { stdout } = await run(script, { writable: ["/var/lib/app"] });
    expect(stdout).toBe("0 0\n33 34\nsecret\nsecret\n33\n34\nended 143\n");
  });

  check("reaches neither the reaper nor the kernel's settings nor devices nor mounts", async () => {
    const { stdout, stderr } = await run(
      [
        "ls /proc/1; kill -9 1; kill -STOP 1; echo alive",
        "for f in kernel/hostname net/ipv4/ip_forward vm/overcommit_memory; do echo 1 > /proc/sys/$f; done",
        "/bin/busybox mknod /tmp/mem c 1 1; /bin/busybox mount -t tmpfs none /tmp; /bin/busybox chroot / true",
        "/bin/busybox umount /proc/1; /bin/busybox ip link set lo down; /bin/busybox chown 33 /bin/busybox",
        "/bin/busybox unshare -U true; /bin/busybox chown 70000 /tmp; echo -1000 > /proc/self/oom_score_adj",
        "cat /proc/sys/user/max_user_namespaces",
      ].join("\n"),
    );
    expect(stdout).toBe("alive\n0\n");
    expect(stderr.match(/Read-only|not permitted|ermission denied|must be|nvalid argument/g)).toHaveLength(12);
  });

  check("lives in a namespace that owns no other, and whose reaper has no capability", async () => {
    const box = await startBox("rooted", specFor(manyUsersRootfs(), { ...MANY, command: ["sleep", "1000"] }));
    await box.ask("start");
    const app = await vi.waitFor(() => running(box, "sleep 1000"));
    const { stdout } = spawnSync("lsns", ["--json", "--output", "NS,TYPE,ONS,PNS"], { encoding: "utf8" });
    const { namespaces } = JSON.parse(stdout) as { namespaces: Record<"ns" | "type" | "ons" | "pns", string>[] };
    const inner = Number(/\d+/.exec(readlinkSync(`/proc/${app}/ns/user`))?.[0]);
    expect(namespaces.map(({ ns }) => Number(ns))).toContain(inner);
    expect(namespaces.filter(({ ons }) => Number(ons) === inner)).toEqual([]);
    const reaper = Number(/^PPid:\s*(\d+)$/m.exec(statusOf(app))?.[1]);
    const { CapEff, CapPrm, NSpid } = fields(statusOf(reaper));
    expect({ CapEff, CapPrm, NSpid: NSpid?.split("\t").at(-1) }).toEqual({ CapEff: NONE, CapPrm: NONE, NSpid: "1" });
  });

  check("is denied every way out by the self-test", async () => {
    const box = await startBox("rooted", specFor(manyUsersRootfs(), { ...MANY, egressPorts: [80, 443] }));
    expect(await box.ask("selfTest")).toEqual(Object.fromEntries(SELF_TEST_PROBES.map((name) => [name, "denied"])));
  });

  check("cannot have more processes by being more users", async () => {
    const bomb = (uid: number) =>
      `/usr/bin/setpriv --reuid ${uid} --regid ${uid} --clear-groups sh -c '(while :; do sleep 1000 & done)'`;
    const command = ["/bin/busybox", "sh", "-c", `${bomb(1)} & ${bomb(2)} & ${bomb(3)} & exec sleep 1000`];
    const resources = { memory: 64 * MIB, cpus: 1000, processes: 50, tmp: MIB };
    const box = await startBox("rooted", specFor(manyUsersRootfs(), { ...MANY, command, resources }));
    await box.ask("start");
    await expect
      .poll(() => box.ask("output"), { timeout: 10_000 })
      .toMatchObject({ stderr: expect.stringContaining("can't fork") as string });
    expect(familyOf(reaperOf(box.pid)).length).toBeLessThanOrEqual(51);
    await box.ask("stop", "0");
    await box.ask("start");
  });
});

describe(noted("many users for an ordinary user", whyNot("unprivileged")), () => {
  test.skipIf(whyNot("unprivileged") !== null)("are refused before anything is made, with what to do", async () => {
    const started = startBox("unprivileged", specFor(busyboxRootfs("unprivileged"), MANY));
    await expect(started).rejects.toThrow(/^driver-unavailable: the application needs many users/);
  });
});

describe("real programs of many users", () => {
  const nginx = reason ?? lacks("nginx");

  test.skipIf(nginx !== null)(noted("nginx serves, its master as root and its workers as another", nginx), async () => {
    const { rootfs, command, writable } = nginxRootfs();
    const box = await startBox("rooted", specFor(rootfs, { ...MANY, command, writable }));
    await box.ask("selfTest");
    await box.ask("start");
    await expect
      .poll(() => box.ask("get", "/index.html").catch(String), { timeout: 15_000 })
      .toEqual({ status: 200, body: "hello of nginx\n" });
    const processes = familyOf(box.pid).filter((pid) => commandOf(pid).startsWith("nginx: "));
    const users = processes.map(
      (pid) => `${commandOf(pid).split(" ")[1]} ${fields(statusOf(pid))["Uid"]?.split("\t")[0]}`,
    );
    expect(users.toSorted()).toEqual(["master 100000", "worker 100033", "worker 100033"]);
    const [master = 0, ...workers] = processes.toSorted((a, b) => a - b);
    for (const worker of workers) expect(fields(statusOf(worker))["CapEff"]).toBe(NONE);
    // A worker that is killed is replaced, which takes the master's right to become another again.
    process.kill(workers[0] ?? Number.NaN, "SIGKILL");
    await expect.poll(() => childrenOf(master).filter((pid) => !workers.includes(pid))).toHaveLength(1);
    expect(await box.ask("get", "/index.html")).toMatchObject({ status: 200 });
    await box.ask("stop", "10000");
    expect(await box.ask("exited")).toEqual({ code: 0, signal: null });
  });

  const postgres = reason ?? lacks("postgres");

  test.skipIf(postgres !== null)(
    noted("PostgreSQL makes its cluster as its own user, and answers", postgres),
    { timeout: 60_000 },
    async () => {
      const { rootfs, command, writable } = postgresRootfs();
      const resources = { memory: 512 * MIB, cpus: 2000, processes: 64, tmp: 256 * MIB };
      const box = await startBox("rooted", specFor(rootfs, { ...MANY, command, writable, resources, port: 5432 }));
      await box.ask("start");
      await expect
        .poll(() => box.ask<string>("query", "select+6*7").catch(String), { timeout: 40_000, interval: 250 })
        .toBe("42");
      const server = familyOf(reaperOf(box.pid)).find((pid) => commandOf(pid).includes("/bin/postgres -D"));
      expect(fields(statusOf(server ?? Number.NaN))["Uid"]?.split("\t")[0]).toBe(`${100_000 + POSTGRES_USER}`);
      await box.ask("stop", "10000");
    },
  );
});

function running(box: RunningBox, command: string): number {
  const pid = familyOf(box.pid).find((each) => commandOf(each) === command);
  if (pid === undefined) throw new Error("not yet");
  return pid;
}

function fields(text: string): Record<string, string> {
  const rows = text
    .trim()
    .split("\n")
    .map((row) => row.split(/:\s*/, 2));
  return Object.fromEntries(rows.map(([name = "", value = ""]) => [name, value.trim()]));
}

function statusOf(pid: number): string {
  return readFileSync(`/proc/${pid}/status`, "latin1");
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ").trim();
  } catch {
    return "";
  }
}

function childrenOf(pid: number): number[] {
  return familyOf(pid).slice(1);
}
