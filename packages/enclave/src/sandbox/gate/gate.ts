/** The supervisor's end of the gate. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { Socket } from "node:net";
import type { EgressReceiver } from "../../parts.ts";
import { SandboxError } from "../errors.ts";
import { PRCTL, SECUREBITS_NO_ROOT } from "../kernel/constants.ts";
import { coreLimit, setLimit } from "../limits/rlimits.ts";
import type { Namespaces } from "../namespaces.ts";
import { APP_ADDRESS } from "../network/addresses.ts";
import { CLOSE_ON_EXEC, FIRST_DESCRIPTOR, LAST_DESCRIPTOR, REPORT, spawnProgram } from "../program/run.ts";
import { must, type Step, text, vector } from "../program/steps.ts";
import { enter } from "../programs.ts";
import { gateFile } from "./file.ts";
import { Listeners } from "./listeners.ts";
import type { DialRequest, GateConfiguration, GateMessage } from "./messages.ts";

export interface GateOptions {
  readonly scratch: string;
  readonly namespaces: Namespaces;
  /** Where the application listens. */
  readonly port: number;
}

export interface Gate {
  /**
   * A socket connected to the application, as it was made: nothing was read from it.
   *
   * @throws SandboxError `dial-failed` where the application does not accept, `gate-down` where the gate is gone.
   */
  dial(): Promise<Socket>;
  /**
   * Opens what the application may dial, and gives it to `receiver`; once, when the gate's network is there. All of it is
   * closed when the gate is gone.
   *
   * @throws SandboxError `network-setup-failed`
   */
  listen(ports: readonly number[], receiver: EgressReceiver): Promise<void>;
  /** Resolves when the gate is gone, for whatever reason. */
  readonly gone: Promise<void>;
  close(): Promise<void>;
}

/** Milliseconds. The supervisor waits a little longer than the gate, so that the gate's reason arrives. */
const CONNECT_DEADLINE = 5_000;
const DIAL_DEADLINE = 6_000;
const START_DEADLINE = 10_000;

const KILL = 9;
const CHANNEL = FIRST_DESCRIPTOR;
const OUTER_USER: number = CHANNEL + 1;
const GATE_NETWORK: number = CHANNEL + 2;

/** @throws SandboxError `gate-down` where it does not start. */
export async function startGate({ scratch, namespaces, port }: GateOptions): Promise<Gate> {
  const configuration: GateConfiguration = { host: APP_ADDRESS, port, connectDeadline: CONNECT_DEADLINE };
  const child = spawnProgram(scratch, gateSteps(configuration), {
    stdio: ["ignore", "ignore", "ignore"],
    descriptors: ["ipc", namespaces.outerUser, namespaces.gateNetwork],
  });
  const dials = new Dials(child);
  const listeners = new Listeners(child);
  const gone = ending(child, listeners, dials);
  const deadline = setTimeout(() => child.kill("SIGKILL"), START_DEADLINE);
  const started = await Promise.race([once(child, "message").then(() => true), gone.then(() => false)]);
  clearTimeout(deadline);
  if (!started) throw gateDown();
  const listen: Gate["listen"] = (ports, receiver) => listeners.open(ports, receiver);
  return { dial: () => dials.dial(), listen, gone, close: () => close(child, gone) };
}

// It needs no capability, so it keeps none, neither now nor by execve; and no descriptor but its channel. Its id is the
// box's, not the outer root's: what the kernel counts for each user, the application of `rooted` cannot use up for it.
function gateSteps(configuration: GateConfiguration): Step[] {
  const argv = [process.execPath, "--disable-sigusr1", gateFile(), JSON.stringify(configuration)];
  const env = [`NODE_CHANNEL_FD=${CHANNEL}`, "NODE_CHANNEL_SERIALIZATION_MODE=json"];
  return [
    ...enter(OUTER_USER, GATE_NETWORK),
    setLimit(0, coreLimit()),
    must("prctl", PRCTL.secureBits, SECUREBITS_NO_ROOT, 0, 0, 0),
    must("prctl", PRCTL.noNewPrivileges, 1, 0, 0, 0),
    // The channel's end ends it too, but Node does not tell of that while a socket on its way was not acknowledged.
    must("prctl", PRCTL.parentDeathSignal, KILL, 0, 0, 0),
    must("close_range", OUTER_USER, LAST_DESCRIPTOR, 0),
    must("close_range", REPORT, REPORT, CLOSE_ON_EXEC),
    must("execve", text(process.execPath), vector(argv), vector(env)),
  ];
}

async function ending(child: ChildProcess, listeners: Listeners, dials: Dials): Promise<void> {
  await once(child, "exit");
  listeners.close();
  dials.fail();
}

async function close(child: ChildProcess, gone: Promise<void>): Promise<void> {
  if (child.connected) child.disconnect();
  const deadline = setTimeout(() => child.kill("SIGKILL"), DIAL_DEADLINE);
  await gone;
  clearTimeout(deadline);
}

interface Waiting {
  readonly resolve: (socket: Socket) => void;
  readonly reject: (error: SandboxError) => void;
}

/** The dials under way, by their number. */
class Dials {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;

  constructor(child: ChildProcess) {
    this.#child = child;
    child.on("message", (message, handle) => this.#answer(message as GateMessage, handle));
    child.on("error", () => {});
  }

  dial(): Promise<Socket> {
    if (!this.#child.connected) return Promise.reject(gateDown());
    const id = this.#next++;
    const { promise, resolve, reject } = Promise.withResolvers<Socket>();
    const deadline = setTimeout(() => this.#take(id)?.reject(dialFailed("ETIMEDOUT")), DIAL_DEADLINE);
    this.#waiting.set(id, { resolve, reject });
    this.#child.send({ dial: id } satisfies DialRequest, (error) => {
      if (error) this.#take(id)?.reject(gateDown());
    });
    return promise.finally(() => clearTimeout(deadline));
  }

  /** No answer will come any more. */
  fail(): void {
    for (const id of this.#waiting.keys()) this.#take(id)?.reject(gateDown());
  }

  #answer(message: GateMessage, handle: unknown): void {
    if (!("dial" in message)) return;
    const socket = handle instanceof Socket ? handle : undefined;
    const waiting = this.#take(message.dial);
    if (!waiting) socket?.destroy();
    else if (socket) waiting.resolve(socket);
    else waiting.reject(dialFailed(message.connected ? "ECONNRESET" : message.code));
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }
}

function dialFailed(code: string): SandboxError {
  return new SandboxError("dial-failed", `the application does not accept (${code})`, "Does it listen on `app.port`?");
}

function gateDown(): SandboxError {
  return new SandboxError("gate-down", "the way to the application is gone", "It is made anew with the application.");
}
