/** The runtimes that the suite is run in, each as a function from a pack to the text of its answers. */
import { execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { rolldown } from "rolldown";

const run = promisify(execFile);
const here = fileURLToPath(new URL(".", import.meta.url));
const modules = join(here, "../runtimes/node_modules");

/** Answers run to some hundred KiB; a runtime that hangs is ended. */
const bounds = { maxBuffer: 1 << 26, timeout: 120_000 };

/** A folder with the bundled entries and the pack, for as long as the tests need it. */
export interface Workplace {
  readonly folder: string;
  readonly pack: string;
  readonly remove: () => void;
}

/** Bundles the three entries and writes the pack beside them. */
export async function makeWorkplace(packText: string): Promise<Workplace> {
  const folder = mkdtempSync(join(tmpdir(), "blindbox-suite-"));
  await Promise.all([
    bundle("process", folder, "esm"),
    bundle("worker", folder, "esm"),
    bundle("page", folder, "iife"),
  ]);
  const pack = join(folder, "pack.json");
  writeFileSync(pack, packText);
  return { folder, pack, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

async function bundle(entry: string, folder: string, format: "esm" | "iife"): Promise<void> {
  const build = await rolldown({
    input: join(here, `${entry}.ts`),
    platform: entry === "process" ? "node" : "browser",
    resolve: { conditionNames: ["blindbox-source", "import", "default"] },
    logLevel: "warn",
  });
  await build.write({ dir: folder, format, entryFileNames: "[name].mjs", codeSplitting: false });
  await build.close();
}

/** One runtime; `path` is what has to be there. */
export interface Runtime {
  readonly name: string;
  readonly path: string;
  readonly answer: (workplace: Workplace) => Promise<string>;
}

function program(name: string, path: string, args: readonly string[] = []): Runtime {
  return {
    name,
    path,
    answer: async ({ folder, pack }) =>
      (await run(path, [...args, join(folder, "process.mjs"), pack], { ...bounds, env: { HOME: folder } })).stdout,
  };
}

/** Every runtime beside the pinned Node that runs the tests themselves. */
export const runtimes: readonly Runtime[] = [
  program("Node 22", join(modules, "node22/bin/node")),
  program("Node 24", join(modules, "node24/bin/node")),
  program("Bun", join(modules, "@oven/bun-linux-x64/bin/bun"), ["run"]),
  program("Deno", join(modules, "@deno/linux-x64-glibc/deno"), ["run", "--no-remote", "--allow-read", "--allow-env"]),
  { name: "workerd", path: join(modules, "@cloudflare/workerd-linux-64/bin/workerd"), answer: inWorkerd },
  { name: "Chromium", path: "/usr/bin/chromium", answer: inChromium },
];

/** Whether everything is installed that a runtime needs. */
export function isInstalled({ path }: Runtime): boolean {
  return existsSync(path);
}

const workerdConfig = (port: number): string => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [ (name = "suite", worker = .suite) ],
  sockets = [ (name = "http", address = "127.0.0.1:${port}", http = (), service = "suite") ]
);
const suite :Workerd.Worker = (
  modules = [ (name = "worker", esModule = embed "worker.mjs") ],
  compatibilityDate = "2026-01-01"
);
`;

async function inWorkerd({ folder, pack }: Workplace): Promise<string> {
  const port = await freePort();
  const config = join(folder, "workerd.capnp");
  writeFileSync(config, workerdConfig(port));
  const [{ path }] = runtimes.filter(({ name }) => name === "workerd") as [Runtime];
  const child = spawn(path, ["serve", config], { stdio: "ignore" });
  try {
    return await ask(`http://127.0.0.1:${port}/`, pack);
  } finally {
    child.kill("SIGKILL");
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Asks until the server listens; its start takes a moment. */
async function ask(url: string, pack: string): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  const body = await readFile(pack);
  for (let attempt = 0; ; attempt += 1) {
    try {
      const response = await fetch(url, { method: "POST", body });
      return await response.text();
    } catch (error) {
      if (attempt === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

interface Page {
  goto(url: string): Promise<unknown>;
  evaluate<T>(call: string): Promise<T>;
}

interface Browser {
  newPage(): Promise<Page>;
  close(): Promise<void>;
}

interface Playwright {
  readonly chromium: { launch(options: object): Promise<Browser> };
}

const chromiumFlags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

async function inChromium({ folder, pack }: Workplace): Promise<string> {
  const { chromium } = (await import(join(modules, "playwright-core/index.mjs"))) as Playwright;
  const site = await serve(folder, pack);
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: chromiumFlags });
  try {
    const page = await browser.newPage();
    await page.goto(site.url);
    return await page.evaluate("fetch('/pack.json').then((answer) => answer.json()).then((pack) => judgePack(pack))");
  } finally {
    await browser.close();
    site.close();
  }
}

/** A page on the loopback address: a secure context, so that there is WebCrypto. */
async function serve(folder: string, pack: string): Promise<{ readonly url: string; readonly close: () => void }> {
  const { readFile } = await import("node:fs/promises");
  const files: Readonly<Record<string, readonly [string, string]>> = {
    "/page.mjs": ["text/javascript", join(folder, "page.mjs")],
    "/pack.json": ["application/json", pack],
  };
  const server = createServer((request, response) => {
    const [type, file] = files[request.url ?? ""] ?? ["text/html", ""];
    response.setHeader("content-type", type);
    if (file === "") response.end('<!doctype html><title>suite</title><script src="/page.mjs"></script>');
    else void readFile(file).then((bytes) => response.end(bytes));
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, close: () => server.close() };
}
