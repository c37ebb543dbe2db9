/** Runs that end before they begin: the documents of the box, and the machine. */
import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runBox } from "../src/index.ts";
import { scratchDirectory } from "./support/images.ts";
import { asOrdinaryUser } from "./support/ordinary-user.ts";
import { builtBox, eventOf, prepare, refusal, started } from "./support/runs.ts";
import { canMount, smallDisk } from "./support/small-disk.ts";

describe("the documents beside the image", () => {
  async function copyWith(name: string, change: (text: string) => string): Promise<string> {
    const copy = join(scratchDirectory(), "hello.blindbox");
    cpSync(await builtBox(), copy, { recursive: true });
    writeFileSync(join(copy, name), change(readFileSync(join(copy, name), "utf8")));
    return copy;
  }

  test("that are damaged are refused before anything starts", async () => {
    for (const name of ["manifest.json", "blindbox.release.json"]) {
      const boxDir = await copyWith(name, () => "");
      const { options, events, stateDir } = await prepare("works", "device", { boxDir });
      const refused = { name: "BuildError", code: "documents-differ", field: `${boxDir}: ${name}` };
      await expect(runBox(options)).rejects.toMatchObject(refused);
      expect(events).toEqual([]);
      expect(existsSync(stateDir)).toBe(false);
    }
  });

  test.each<readonly [string, (text: string) => string]>([
    ["manifest.json", (text) => text.replace('"port":80', '"port":81')],
    ["blindbox.release.json", (text) => text.replace(/("image":"sha256:)..../, "$10000")],
  ])("that belong to another image are refused before the box starts (%s)", async (name, change) => {
    const boxDir = await copyWith(name, change);
    const error = await refusal(await prepare("works", "device", { boxDir }));
    expect(error).toMatchObject({ name: "BuildError", code: "documents-differ", field: `${boxDir}: ${name}` });
  });

  test("that only name another measurement let the box start, for clients to refuse, and that is told", async () => {
    const boxDir = await copyWith("blindbox.release.json", (text) => text.replace(/("measurement":")..../, "$10000"));
    const { options, events } = await prepare("works", "device", { boxDir });
    await started(options);
    expect(eventOf(events, "release-differs")).toEqual({ event: "release-differs" });
  });
});

describe("a machine that does not allow it", () => {
  test.skipIf(!canMount)("because the state directory is full says so, and leaves nothing (needs mounts)", async () => {
    const stateDir = join(smallDisk("size=8m"), "state");
    const prepared = await prepare("works", "device", { stateDir });
    const message = `the state directory ${stateDir} cannot be used: a full disk`;
    expect(await refusal({ ...prepared, stateDir })).toMatchObject({ code: "state-unusable", message });
  });

  test("because the rooted sandbox needs root says so before anything is made", async () => {
    const { options, stateDir } = await prepare("works", "device", { driver: "rooted" });
    await asOrdinaryUser(() => expect(runBox(options)).rejects.toMatchObject({ code: "driver-unavailable" }));
    expect(existsSync(stateDir)).toBe(false);
  });
});
