/** Supervisor and sandbox together, with a real application. */
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { DRIVERS } from "./fixtures-sandbox/availability.ts";
import { busyboxRootfs, removeTemporary } from "./fixtures-sandbox/rootfs.ts";
import { endBoxes, type RunningBox, specFor, startBox } from "./fixtures-sandbox/start-box.ts";

afterEach(endBoxes);
afterAll(removeTemporary);

for (const { driver, skip, note } of DRIVERS) {
  describe(`a supervised application in the ${driver} sandbox${note}`, () => {
    const check = test.skipIf(skip);
    const state = (box: RunningBox) => box.ask<string>("state");
    const names = (box: RunningBox) => box.events.map(({ event }) => event);

    check("is started again when it ends, and serves again", async () => {
      const shortLived = ["sh", "-c", "httpd -p 80 -h /www; sleep 0.5"];
      const box = await startBox(driver, specFor(busyboxRootfs(driver), { command: shortLived }));
      await box.ask("supervise");
      await expect
        .poll(() => names(box), { timeout: 15_000 })
        .toEqual(expect.arrayContaining(["app-ready", "app-down"]));
      const ready = () => names(box).filter((name) => name === "app-ready").length;
      await expect.poll(ready, { timeout: 15_000 }).toBeGreaterThanOrEqual(2);
      expect(names(box).slice(0, 5)).toEqual(["app-started", "app-ready", "app-down", "app-started", "app-ready"]);
    });

    check("that crashes at once is down in between, and the box keeps trying", async () => {
      const box = await startBox(driver, specFor(busyboxRootfs(driver), { command: ["sh", "-c", "exit 3"] }));
      await box.ask("supervise");
      await expect.poll(() => state(box)).toBe("down");
      await expect
        .poll(() => names(box).filter((name) => name === "app-started").length, { timeout: 15_000 })
        .toBeGreaterThan(2);
      expect(names(box)).not.toContain("app-ready");
      expect(box.events.find(({ event }) => event === "app-down")).toEqual({
        event: "app-down",
        code: 3,
        signal: null,
      });
    });

    check("never waits for anybody to read its output", async () => {
      const loud = [
        "sh",
        "-c",
        "dd if=/dev/zero bs=65536 count=1600; dd if=/dev/zero bs=65536 count=1600 >&2; exec httpd -f -p 80 -h /www",
      ];
      const box = await startBox(driver, specFor(busyboxRootfs(driver), { command: loud }));
      await box.ask("supervise");
      await expect.poll(() => state(box), { timeout: 15_000 }).toBe("ready");
      await box.ask("drain", "1000");
      expect(await state(box)).toBe("draining");
      await expect(box.ask("dial")).rejects.toThrow(/^dial-failed/);
    });
  });
}
