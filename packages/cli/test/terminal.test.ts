import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { commandLine, runProgram, type Run } from "./command.ts";

const noScript = spawnSync("script", ["--version"]).status !== 0;

/** Runs the command on a terminal of its own, made by util-linux's `script`; both streams arrive as stdout. */
function onTerminal(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Run> {
  const quoted = [process.execPath, ...commandLine(args)].map((word) => `'${word}'`).join(" ");
  return runProgram("script", ["--quiet", "--return", "--command", quoted, "/dev/null"], {
    env: { TERM: "xterm", ...env },
  });
}

describe.skipIf(noScript)("on a terminal (needs script, of util-linux)", () => {
  test("an error is coloured", async () => {
    const { code, stdout } = await onTerminal(["verfy"], {});
    expect(code).toBe(2);
    expect(stdout).toContain("\u001b[31merror:\u001b[39m unknown command");
  });

  test("NO_COLOR is honoured", async () => {
    const { stdout } = await onTerminal(["verfy"], { NO_COLOR: "1" });
    expect(stdout).toContain("error: unknown command");
    expect(stdout).not.toContain("\u001b");
  });
});
