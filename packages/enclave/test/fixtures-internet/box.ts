/**
 * A process that holds what a box holds of its application: sandbox and way out, in the box's network. It does what it is
 * told, a line of JSON each.
 */
import { request } from "node:http";
import { createInterface } from "node:readline";
import { createEgressDecider, type Egress } from "@blindbox/manifest";
import { createEgress } from "../../src/egress/index.ts";
import type { AppProcess, DriverChoice, SandboxSpec } from "../../src/parts.ts";
import { createSandbox } from "../../src/sandbox/index.ts";
import { RESOLVER } from "./names.ts";

export interface Setting {
  readonly spec: Omit<SandboxSpec, "egressPorts" | "trust">;
  readonly driver: DriverChoice;
  readonly egress: readonly Egress[];
}

interface Order {
  readonly id: number;
  readonly operation: string;
  readonly argument: string;
}

const { spec, driver, egress } = JSON.parse(process.argv[2] ?? "null") as Setting;

try {
  await serve();
} catch (error) {
  say({ error: String(error) });
  process.exit(1);
}

async function serve(): Promise<void> {
  const room = await createEgress({
    manifest: { egress },
    resolvers: [RESOLVER],
    now: Date.now,
    monotonic: () => performance.now(),
    onEvent: (event) => say({ event }),
  });
  const { ports: egressPorts } = createEgressDecider({ egress });
  const sandbox = await createSandbox({ ...spec, egressPorts, trust: room.authority }, driver, room.receiver);
  let app: AppProcess | null = null;
  let output = "";
  const operations: Readonly<Record<string, (argument: string) => Promise<unknown>>> = {
    selfTest: () => sandbox.selfTest(),
    start: async () => {
      app = await sandbox.start();
      for (const stream of [app.stdout, app.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
    },
    output: () => Promise.resolve(output),
    exited: async () => app?.exited,
    ask: (body) => ask(body),
    ledger: () => Promise.resolve(JSON.parse(room.ledger())),
    head: () => Promise.resolve(room.ledgerHead()),
    readKeys: async (url) => Buffer.from(await room.readKeys(url)).toString(),
    memory: () => Promise.resolve(process.memoryUsage().rss),
    close: async () => {
      await sandbox.close();
      await room.close();
    },
  };
  const ask = async (body: string): Promise<unknown> => {
    const socket = await sandbox.dial();
    const answer = Promise.withResolvers<unknown>();
    const call = request(
      { method: "POST", path: "/", headers: { host: "app" }, createConnection: () => socket },
      (reply) => {
        let text = "";
        reply.on("data", (chunk: Buffer) => (text += chunk.toString()));
        reply.on("end", () => answer.resolve(JSON.parse(text)));
        reply.on("error", answer.reject);
      },
    );
    call.on("error", answer.reject).end(body);
    return answer.promise;
  };
  say({ ready: true, authority: room.authority });
  for await (const line of createInterface(process.stdin)) {
    const { id, operation, argument } = JSON.parse(line) as Order;
    void answer(id, async () => operations[operation]?.(argument));
  }
}

async function answer(id: number, work: () => Promise<unknown>): Promise<void> {
  try {
    say({ id, result: (await work()) ?? null });
  } catch (error) {
    say({ id, error: String(error) });
  }
}

function say(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
