/** An internet of network namespaces, a box beside it, and the same application in it, beside it, and behind squid. */
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Egress } from "@blindbox/manifest";
import type { Setting } from "../packages/enclave/test/fixtures-internet/box.ts";
import { sourceProgram, spawnIn } from "../packages/enclave/test/fixtures-internet/internet.ts";
import { RESOLVER } from "../packages/enclave/test/fixtures-internet/names.ts";
import { createNetworks } from "../packages/enclave/test/fixtures-internet/namespaces.ts";
import { nodeRootfs, removeTemporary, temporaryDirectory } from "../packages/enclave/test/fixtures-sandbox/rootfs.ts";
import type { Order } from "./egress-load.ts";
import type { OriginReady } from "./egress-origin.ts";
import { type LineChild, talkTo } from "./line-child.ts";
import { isSquidInstalled, startSquid } from "./squid.ts";

/** One way for the application to go out. */
export interface Way {
  /** The process between the application and the internet; null where there is none. */
  readonly between: number | null;
  /** Milliseconds that it took. */
  send(order: Pick<Order, "what" | "count" | "atOnce">): Promise<number>;
}

export interface World extends AsyncDisposable {
  readonly direct: Way;
  /** Null where it is not installed. */
  readonly squid: Way | null;
  readonly passthrough: Way;
  readonly verified: Way;
}

const names = { passthrough: "passthrough.test", verified: "verified.test" };
const path = "/usr/bin:/bin:/usr/sbin:/sbin";

export async function startWorld(): Promise<World> {
  await using started = new AsyncDisposableStack();
  started.defer(removeTemporary);
  process.once("exit", removeTemporary);
  const networks = createNetworks(`${process.pid}-benchmark`);
  const remove = (): void => networks.remove();
  process.once("exit", remove);
  started.defer(() => {
    process.off("exit", remove);
    remove();
  });
  const { root, pem } = started.use(await startOrigin(networks.internet)).ready;
  const rootfs = makeRootfs();
  const box = started.use(await startBox(networks.box, rootfs, rulesFor(root)));
  const outside = started.use(await startOutside(networks.box, rootfs));
  const squid = isSquidInstalled() ? started.use(await startSquid(networks.box, names.passthrough)) : null;
  const way = (
    app: LineChild<unknown>,
    between: number | null,
    where: Pick<Order, "host" | "proxy" | "authority">,
  ) => ({
    between,
    send: (order: Pick<Order, "what" | "count" | "atOnce">) => send(app, { ...order, ...where }),
  });
  const plain = { host: names.passthrough, proxy: null, authority: pem };
  const authority = box.ready.authority ?? "";
  const all = started.move();
  return {
    direct: way(outside, null, plain),
    squid: squid && way(outside, squid.pid, { ...plain, proxy: squid.port }),
    passthrough: way(box, box.pid, plain),
    verified: way(box, box.pid, { host: names.verified, proxy: null, authority }),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

function startOrigin(network: string): Promise<LineChild<OriginReady>> {
  const program = fileURLToPath(new URL("egress-origin.ts", import.meta.url));
  const args = ["--conditions=blindbox-source", program, ...Object.values(names)];
  return talkTo<OriginReady>(spawnIn(network, process.execPath, args));
}

function makeRootfs(): string {
  const rootfs = nodeRootfs("rooted");
  copyFileSync(fileURLToPath(new URL("egress-load.ts", import.meta.url)), join(rootfs, "load.ts"));
  writeFileSync(join(rootfs, "etc/resolv.conf"), "");
  return rootfs;
}

function rulesFor(root: string): readonly Egress[] {
  const verified = { mode: "verified", websocket: false, pins: [], roots: [root] } as const;
  return [
    { ...verified, host: names.verified, ports: [443], methods: ["GET", "POST"], paths: ["/**"] },
    { mode: "passthrough", host: names.passthrough, ports: [443] },
  ];
}

async function startBox(
  network: string,
  rootfs: string,
  egress: readonly Egress[],
): Promise<LineChild<{ readonly authority: string | null }>> {
  const scratch = join(temporaryDirectory(), "s");
  mkdirSync(scratch);
  const spec: Setting["spec"] = {
    rootfs,
    command: ["/usr/bin/node", "/load.ts", "serve"],
    env: { PATH: path },
    workingDir: "/",
    user: { uid: 1000, gid: 1000 },
    users: "one",
    writable: [],
    resources: { memory: 2 ** 30, cpus: 2000, processes: 128, tmp: 2 ** 24 },
    port: 80,
    scratch,
  };
  const setting: Setting = { driver: "rooted", egress, spec };
  const args = [...sourceProgram("box.ts"), JSON.stringify(setting)];
  const box = await talkTo<{ readonly authority: string | null }>(spawnIn(network, process.execPath, args));
  await box.ask("start");
  return box;
}

/** The application without a box: the same files and program, in the network that the box is in. */
function startOutside(network: string, rootfs: string): Promise<LineChild<unknown>> {
  const resolver = join(temporaryDirectory(), "resolv.conf");
  writeFileSync(resolver, `nameserver ${RESOLVER}\n`);
  const mounts = [
    "--ro-bind",
    rootfs,
    "/",
    "--dev",
    "/dev",
    "--proc",
    "/proc",
    "--ro-bind",
    resolver,
    "/etc/resolv.conf",
  ];
  const args = [...mounts, "--unshare-pid", "--die-with-parent", "--", "/usr/bin/node", "/load.ts"];
  return talkTo(spawnIn(network, "bwrap", args));
}

const patience = 50;

/** Tries again while the application inside does not listen yet. */
async function send(app: LineChild<unknown>, order: Order): Promise<number> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const { taken, failed } = await app.ask<{ taken?: number; failed?: string }>("ask", JSON.stringify(order));
      if (taken === undefined) throw new Error(`${order.host}, ${order.what}: ${failed}`);
      return taken;
    } catch (error) {
      if (attempt === patience || !/dial-failed|does not accept/.test(String(error))) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
