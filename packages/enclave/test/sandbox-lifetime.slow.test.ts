/** What becomes of a sandbox when a part of it, or who made it, dies. */
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { DRIVERS } from "./fixtures-sandbox/availability.ts";
import {
  controlGroupsOf,
  familyOf,
  gateOf,
  hostMounts,
  leftoversOf,
  namespacesOf,
} from "./fixtures-sandbox/leftovers.ts";
import { busyboxRootfs, nodeRootfs, removeTemporary } from "./fixtures-sandbox/rootfs.ts";
import { endBoxes, launchBox, type RunningBox, specFor, startBox } from "./fixtures-sandbox/start-box.ts";

const NOTHING = { processes: [], namespaces: [], controlGroups: [] };

afterEach(endBoxes);
afterAll(removeTemporary);

for (const { driver, skip, note } of DRIVERS) {
  describe(`the ${driver} sandbox${note}`, () => {
    const check = test.skipIf(skip);

    check(
      "leaves nothing behind when its maker is killed while the application runs",
      { timeout: 120_000 },
      async () => {
        const mounts = hostMounts();
        const spec = specFor(busyboxRootfs(driver), {
          command: ["sh", "-c", "sleep 1000 & sleep 1000 & exec sleep 1000"],
        });
        const box = await startBox(driver, spec);
        await box.ask("start");
        await expect
          .poll(() => commandsOf(familyOf(box.pid)).filter((command) => command.startsWith("sleep")))
          .toHaveLength(3);
        const family = familyOf(box.pid);
        const own = without(namespacesOf(family), namespacesOf([process.pid]));
        expect(own.size).toBe(4);
        if (driver === "rooted") expect(controlGroupsOf(box.pid)).not.toEqual([]);
        box.child.kill("SIGKILL");
        await once(box.child, "exit");
        await expect.poll(() => leftoversOf(box.pid, family, own), { timeout: 30_000 }).toEqual(NOTHING);
        expect(hostMounts()).toBe(mounts);
        expect(readdirSync(spec.scratch)).toEqual([]);
      },
    );

    check(
      "leaves nothing behind when its maker is killed at any moment of the start",
      { timeout: 60_000 },
      async () => {
        const rootfs = busyboxRootfs(driver);
        for (let wait = 0; wait <= 400; wait += 50) {
          const { box, ready } = launchBox(driver, specFor(rootfs, { command: ["sleep", "1000"] }));
          ready.then(() => box.ask("start")).catch(() => {});
          await setTimeout(150 + wait);
          const family = familyOf(box.pid);
          const own = without(namespacesOf(family), namespacesOf([process.pid]));
          box.child.kill("SIGKILL");
          await once(box.child, "exit");
          await expect.poll(() => leftoversOf(box.pid, family, own), { timeout: 30_000 }).toEqual(NOTHING);
        }
      },
    );

    check(
      "leaves nothing behind when its maker is killed while the gate hands over sockets",
      { timeout: 60_000 },
      async () => {
        const egressPorts = Array.from({ length: 64 }, (_, index) => 2000 + index);
        for (let attempt = 0; attempt < 5; attempt += 1) {
          const { box, ready } = launchBox(driver, specFor(busyboxRootfs(driver), { egressPorts }));
          ready.catch(() => {});
          await vi.waitFor(() => expect(listeningIn(gateOf(box.pid))).not.toBe(0), { timeout: 10_000, interval: 1 });
          box.child.kill("SIGSTOP");
          const family = familyOf(box.pid);
          const own = without(namespacesOf(family), namespacesOf([process.pid]));
          box.child.kill("SIGKILL");
          await once(box.child, "exit");
          await expect.poll(() => leftoversOf(box.pid, family, own), { timeout: 10_000 }).toEqual(NOTHING);
        }
      },
    );

    check("leaves nothing behind when it is closed", async () => {
      const spec = specFor(busyboxRootfs(driver));
      const box = await startBox(driver, spec);
      await box.ask("start");
      const family = familyOf(box.pid).filter((pid) => pid !== box.pid);
      const own = without(namespacesOf(family), namespacesOf([process.pid]));
      await box.ask("close");
      await expect.poll(() => leftoversOf(box.pid, family, own)).toEqual(NOTHING);
      expect(readdirSync(spec.scratch)).toEqual([]);
      await expect(box.ask("start")).rejects.toThrow(/^closed/);
      await expect(box.ask("dial")).rejects.toThrow(/^gate-down/);
    });

    check("fails closed when the gate is killed: no dial, no application, until both are made anew", async () => {
      const box = await startBox(driver, specFor(busyboxRootfs(driver)));
      await box.ask("start");
      await expect.poll(() => get(box)).toBe("hello\n");
      process.kill(gateOf(box.pid), "SIGKILL");
      expect(await box.ask("exited")).toMatchObject({ code: 137 });
      await expect(box.ask("dial")).rejects.toThrow(/^gate-down/);
      await box.ask("start");
      await expect.poll(() => get(box)).toBe("hello\n");
    });

    check(
      "tries a network that was made anew as it tried the first, and starts nothing where it finds less",
      async () => {
        const box = await startBox(driver, specFor(busyboxRootfs(driver), { egressPorts: [443] }));
        const dialled = () => box.ask<{ dialled: string[] }>("arrivals").then((arrivals) => arrivals.dialled.length);
        await box.ask("selfTest");
        const once = await dialled();
        expect(once).toBeGreaterThan(0);
        const again = async () => {
          await box.ask("start");
          process.kill(gateOf(box.pid), "SIGKILL");
          await box.ask("exited");
        };
        await again();
        expect(await dialled()).toBe(once);
        await again();
        expect(await dialled()).toBe(2 * once);
        await box.ask("answer", "tell");
        const refused = /^self-test-failed: the network was made anew, and the self-test differs \(ip-literal\)/;
        for (let attempt = 0; attempt < 2; attempt += 1) await expect(box.ask("start")).rejects.toThrow(refused);
        expect(familyOf(box.pid).map((pid) => commandsOf([pid])[0])).not.toContain("httpd -f -p 80 -h /www");
        await box.ask("answer", "refuse");
        await box.ask("start");
        await expect.poll(() => get(box)).toBe("hello\n");
      },
    );

    check("refuses dials that are under way when the gate is killed", async () => {
      const spec = specFor(busyboxRootfs(driver), { command: ["sleep", "1000"] });
      const box = await startBox(driver, spec);
      await box.ask("start");
      const gate = gateOf(box.pid);
      process.kill(gate, "SIGSTOP");
      const dial = box.ask("dial");
      dial.catch(() => {});
      await setTimeout(100);
      process.kill(gate, "SIGKILL");
      await expect(dial).rejects.toThrow(/^gate-down/);
    });

    check("says that a dial failed while nobody listens, and succeeds as soon as somebody does", async () => {
      const spec = specFor(busyboxRootfs(driver), { command: ["sh", "-c", "sleep 0.3; exec httpd -f -p 80 -h /www"] });
      const box = await startBox(driver, spec);
      await expect(box.ask("dial")).rejects.toThrow(/^dial-failed: .*ECONNREFUSED/);
      await box.ask("start");
      await expect.poll(() => get(box)).toBe("hello\n");
    });

    check("loses nothing of what an application says first", async () => {
      const greeting = ["node", "-e", "require('net').createServer((s) => s.end('welcome\\n')).listen(80)"];
      const box = await startBox(driver, specFor(nodeRootfs(driver), { command: greeting }));
      await box.ask("start");
      await expect.poll(() => box.ask("listen", "1").catch(String)).toEqual(["welcome\n"]);
      expect(await box.ask("listen", "200")).toEqual(Array.from({ length: 200 }, () => "welcome\n"));
    });

    check("asks the application to end, and kills it when the time is over", async () => {
      const gentle = "trap 'echo ending; exit 7' TERM; echo up; while :; do sleep 0.05; done";
      const stubborn = "trap '' TERM; echo up; while :; do sleep 0.05; done";
      for (const [script, code] of [
        [gentle, 7],
        [stubborn, 137],
      ] as const) {
        const box = await startBox(driver, specFor(busyboxRootfs(driver), { command: ["sh", "-c", script] }));
        await box.ask("start");
        await expect.poll(() => box.ask("output")).toMatchObject({ stdout: "up\n" });
        await box.ask("stop", code === 7 ? "10000" : "200");
        expect(await box.ask("exited")).toEqual({ code, signal: null });
        expect(await box.ask("output")).toMatchObject({ stdout: code === 7 ? "up\nending\n" : "up\n" });
      }
    });

    check("takes orphans of the application with it, and reaps them", async () => {
      const orphans = "for i in 1 2 3 4 5; do (sleep 0.01 &) ; done; sleep 0.2; ls /proc; exec sleep 1000";
      const box = await startBox(driver, specFor(busyboxRootfs(driver), { command: ["sh", "-c", orphans] }));
      await box.ask("start");
      await expect.poll(() => box.ask<{ stdout: string }>("output").then(({ stdout }) => stdout)).toContain("uptime");
      const { stdout } = await box.ask<{ stdout: string }>("output");
      expect(stdout.split("\n").filter((name) => /^\d+$/.test(name))).toHaveLength(3);
    });

    check("has nothing of the box open, and three descriptors only", async () => {
      const box = await startBox(driver, specFor(busyboxRootfs(driver), { command: ["ls", "/proc/self/fd"] }));
      await box.ask("start");
      await box.ask("exited");
      await expect.poll(() => box.ask("output")).toMatchObject({ stdout: "0\n1\n2\n3\n" });
    });

    check("says why an application cannot be started, and can start another afterwards", async () => {
      const box = await startBox(driver, specFor(busyboxRootfs(driver), { command: ["no-such-program"] }));
      await expect(box.ask("start")).rejects.toThrow(/^app-start-failed: execve: ENOENT/);
      const file = await startBox(driver, specFor(busyboxRootfs(driver), { command: ["/www/index.html"] }));
      await expect(file.ask("start")).rejects.toThrow(/^app-start-failed: execve: EACCES/);
      await expect(file.ask("start")).rejects.toThrow(/^app-start-failed: execve: EACCES/);
    });

    check("runs as the user that the image names, root and the last one included", async () => {
      for (const user of [
        { uid: 0, gid: 0 },
        { uid: 65_535, gid: 65_535 },
        { uid: 33, gid: 0 },
      ]) {
        const command = ["sh", "-c", "id -u; id -g; grep CapEff /proc/self/status; echo > /tmp/mine; echo > /etc/mine"];
        const box = await startBox(
          driver,
          specFor(busyboxRootfs(driver), { user, command: [...command.slice(0, 2), script(command[2] ?? "")] }),
        );
        await box.ask("start");
        await box.ask("exited");
        const output = await box.ask<{ stdout: string; stderr: string }>("output");
        expect(output.stdout).toBe(`${user.uid}\n${user.gid}\nCapEff:\t0000000000000000\n`);
        expect(output.stderr).toMatch(/can't create \/etc\/mine: (Read-only|Permission)/);
      }
    });
  });
}

// The little busybox of the tests has no grep of its own name.
function script(text: string): string {
  return text.replace("grep", "/bin/busybox grep");
}

async function get(box: RunningBox): Promise<string> {
  return box.ask<{ body: string }>("get", "/index.html").then(({ body }) => body, String);
}

/** Sockets that listen in the network of a process. */
function listeningIn(pid: number): number {
  const path = `/proc/${pid}/net/tcp`;
  return existsSync(path) ? (readFileSync(path, "latin1").match(/ 00000000:0000 0A /g) ?? []).length : 0;
}

function without(all: ReadonlySet<string>, some: ReadonlySet<string>): Set<string> {
  return new Set([...all].filter((name) => !some.has(name)));
}

function commandsOf(processes: readonly number[]): string[] {
  return processes.map((pid) => {
    const path = `/proc/${pid}/cmdline`;
    return existsSync(path) ? readFileSync(path, "latin1").replaceAll("\0", " ").trim() : "";
  });
}
