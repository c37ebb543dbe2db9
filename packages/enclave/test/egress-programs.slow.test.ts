/** Programs that go out by passthrough, and what is left when a part of the box dies. */
import type { ChildProcess } from "node:child_process";
import { execFileSync } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import type { Egress } from "@blindbox/manifest";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createAuthority } from "./fixtures-internet/certificates.ts";
import { startDatabase } from "./fixtures-internet/database.ts";
import { type Internet, startInternet } from "./fixtures-internet/internet.ts";
import { SITES } from "./fixtures-internet/names.ts";
import { applicationOf, serversLeft } from "./fixtures-internet/scripts.ts";
import { type IsolatedBox, startIsolated } from "./fixtures-internet/start-box.ts";
import { DRIVERS, isRoot } from "./fixtures-sandbox/availability.ts";
import { removeTemporary } from "./fixtures-sandbox/rootfs.ts";

const rootNote = isRoot ? "" : " (skipped: needs root for networks of its own)";

const passthrough: readonly Egress[] = [
  { mode: "passthrough", host: "db.test", ports: [5432] },
  { mode: "passthrough", host: "api.allowed.test", ports: [443] },
];

for (const { driver, skip, note } of DRIVERS) {
  describe.skipIf(skip || !isRoot)(`beside the internet, the ${driver} driver${note}${rootNote}`, () => {
    let internet: Internet;
    let database: ChildProcess;
    const boxes: IsolatedBox[] = [];

    beforeAll(async () => {
      internet = await startInternet();
      database = await startDatabase(internet.networks.internet, await (await createAuthority()).issue("db.test"));
    }, 120_000);
    afterEach(async () => {
      for (const box of boxes.splice(0)) await box.kill();
    });
    afterAll(async () => {
      database?.kill("SIGKILL");
      await internet?.close();
      removeTemporary();
    });

    const start = async (rules: readonly Egress[], change = {}): Promise<IsolatedBox> => {
      const box = await startIsolated(internet, driver, rules, change);
      boxes.push(box);
      await box.order("start");
      await box.sh("true");
      return box;
    };

    test("psql reaches a database over TLS that the box does not look into, and not without TLS", async () => {
      const box = await start(passthrough);
      const query = (mode: string) =>
        box.sh(`psql 'host=db.test user=postgres connect_timeout=5 sslmode=${mode}' -Atc 'select 6*7'`);
      expect(await query("require")).toMatchObject({ status: 0, out: "42\n" });
      expect((await query("disable")).status).not.toBe(0);
      expect(JSON.stringify(await box.order("ledger"))).toContain("db.test");
    });

    test("by passthrough the app sees the host's own certificate, and only under the rule's name", async () => {
      const box = await start(passthrough);
      await internet.seen();
      const curl = (options: string) => box.sh(`curl -s -m 5 -o /dev/null -w '%{http_code}' ${options}`);
      await box.sh("true");
      expect((await curl("-k https://api.allowed.test/v1/x")).out).toBe("200");
      expect((await curl("https://api.allowed.test/v1/x")).out, "it trusts no root of the fake internet").toBe("000");
      await internet.seen();
      expect((await curl("-k --connect-to forbidden.test:443:api.allowed.test:443 https://forbidden.test/")).out).toBe(
        "000",
      );
      expect(await internet.seen()).toEqual([]);
    });

    test("when the box is killed nothing gets out, and no process and no namespace is left", async () => {
      const box = await start(passthrough);
      const app = applicationOf(box.pid);
      const spaces = ["net", "mnt", "pid"].map((name) =>
        execFileSync("readlink", [`/proc/${app}/ns/${name}`], { encoding: "utf8" }),
      );
      await internet.seen();
      await box.kill();
      await expect.poll(() => serversLeft(), { timeout: 5000 }).toBe(0);
      const left = () =>
        execFileSync("sh", ["-c", "readlink /proc/[0-9]*/ns/* 2>/dev/null || true"], { encoding: "utf8" });
      const remaining = () => spaces.filter((space) => left().includes(space.trim()));
      await expect.poll(remaining, { timeout: 5000 }).toEqual([]);
      expect((await internet.seen()).filter(({ kind }) => kind !== "dns")).toEqual([]);
    });

    test("without its gate the app has no way out at all, and is ended with it", async () => {
      const box = await start(passthrough);
      const gates = execFileSync("pgrep", ["-P", String(box.pid), "-f", "gate/main"], { encoding: "utf8" })
        .trim()
        .split("\n");
      await internet.seen();
      for (const gate of gates) process.kill(Number(gate), "SIGKILL");
      await expect.poll(() => serversLeft(), { timeout: 5000 }).toBe(0);
      expect(await internet.seen()).toEqual([]);
    });

    test("a flood of connections is bounded, and the box goes on", async () => {
      const box = await start(passthrough);
      const flood = `python3 -c "import socket
held=[]
for i in range(3000):
    try:
        s=socket.socket(); s.settimeout(2); s.connect(('api.allowed.test',443)); held.append(s)
    except OSError: break
print(len(held))"`;
      const held = await box.sh(`ulimit -n 4096; ${flood}`);
      expect(Number(held.out)).toBeGreaterThan(100);
      await setTimeout(500);
      const { out } = await box.sh("curl -sk -m 10 -o /dev/null -w '%{http_code}' https://api.allowed.test/v1/x");
      expect(out).toBe("200");
      expect(await box.order<number>("memory")).toBeLessThan(400 * 2 ** 20);
    });
  });
}

test("the sites of the fake internet lie at global addresses, or these tests would prove nothing", () => {
  for (const address of Object.values(SITES)) expect(address).toMatch(/^11\./);
});
