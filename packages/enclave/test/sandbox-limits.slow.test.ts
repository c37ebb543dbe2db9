/** Limits as real applications meet them that want too much. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { DRIVERS } from "./fixtures-sandbox/availability.ts";
import { familyOf, reaperOf } from "./fixtures-sandbox/leftovers.ts";
import { busyboxRootfs, removeTemporary } from "./fixtures-sandbox/rootfs.ts";
import { endBoxes, specFor, startBox } from "./fixtures-sandbox/start-box.ts";

const MIB = 1024 * 1024;
const resources = { memory: 64 * MIB, cpus: 1500, processes: 100, tmp: MIB };

afterEach(endBoxes);
afterAll(removeTemporary);

for (const { driver, skip, note } of DRIVERS) {
  describe(`an application in the ${driver} sandbox${note} that wants too much`, () => {
    const check = test.skipIf(skip);

    check("of memory is stopped, and the box lives", async () => {
      const command = ["/bin/busybox", "awk", 'BEGIN { s = "x"; while (1) s = s s }'];
      const box = await startBox(driver, specFor(busyboxRootfs(driver), { command, resources }));
      const { limits } = await box.ask<{ limits: { memory: string } }>("limits");
      await box.ask("start");
      expect(await box.ask("exited")).toEqual({ code: limits.memory === "control-group" ? 137 : 1, signal: null });
      await box.ask("start");
    });

    check("of processes gets no more, and the box lives", async () => {
      const bomb = "(while :; do sleep 1000 & done); exec sleep 1000";
      const limited = { resources: { ...resources, processes: 50 }, command: ["sh", "-c", bomb] };
      const box = await startBox(driver, specFor(busyboxRootfs(driver), limited));
      await box.ask("start");
      const inside = () => familyOf(reaperOf(box.pid)).length;
      await expect.poll(inside).toBeGreaterThan(40);
      await expect
        .poll(() => box.ask("output"))
        .toMatchObject({ stderr: expect.stringContaining("can't fork") as string });
      expect(inside()).toBeLessThanOrEqual(51);
      await box.ask("stop", "0");
      await box.ask("start");
    });
  });
}

const rooted = DRIVERS.find(({ driver }) => driver === "rooted");

const groupsMissing = !existsSync("/sys/fs/cgroup/pids");

test.skipIf((rooted?.skip ?? true) || groupsMissing)(
  `the group of the application holds all of it, with the Manifest's limits${groupsMissing ? " (skipped: needs control groups v1)" : ""}`,
  async () => {
    const box = await startBox("rooted", specFor(busyboxRootfs("rooted"), { resources }));
    const { limits } = await box.ask<{ limits: Record<string, string> }>("limits");
    expect(limits).toMatchObject({ memory: "control-group", processes: "control-group" });
    await box.ask("start");
    const groups = readFileSync(`/proc/${reaperOf(box.pid)}/cgroup`, "utf8");
    const own = /:pids:\/(blindbox-\S+)/.exec(groups)?.[1] ?? "";
    expect(own).toMatch(new RegExp(`^blindbox-${box.pid}-`));
    expect(readFileSync(join("/sys/fs/cgroup/pids", own, "pids.max"), "utf8")).toBe("102\n");
    expect(groups).toMatch(/:memory:\/blindbox-/);
    const read = (path: string) => readFileSync(join("/sys/fs/cgroup", path.replace("*", own)), "utf8");
    expect(read("memory/*/memory.limit_in_bytes")).toBe(`${64 * MIB}\n`);
    if (limits["cpus"] === "control-group") expect(read("cpu/*/cpu.cfs_quota_us")).toBe("150000\n");
  },
);
