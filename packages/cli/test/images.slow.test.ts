/** Real servers, wrapped as they are: they start as root, give files away and change to other users. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { hasAssets } from "./assets.ts";
import { blindbox, commandLine, type Run } from "./command.ts";
import { serverImage } from "./server-image.ts";

const programs = ["bwrap", "ip", "mmdebstrap"];
const missing = programs.filter((program) => spawnSync(program, ["--help"]).error !== undefined);
const lacks = [...missing, ...(process.getuid?.() === 0 ? [] : ["root"]), ...(hasAssets ? [] : ["npm run build"])];

const NGINX = { command: "[nginx, -c, /nginx.conf, -g, daemon off;]", writable: "[/var/lib/nginx]" };
const POSTGRES = { command: "[busybox, sh, /postgres.sh]", writable: "[/var/lib/postgresql]" };

describe.skipIf(lacks.length > 0)(`wrapped as it is (skipped, lacks: ${lacks.join(", ")})`, () => {
  let cwd: string;
  let key: string;

  beforeAll(async () => {
    cwd = mkdtempSync(join(tmpdir(), "bb-"));
    serverImage();
    await blindbox(["keys", "new", "--id", "tester", "--out", "key.txt"], { cwd });
    key = readFileSync(join(cwd, "key.txt"), "utf8").trim();
  }, 180_000);
  afterAll(() => rmSync(cwd, { recursive: true, force: true }));

  async function build(
    name: string,
    app: { command: string; writable: string },
    more: string,
    ...args: string[]
  ): Promise<Run> {
    const digest = createHash("sha256").update(key).digest("hex");
    const manifest = `blindbox: 1
name: ${name}
app:
  image: ${serverImage()}
  port: 80
  user: 0
  command: ${app.command}
  writable: ${app.writable}
  ${more}
access:
  principals: [{ id: tester, apiKey: "sha256:${digest}" }]
  rules: [{ allow: [tester], methods: [GET], path: /** }]
egress: []
logs: app
`;
    writeFileSync(join(cwd, `${name}.yml`), manifest);
    return blindbox(["build", `${name}.yml`, ...args], { cwd });
  }

  /** Runs the box until the test is over; returns what asks it. */
  async function start(name: string): Promise<(path: string) => Promise<Run>> {
    const env = { XDG_STATE_HOME: join(cwd, name) };
    const child = spawn(process.execPath, commandLine(["run", `${name}.blindbox`, "--listen", "127.0.0.1:0"]), {
      cwd,
      env: { PATH: process.env["PATH"] ?? "", HOME: "/nowhere", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const gone = new Promise((resolve) => child.on("close", resolve));
    onTestFinished(async () => {
      child.kill("SIGTERM");
      await gone;
    });
    const url = await urlOf(child);
    const flags = ["--box", `${name}.blindbox`, "--simulated", "--key-file", "key.txt"];
    return (path) => blindbox(["request", "GET", `${url}${path}`, ...flags], { cwd, env });
  }

  test("nginx, with its workers as www-data, answers through the box", { timeout: 120_000 }, async () => {
    expect(await build("nginx", NGINX, "users: many")).toMatchObject({ code: 0 });
    const ask = await start("nginx");
    expect(await ask("/")).toMatchObject({ code: 0, stdout: "nginx says hello\n" });
  });

  test("PostgreSQL, as its own user, answers what the app asks it", { timeout: 120_000 }, async () => {
    expect(await build("postgres", POSTGRES, "users: many")).toMatchObject({ code: 0 });
    const ask = await start("postgres");
    // The page is served as soon as the port is open; the database needs a moment longer.
    await expect
      .poll(async () => (await ask("/cgi-bin/query")).stdout, { timeout: 60_000, interval: 2000 })
      .toBe("42|postgres\n");
  });

  test("both are refused at build for the driver that has one user only", { timeout: 60_000 }, async () => {
    const { code, stderr } = await build("nginx", NGINX, "users: many", "--driver", "unprivileged");
    expect(code).toBe(2);
    expect(stderr).toContain("app.users: expected one, for the unprivileged driver, got many");
  });
});

function urlOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let [out, err] = ["", ""];
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (err += text));
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      out += text;
      const url = /^url\s+(https:\S+)$/m.exec(out)?.[1];
      if (url !== undefined) resolve(url);
    });
    child.once("exit", (code) => reject(new Error(`blindbox run ended with ${code}: ${err}`)));
  });
}
