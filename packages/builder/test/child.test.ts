import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Child } from "../src/local/child.ts";
import { scratchDirectory } from "./support/images.ts";

const started = (program: string, directory: string): Promise<unknown> =>
  new Child({ name: "box", program, arguments: [], directory, onEvent: () => {} })
    .next("ready")
    .catch((error) => error);

test("a program that may not be executed where it lies asks for another place, and is no fault of ours", async () => {
  const directory = scratchDirectory();
  writeFileSync(join(directory, "node"), "", { mode: 0o600 });
  const refused = { code: "state-unusable", hint: expect.stringContaining("noexec") };
  expect(await started(join(directory, "node"), directory)).toMatchObject(refused);
});

test("a program that is not there is one", async () => {
  const directory = scratchDirectory();
  const failed = { code: "box-failed", message: "the box process could not be started" };
  expect(await started(join(directory, "none"), directory)).toMatchObject(failed);
});
