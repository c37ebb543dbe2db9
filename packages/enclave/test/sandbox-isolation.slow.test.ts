/** The application as an attacker, in real namespaces, under both drivers. What counts is what the host's listeners saw. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { DRIVERS } from "./fixtures-sandbox/availability.ts";
import { hostAddresses, type HostListeners, listenOnHost, reachAll } from "./fixtures-sandbox/host.ts";
import { gateOf, reaperOf } from "./fixtures-sandbox/leftovers.ts";
import { nodeRootfs, removeTemporary } from "./fixtures-sandbox/rootfs.ts";
import { endBoxes, type RunningBox, specFor, startBox } from "./fixtures-sandbox/start-box.ts";

const MIB = 1024 * 1024;

for (const { driver, skip, note } of DRIVERS)
  describe(`an application in the ${driver} sandbox${note}`, () => {
    let box: RunningBox;
    let host: HostListeners;

    beforeAll(async () => {
      if (skip) return;
      host = await listenOnHost();
      const rootfs = nodeRootfs(driver);
      const env = { PATH: "/usr/bin:/bin", GREETING: "hello world", EMPTY: "" };
      const more = { command: ["node", "/app.mjs"], env, writable: ["/var/lib/app"], workingDir: "/www" };
      box = await startBox(driver, specFor(rootfs, more));
      await box.ask("start");
      await vi.waitFor(() => box.ask("dial"), { timeout: 15_000 });
    });

    afterAll(async () => {
      if (skip) return;
      await endBoxes();
      host.close();
      removeTemporary();
    });

    const act = async (action: string, query: Record<string, string | number> = {}): Promise<unknown> => {
      const parameters = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, `${value}`]));
      const { body } = await box.ask<{ body: string }>("get", `/${action}?${parameters.toString()}`);
      const { result, error } = JSON.parse(body) as { result?: unknown; error?: string };
      return error === undefined ? result : `refused: ${error}`;
    };
    const check = test.skipIf(skip);

    check("answers requests on a port below 1024, and many at once", async () => {
      expect(await box.ask("get", "/pid")).toEqual({ status: 200, body: '{"result":2}' });
      const peers = await box.ask<string[]>("dial", "20");
      expect(peers).toEqual(Array.from({ length: 20 }, () => "10.200.0.2:80"));
    });

    check("has no core dump, and neither has the gate", async () => {
      const none = /^Max core file size +[01] +[01] /m;
      expect(await act("read", { path: "/proc/self/limits" })).toMatch(none);
      expect(readFileSync(`/proc/${gateOf(box.pid)}/limits`, "latin1")).toMatch(none);
    });

    const ofRooted = driver === "rooted" ? test.skipIf(skip) : () => {};
    ofRooted("is another user to the kernel than the box and the gate", () => {
      const userOf = (pid: number) => /^Uid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
      expect(userOf(reaperOf(box.pid))).toBe("101000");
      for (const ours of [box.pid, gateOf(box.pid)]) expect(userOf(ours)).toBe("0");
    });

    check("has its own ids, no capability, no way to new privileges, and a filter", async () => {
      const status = String(await act("status"));
      const value = (name: string) => new RegExp(`^${name}:[ \\t]*(.*)$`, "m").exec(status)?.[1]?.trim();
      expect(value("Uid")).toBe("1000\t1000\t1000\t1000");
      expect(value("Gid")).toBe("1001\t1001\t1001\t1001");
      expect(value("Groups")).toBe("");
      for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]) expect(value(set)).toBe("0000000000000000");
      expect(value("NoNewPrivs")).toBe("1");
      expect(value("Seccomp")).toBe("2");
      expect(value("NSpid")).toBe("2");
      expect(value("Umask")).toBe("0022");
      expect(await act("read", { path: "/proc/sys/user/max_user_namespaces" })).toBe("0\n");
      expect(await act("read", { path: "/proc/self/oom_score_adj" })).toBe("1000\n");
    });

    check("has exactly the environment of the Manifest", async () => {
      expect(await act("environment")).toEqual(["EMPTY=", "GREETING=hello world", "PATH=/usr/bin:/bin"]);
    });

    check("sees no other process than the reaper and itself", async () => {
      const entries = (await act("list", { path: "/proc" })) as string[];
      expect(entries.filter((name) => /^\d+$/.test(name))).toEqual(["1", "2"]);
    });

    check("cannot look into its reaper, which it could take over and outlive the box with", async () => {
      expect(await act("list", { path: "/proc/1" })).toEqual([]);
      for (const name of ["mem", "maps", "syscall", "fd/2", "root", "task/1/mem"]) {
        expect(await act("read", { path: `/proc/1/${name}` }), name).toBe("refused: ENOENT");
        expect(await act("write", { path: `/proc/1/${name}` }), name).toMatch(/^refused: E(NOENT|ROFS|ACCES)$/);
      }
    });

    check("cannot write to its image, nor to what the sandbox put there", async () => {
      const paths = ["/x", "/www/x", "/etc/x", "/app.mjs", "/etc/hosts", "/etc/resolv.conf", "/dev/x", "/usr/bin/node"];
      for (const path of paths) expect(await act("write", { path }), path).toMatch(/^refused: E(ROFS|ACCES)$/);
      for (const path of ["/x", "/dev/x", "/etc/hosts"]) expect(await act("write", { path })).toBe("refused: EROFS");
    });

    check("can write where it may, and no more than it may", async () => {
      for (const path of ["/tmp", "/run", "/dev/shm", "/var/lib/app"]) {
        expect(await act("write", { path: `${path}/x` }), path).toBe(null);
        expect(await act("size", { path }), path).toBe(16 * MIB);
      }
      expect(await act("fill", { path: "/tmp/big", bytes: 15 * MIB })).toBe(null);
      expect(await act("fill", { path: "/tmp/bigger", bytes: 2 * MIB })).toBe("refused: ENOSPC");
    });

    check("has no device but those that are only sources and sinks, and no /sys", async () => {
      const devices = ["fd", "full", "null", "random", "shm", "stderr", "stdin", "stdout", "urandom", "zero"];
      expect(await act("list", { path: "/dev" })).toEqual(devices);
      expect(await act("list", { path: "/sys" })).toBe("refused: ENOENT");
      const made = (await act("shell", {
        command: "busybox mknod /tmp/mem c 1 1; busybox mount -t tmpfs none /tmp",
      })) as {
        stderr: string;
      };
      expect(made.stderr.match(/Operation not permitted|permission denied/g)).toHaveLength(2);
    });

    check("cannot change its network, its host name, or the kernel's settings", async () => {
      const settings = [
        "net/ipv4/ip_unprivileged_port_start",
        "net/ipv4/ip_forward",
        "kernel/hostname",
        "vm/overcommit_memory",
      ];
      for (const name of settings)
        expect(await act("write", { path: `/proc/sys/${name}` }), name).toMatch(/^refused: E/);
      const tried = (await act("shell", {
        command:
          "busybox ip link set eth0 down; busybox ip address add 203.0.113.9/24 dev eth0; busybox hostname other",
      })) as { stderr: string };
      expect(tried.stderr.match(/Operation not permitted|must be root/gi)).toHaveLength(3);
    });

    check("has one link with one address, and no IPv6 at all", async () => {
      expect(await act("read", { path: "/proc/net/if_inet6" })).toBe("");
      const { stdout } = (await act("shell", { command: "busybox ip -o address; busybox ip route" })) as {
        stdout: string;
      };
      const [lo, eth0, ...routes] = stdout.trim().split("\n");
      expect(lo).toMatch(/^1: lo +inet 127\.0\.0\.1\/8 /);
      expect(eth0).toMatch(/^\d+: eth0 +inet 10\.200\.0\.2\/30 /);
      expect(routes.map((route) => route.trim().split(" ", 3).join(" "))).toEqual([
        "default via 10.200.0.1",
        "10.200.0.0/30 dev eth0",
      ]);
    });

    check("reaches nothing on the host by TCP, whatever address it tries", async () => {
      const before = host.log.length;
      const addresses = [...new Set(["127.0.0.1", "::1", "10.200.0.1", "::ffff:127.0.0.1", ...hostAddresses()])];
      for (const address of addresses) {
        expect(await act("tcp", { host: address, port: host.port }), address).toMatch(/^refused: /);
      }
      expect(host.log.slice(before)).toEqual([]);
    });

    check("reaches nothing on the host by UDP, and no name server", async () => {
      const before = host.log.length;
      for (const address of ["127.0.0.1", "10.200.0.1", ...hostAddresses()]) {
        expect(await act("udp", { host: address, port: host.port }), address).toMatch(/^refused: /);
      }
      for (const name of ["example.com", "secret-of-the-application.example.com"]) {
        expect(await act("dns", { name })).toMatch(/^refused: (EAI_AGAIN|ENOTFOUND|silence)$/);
      }
      expect(host.log.slice(before)).toEqual([]);
    });

    check("reaches no Unix socket of the host, by path or by abstract name", async () => {
      const before = host.log.length;
      expect(await act("unix", { path: encodeURIComponent(host.unixPath) })).toBe("refused: ENOENT");
      expect(await act("unix", { path: encodeURIComponent(`@${host.abstractName}`) })).toBe("refused: ECONNREFUSED");
      expect(host.log.slice(before)).toEqual([]);
    });

    check("the host's listeners, which saw nothing of it, do see who is on the host", async () => {
      const before = host.log.length;
      await reachAll(host);
      await expect.poll(() => host.log.slice(before).toSorted()).toEqual(["abstract", "tcp", "udp", "unix"]);
    });

    check("gets no answer to a ping, and may not even ask", async () => {
      const { stderr } = (await act("shell", { command: "busybox ping -c 1 -W 1 10.200.0.1" })) as { stderr: string };
      expect(stderr).toMatch(/permission denied|not supported|Operation not permitted/i);
    });

    check("cannot start more processes than it may, and still answers afterwards", async () => {
      const bomb = "i=0; while [ $i -lt 200 ]; do sleep 1 & i=$((i+1)); done; wait";
      await act("shell", { command: bomb });
      const count = (await act("list", { path: "/proc" })) as string[];
      expect(count.filter((name) => /^\d+$/.test(name)).length).toBeLessThan(70);
      expect(await box.ask("get", "/pid")).toMatchObject({ status: 200 });
    });

    check("may write to its own output by name, as web servers do with their logs", async () => {
      expect(await act("write", { path: "/dev/stdout" })).toBe(null);
      await expect.poll(() => box.ask<{ stdout: string }>("output").then(({ stdout }) => stdout)).toContain("x");
    });
  });
