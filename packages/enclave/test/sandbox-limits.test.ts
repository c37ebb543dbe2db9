/** Limits: the files that are written for control groups, and what is said of them. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { describeLimits } from "../src/sandbox/limits/description.ts";
import { type ControlGroupPlace, type Controller, makeGroup } from "../src/sandbox/limits/control-group.ts";
import { planV1 } from "../src/sandbox/limits/control-groups-v1.ts";
import { planV2 } from "../src/sandbox/limits/control-groups-v2.ts";
import { NO_CONTROL_GROUPS } from "../src/sandbox/limits/control-groups.ts";
import { demandCount } from "../src/sandbox/limits/demand.ts";
import { resourceLimits } from "../src/sandbox/limits/rlimits.ts";
import { removeTemporary, temporaryDirectory } from "./fixtures-sandbox/rootfs.ts";

const MIB = 1024 * 1024;
const resources = { memory: 64 * MIB, cpus: 1500, processes: 100, tmp: MIB };

afterAll(removeTemporary);

function createV1(where: ControlGroupPlace): (readonly Controller[])[] {
  return planV1(resources, where)
    .filter(makeGroup)
    .map(({ controllers }) => controllers);
}

function createV2(wanted: readonly Controller[], where: ControlGroupPlace): readonly Controller[] | null {
  const plan = planV2(resources, wanted, where);
  return plan && makeGroup(plan) ? plan.controllers : null;
}

describe("control groups of version 1", () => {
  const place = (controllers: readonly string[]) => {
    const root = temporaryDirectory();
    for (const name of controllers) mkdirSync(join(root, name));
    const mounts = controllers.map((name) => `cgroup ${root}/${name} cgroup rw,relatime,${name} 0 0\n`).join("");
    return { root, mounts, name: "box" };
  };

  test("get one group in each hierarchy, with its limit", () => {
    const { root, ...where } = place(["memory", "pids", "cpu,cpuacct"]);
    expect(createV1(where)).toEqual([["memory"], ["pids"], ["cpu"]]);
    const read = (path: string) => readFileSync(join(root, path), "utf8");
    expect(read("memory/box/memory.limit_in_bytes")).toBe(`${64 * MIB}`);
    expect(read("pids/box/pids.max")).toBe("100");
    expect(read("cpu,cpuacct/box/cpu.cfs_quota_us")).toBe("150000");
    expect(read("cpu,cpuacct/box/cpu.cfs_period_us")).toBe("100000");
  });

  test("leave out what is not mounted, or is read-only", () => {
    const { root, ...where } = place(["pids"]);
    writeFileSync(join(root, "memory"), "not a directory");
    const mounts = `${where.mounts}cgroup ${root}/memory cgroup ro,memory 0 0\n`;
    expect(createV1({ ...where, mounts })).toEqual([["pids"]]);
    expect(createV1({ mounts: "", name: "box" })).toEqual([]);
  });
});

describe("control groups of version 2", () => {
  const place = (controllers: string, enabled: string) => {
    const root = temporaryDirectory();
    writeFileSync(join(root, "cgroup.controllers"), `${controllers}\n`);
    writeFileSync(join(root, "cgroup.subtree_control"), `${enabled}\n`);
    writeFileSync(join(root, "cgroup.procs"), "1\n7\n");
    return { root, mounts: `none ${root} cgroup2 rw,nosuid 0 0\n`, name: "box" };
  };
  const all = ["memory", "pids", "cpu"] as const;

  test("get one group with all limits, and hand out the controllers first", () => {
    const { root, ...where } = place("cpuset cpu io memory pids", "");
    expect(createV2(all, where)).toEqual(all);
    const read = (path: string) => readFileSync(join(root, path), "utf8");
    expect(read("cgroup.subtree_control")).toBe("+memory +pids +cpu");
    expect(read("box/memory.max")).toBe(`${64 * MIB}`);
    expect(read("box/pids.max")).toBe("100");
    expect(read("box/cpu.max")).toBe("150000 100000");
    expect(existsSync(join(root, "blindbox-box"))).toBe(false);
  });

  test("take only what the hierarchy offers, and nothing where it offers nothing", () => {
    const { root, ...where } = place("memory hugetlb", "memory");
    expect(createV2(all, where)).toEqual(["memory"]);
    expect(readFileSync(join(root, "cgroup.subtree_control"), "utf8")).toBe("memory\n");
    const none = place("hugetlb", "");
    expect(createV2(all, none)).toBe(null);
    expect(existsSync(join(none.root, "box"))).toBe(false);
    expect(createV2(all, { mounts: "", name: "box" })).toBe(null);
  });
});

test("what is said of limits is what is in force", () => {
  expect(describeLimits(NO_CONTROL_GROUPS)).toEqual({
    memory: "per-process",
    processes: "resource-limit",
    cpus: "none",
    tmp: "tmpfs",
  });
  const groups = { ...NO_CONTROL_GROUPS, controllers: new Set(["pids"] as const) };
  expect(describeLimits(groups)).toEqual({
    memory: "per-process",
    processes: "control-group",
    cpus: "none",
    tmp: "tmpfs",
  });
});

test("resource limits never exceed those of the box, and bound memory only where nothing else does", () => {
  const floor = resourceLimits(resources, new Set());
  const byNumber = new Map(floor.map((limit) => [limit.resource, limit.hard]));
  expect(byNumber.get(2)).toBe(64 * MIB + 1024 * MIB);
  // With 0, a dump to a program would still be made.
  expect(byNumber.get(4)).toBe(1);
  expect(byNumber.get(6)).toBe(101);
  expect(byNumber.get(7)).toBeLessThanOrEqual(65_536);
  expect(resourceLimits(resources, new Set(["memory"])).map(({ resource }) => resource)).not.toContain(2);
});

test("who may become others is refused where nothing counts the processes of all users together", () => {
  const noCount = new Set<Controller>(["memory", "cpu"]);
  expect(() => demandCount(["CAP_SETUID"], noCount)).toThrow(/^limits-refused: /);
  expect(() => demandCount(["CAP_SETUID"], new Set<Controller>(["pids"]))).not.toThrow();
  expect(() => demandCount([], noCount)).not.toThrow();
});
