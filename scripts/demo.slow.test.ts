/** `./demo` itself, as a newcomer runs it. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

function processes(): string[] {
  const { stdout } = spawnSync("ps", ["-eo", "args"], { encoding: "utf8" });
  return stdout.split("\n").filter((line) => /transcriber\.blindbox|tampered\.blindbox|blindbox-demo-/.test(line));
}

test("./demo does all that it says, and leaves nothing running or mounted", { timeout: 300_000 }, () => {
  const { status, stdout, stderr } = spawnSync("./demo", { cwd: root, encoding: "utf8" });
  expect(stderr).toBe("");
  expect(status).toBe(0);
  expect(stdout).toContain('transcript: "the patient has a history of high blood pressure"');
  for (const name of ["NotAnEnclaveError: ", "ChannelBindingError: ", "InvalidEnclaveCode: "])
    expect(stdout).toContain(name);
  expect(stdout.match(/bytes of the recording that the impostor received: 0/g)).toHaveLength(2);
  expect(stdout).toContain("All as promised");
  expect(processes()).toEqual([]);
  expect(spawnSync("mount", { encoding: "utf8" }).stdout).not.toContain("blindbox-demo-");
});

test("./demo and ./test refuse an argument that they do not know, with a hint", () => {
  for (const script of ["./demo", "./test"]) {
    const { status, stderr } = spawnSync(script, ["--fast"], { cwd: root, encoding: "utf8" });
    expect(status).toBe(2);
    expect(stderr).toMatch(/^error: argument --fast: unknown; expected .*\nhint: {2}\.\/(demo|test)/);
  }
});
