/** The command as a process: its own fetch, led to a server on this machine by a module that only this test loads. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { formatEndorsementsDocument } from "@blindbox/attestation/endorsers";
import {
  amdCrl,
  ark,
  ask,
  milan,
  milanEndorsements,
  milanUrls,
  vcek,
} from "../../attestation/test/endorsers/vendors.ts";
import { pem } from "../../attestation/test/vendor.ts";
import { blindbox, commandLine, emptyDirectory, runProgram, type Run } from "./command.ts";
import { snpReport } from "./endorsements-fixture.ts";

const answers: Readonly<Record<string, Uint8Array | string>> = {
  [new URL(milanUrls.ek).pathname]: vcek,
  [new URL(milanUrls.issuers).pathname]: pem(ask.der) + pem(ark.der),
  [new URL(milanUrls.crls).pathname]: amdCrl,
};

async function listen(respond: RequestListener): Promise<number> {
  const server: Server = createServer(respond);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Arguments for Node: the command, with every vendor's host at that port. */
function arguments_(port: number, args: readonly string[]): string[] {
  const lead = `const real = globalThis.fetch;
    globalThis.fetch = (url, init) => real(url.replace(/^https:[/][/][^/]+/, "http://127.0.0.1:${port}"), init);`;
  return ["--import", `data:text/javascript,${encodeURIComponent(lead)}`, ...commandLine(args)];
}

function workplace(): string {
  const cwd = emptyDirectory();
  writeFileSync(join(cwd, "report.bin"), snpReport());
  return cwd;
}

function run(cwd: string, port: number, args: readonly string[]): Promise<Run> {
  return runProgram(process.execPath, arguments_(port, args), { cwd, env: { XDG_CACHE_HOME: join(cwd, "cache") } });
}

describe("blindbox endorsements, as a process", () => {
  test("fetches, writes and shows", async () => {
    const cwd = workplace();
    const port = await listen(({ url = "" }, response) => response.end(answers[url.split("?")[0] ?? ""]));
    const fetched = await run(cwd, port, ["endorsements", "fetch", "report.bin", "--out", "e.json"]);
    expect(fetched).toMatchObject({ code: 0, stdout: "" });
    expect(readFileSync(join(cwd, "e.json"), "utf8")).toBe(formatEndorsementsDocument(milan, milanEndorsements));
    const shown = await blindbox(["endorsements", "show", "e.json"], { cwd });
    expect(shown).toMatchObject({ code: 0, stderr: "" });
    expect(shown.stdout).toContain("  crls[0]     number 7, of 2027-01-14");
  });

  test("a vendor that redirects ends with 4 and a hint, and no file", async () => {
    const cwd = workplace();
    const port = await listen((_request, response) => response.writeHead(302, { location: "/sign-in" }).end());
    const { code, stdout, stderr } = await run(cwd, port, ["endorsements", "fetch", "report.bin"]);
    expect({ code, stdout }).toEqual({ code: 4, stdout: "" });
    expect(stderr).toMatch(/\nerror: ek: expected the vendor's own answer, got status 302: redirected .*\nhint: .+\n$/);
  });

  test("an interruption ends it at once, by the same signal", async () => {
    const cwd = workplace();
    let asked = (): void => undefined;
    const isAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const port = await listen(() => asked());
    const child = spawn(process.execPath, arguments_(port, ["endorsements", "fetch", "report.bin"]), {
      cwd,
      env: { PATH: process.env["PATH"] ?? "", XDG_CACHE_HOME: join(cwd, "cache") },
    });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    await isAsked;
    child.kill("SIGINT");
    const [, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
    expect(signal).toBe("SIGINT");
    expect(stderr).toMatch(/\ninterrupted by SIGINT\n$/);
  });

  test("help says what it is not for", async () => {
    const { code, stdout } = await blindbox(["help", "endorsements"]);
    expect(code).toBe(0);
    expect(stdout).toContain("verifying a box never needs it");
    for (const name of ["fetch", "export", "import", "show"]) expect(stdout).toContain(`  ${name} `);
  });
});
