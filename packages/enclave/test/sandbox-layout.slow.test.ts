/** Images that lack mount points, in real sandboxes. */
import { chmodSync, chownSync, renameSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import type { Driver } from "../src/parts.ts";
import { DRIVERS, isRoot, NOBODY } from "./fixtures-sandbox/availability.ts";
import {
  busyboxRootfs,
  makeDirectory,
  makeFile,
  removeTemporary,
  scratchRootfs,
  temporaryDirectory,
} from "./fixtures-sandbox/rootfs.ts";
import { endBoxes, specFor, startBox } from "./fixtures-sandbox/start-box.ts";

afterEach(endBoxes);
afterAll(removeTemporary);

for (const { driver, skip, note } of DRIVERS) {
  describe(`the ${driver} sandbox${note}`, () => {
    const check = test.skipIf(skip);

    check("runs an image of a single file, which has not even mount points", async () => {
      const command = [
        "/busybox",
        "sh",
        "-c",
        "/busybox ls / /etc; echo > /data/deep/x && echo written; echo > /x; pwd",
      ];
      const spec = specFor(scratchRootfs(driver), {
        command,
        writable: ["/data/deep"],
        workingDir: "/place/here",
        env: {},
      });
      const box = await startBox(driver, spec);
      await box.ask("start");
      expect(await box.ask("exited")).toEqual({ code: 0, signal: null });
      const { stdout, stderr } = await box.ask<{ stdout: string; stderr: string }>("output");
      const names = [
        "/:",
        "busybox",
        "data",
        "dev",
        "etc",
        "place",
        "proc",
        "run",
        "tmp",
        "",
        "/etc:",
        "hosts",
        "resolv.conf",
      ];
      expect(stdout.split("\n")).toEqual([...names, "written", "/place/here", ""]);
      expect(stderr).toContain("can't create /x: Read-only file system");
    });

    check("shows the image's own files where a directory had to be rebuilt for a mount point", async () => {
      const root = busyboxRootfs(driver);
      makeFile(join(root, "var/lib/kept"), "kept\n");
      symlinkSync("kept", join(root, "var/lib/alias"));
      const command = [
        "sh",
        "-c",
        "cat /var/lib/kept /var/lib/alias; echo > /var/lib/x; echo > /var/lib/app/x && echo written",
      ];
      const box = await startBox(driver, specFor(root, { command, writable: ["/var/lib/app"] }));
      await box.ask("start");
      await box.ask("exited");
      const { stdout, stderr } = await box.ask<{ stdout: string; stderr: string }>("output");
      expect(stdout).toBe("kept\nkept\nwritten\n");
      expect(stderr).toContain("Read-only file system");
    });

    check("shows each file to its owner, and lies anywhere on the host", async () => {
      const root = busyboxRootfs(driver);
      makeDirectory(join(root, "srv/mine"));
      for (const [path, owner] of [
        ["srv/mine/own", 1000],
        ["srv/mine/roots", 0],
      ] as const) {
        makeFile(join(root, path), `${path}\n`, 0o600);
        if (isRoot) chownSync(join(root, path), ...hostIds(driver, owner));
      }
      const hidden = join(temporaryDirectory(), "hidden");
      makeDirectory(hidden);
      renameSync(root, join(hidden, "rootfs"));
      if (driver === "rooted") chmodSync(hidden, 0o700);
      const command = [
        "sh",
        "-c",
        "cat /srv/mine/own; ls -n /srv/mine | while read a b c d e; do echo $c; done; cat /srv/mine/roots",
      ];
      const box = await startBox(driver, specFor(join(hidden, "rootfs"), { command }));
      await box.ask("start");
      await box.ask("exited");
      const { stdout, stderr } = await box.ask<{ stdout: string; stderr: string }>("output");
      const [first, , ...owners] = stdout.trim().split("\n");
      expect(first).toBe("srv/mine/own");
      if (driver === "unprivileged") expect(owners).toEqual(["1000", "1000", "srv/mine/roots"]);
      else expect(owners).toEqual(["1000", "0"]);
      if (driver === "rooted") expect(stderr).toContain("can't open '/srv/mine/roots': Permission denied");
    });
  });
}

// An ordinary user owns whatever it unpacks.
function hostIds(driver: Driver, id: number): [number, number] {
  return driver === "rooted" ? [id, id === 0 ? 0 : id + 1] : [NOBODY, NOBODY];
}
