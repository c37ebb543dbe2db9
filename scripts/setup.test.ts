/** `scripts/setup.sh`, as `./demo` and `./test` source it. */
import { execFileSync, spawn, spawnSync, type SpawnSyncReturns } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const folders: string[] = [];

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), "blindbox-setup-"));
  folders.push(folder);
  return folder;
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A machine without apt-get, on which `busybox` is that program. */
function machineWith(busybox: string): string {
  const folder = temporary();
  for (const name of ["id", "ldd", "rm"])
    symlinkSync(execFileSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim(), join(folder, name));
  symlinkSync(busybox, join(folder, "busybox"));
  return folder;
}

function setUpBusybox(PATH: string): SpawnSyncReturns<string> {
  const script = ". scripts/setup.sh; setup_system busybox-static:busybox";
  return spawnSync("/bin/bash", ["--norc", "-euc", script], { cwd: root, env: { PATH }, encoding: "utf8" });
}

const system = existsSync("/usr/bin/busybox") ? "/usr/bin/busybox" : "/bin/busybox";

describe("setup_system", () => {
  test("a busybox that needs libraries is none: images hold it alone", () => {
    const { status, stderr } = setUpBusybox(machineWith("/bin/bash"));
    expect(stderr).toBe(
      "error: missing system packages: busybox-static\nhint:  as root: apt-get install busybox-static\n",
    );
    expect(status).toBe(2);
  });

  test.skipIf(!existsSync(system))("a busybox that stands alone is taken (needs busybox-static)", () => {
    expect(setUpBusybox(machineWith(system))).toMatchObject({ status: 0, stderr: "" });
  });
});

describe("Ctrl-C", () => {
  const signals = [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const;

  test.each(signals)("%s ends the script though the program in front took it and ended well", async (signal, code) => {
    const program = join(temporary(), "compiler");
    writeFileSync(program, "#!/bin/bash\ntrap 'exit 0' INT TERM HUP\necho ready\nwhile :; do sleep 0.05; done\n");
    chmodSync(program, 0o755);
    const script = `. scripts/setup.sh; "${program}"; echo swallowed`;
    const child = spawn("/bin/bash", ["--norc", "-euc", script], {
      cwd: root,
      stdio: ["ignore", "pipe", "inherit"],
      detached: true,
    });
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      // As a terminal does: to every process of the group.
      if (text === "ready\n") process.kill(-(child.pid ?? Number.NaN), signal);
    });
    const status = await new Promise((resolve) => child.once("close", resolve));
    expect(text).toBe("ready\n");
    expect(status).toBe(code);
  });
});
