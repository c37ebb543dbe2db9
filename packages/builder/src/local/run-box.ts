/** Runs a box on this machine against the simulated device: for trying out, and for tests. */
import { join, resolve } from "node:path";
import { simulatedMeasurement } from "@blindbox/measure";
import { toHex } from "@blindbox/encoding";
import { boxRoot } from "../box/box-entries.ts";
import { boxFiles, checkBoxDirectory } from "../box/box-directory.ts";
import { type UnpackedImage, unpackImage } from "../box/unpack-image.ts";
import { BuildError, naming } from "../build-error.ts";
import { checkMembers } from "../options.ts";
import { type BoxDocuments, checkBoxDocuments, readBoxDocuments } from "./box-documents.ts";
import type { BoxEvent } from "./box-event.ts";
import { Child } from "./child.ts";
import { createRunDirectory, type RunDirectory, unusableState } from "./run-directory.ts";
import { RunError } from "./run-error.ts";

/** What is run, and where. */
export interface RunOptions {
  /** Path of `<name>.blindbox`. */
  readonly boxDir: string;
  /** Where the box listens: `HOST:PORT`; port 0 takes a free one. */
  readonly listen: string;
  /** The state directory of BlindBox: `simulated/` (the device's keys) and `runs/` are in it. */
  readonly stateDir: string;
  /** How the sandbox is made; `auto` takes the strongest that this machine allows. */
  readonly driver: "auto" | "rooted" | "unprivileged";
  /** Path of the simulated device's program, which runs on this process's own Node. */
  readonly deviceMain: string;
  /**
   * Resolvers that the box asks for the addresses of allowed hosts: 1 to 4 of `ADDRESS` or `ADDRESS:PORT`, IPv6 in
   * brackets. Left out: the machine's.
   */
  readonly resolvers?: readonly string[];
  /** Told every event of box and device, and `release-differs`, see `runBox`. Left out: nobody is. */
  readonly onEvent?: (event: BoxEvent) => void;
  /** Stops the box, also while it starts. Left out: only `stop` does. */
  readonly signal?: AbortSignal;
}

/** A box that is ready for requests. */
export interface RunningBox {
  /** `https://HOST:PORT`. */
  readonly url: string;
  /** Path of the certificate of the simulated root, for `simulated({ root })`. */
  readonly rootPem: string;
  /** Ends box and device and removes what they had on disk; requests under way are finished first. */
  stop(): Promise<void>;
  /** Resolves when the box is gone, for whatever reason; by then nothing of it is left. */
  readonly exited: Promise<BoxExit>;
}

/** Why a box is gone. */
export interface BoxExit {
  readonly cause: "stopped" | "box-exited" | "device-exited";
  /** Exit code of the process that ended; null when a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
}

const members = {
  required: ["boxDir", "listen", "stateDir", "driver", "deviceMain"],
  optional: ["resolvers", "onEvent", "signal"],
};

/** The box itself gives requests 20 s and the application 5 s. */
const boxGraceMs = 30_000;
const deviceGraceMs = 2_000;

/** Linux: 108 bytes with the zero at the end (unix(7)). */
const maxSocketPath = 107;

/** A run from its first process to its last file. */
class LocalRun {
  readonly #options: RunOptions;
  readonly #directory: RunDirectory;
  readonly #documents: BoxDocuments;
  readonly #ending: AbortController = new AbortController();
  #unpacking: Promise<UnpackedImage> | null = null;
  #device: Child | null = null;
  #box: Child | null = null;
  #ended: Promise<void> | null = null;

  constructor(options: RunOptions, directory: RunDirectory, documents: BoxDocuments) {
    this.#options = options;
    this.#directory = directory;
    this.#documents = documents;
  }

  /** Starts device and box and waits for the event `ready`. */
  async start(): Promise<BoxEvent> {
    const device = this.#startDevice();
    this.#unpacking = this.#unpack();
    const [listening, unpacked] = await Promise.all([device.next("listening"), this.#unpacking]);
    await checkMeasured(listening, unpacked);
    await this.#checkDocuments(listening);
    this.#ending.signal.throwIfAborted();
    const box = this.#startBox();
    const deviceEnd = device.exited.then((exit) => Promise.reject(device.failure(exit)));
    return Promise.race([box.next("ready"), deviceEnd]);
  }

  /** Resolves with the first process that ends by itself. */
  firstExit(): Promise<BoxExit> {
    const exits = [this.#box, this.#device].flatMap((child) => {
      if (child === null) return [];
      return [child.exited.then((exit) => ({ cause: `${child.name}-exited` as const, ...exit }))];
    });
    return Promise.race(exits);
  }

  /** Ends all processes, the box first, and removes the directory. */
  end(): Promise<void> {
    this.#ended ??= this.#tearDown();
    return this.#ended;
  }

  async #tearDown(): Promise<void> {
    this.#ending.abort();
    await this.#unpacking?.catch(() => {});
    await this.#box?.stop(boxGraceMs);
    await this.#device?.stop(deviceGraceMs);
    await this.#directory.remove();
  }

  async #checkDocuments({ measurement }: BoxEvent): Promise<void> {
    const { boxDir, onEvent } = this.#options;
    await naming(boxDir, () => checkBoxDocuments(this.#documents, this.#image));
    const values = this.#documents.release.referenceValues;
    if (values.some(({ registers }) => registers["measurement"] === measurement)) return;
    onEvent?.({ event: "release-differs" });
  }

  get #image(): string {
    return join(this.#directory.path, "image");
  }

  get #socket(): string {
    return join(this.#directory.path, "device.sock");
  }

  async #unpack(): Promise<UnpackedImage> {
    const { boxDir, driver } = this.#options;
    const isRoot = process.getuid?.() === 0;
    // Without root the sandbox has one user, to whom every file must belong that it is to read.
    const preserveOwners = isRoot && driver !== "unprivileged";
    const { signal } = this.#ending;
    const image = join(boxDir, boxFiles.image);
    try {
      return await naming(boxDir, () => unpackImage(image, this.#image, { preserveOwners, signal }));
    } catch (error) {
      if (!(error instanceof BuildError) || error.code !== "output-unusable") throw error;
      throw unusableState(resolve(this.#options.stateDir), error.actual);
    }
  }

  #startDevice(): Child {
    const { boxDir, stateDir, deviceMain, onEvent } = this.#options;
    const state = join(resolve(stateDir), "simulated");
    const image = resolve(boxDir, boxFiles.image);
    const flags = ["--image", image, "--socket", this.#socket, "--state", state, "--exit-with-parent"];
    this.#device = new Child({
      name: "device",
      program: process.execPath,
      arguments: [resolve(deviceMain), ...flags],
      directory: this.#directory.path,
      onEvent: onEvent ?? (() => {}),
    });
    return this.#device;
  }

  #startBox(): Child {
    const { listen, driver, resolvers, onEvent } = this.#options;
    const root = join(this.#image, boxRoot);
    const scratch = join(this.#directory.path, "scratch");
    const where = ["--root", root, "--listen", listen, "--device", this.#socket, "--scratch", scratch];
    const network = resolvers === undefined ? [] : ["--resolver", resolvers.join(",")];
    this.#box = new Child({
      name: "box",
      program: join(root, "node"),
      arguments: [join(root, "enclave", "main.mjs"), ...where, ...network, "--driver", driver, "--exit-with-parent"],
      directory: this.#directory.path,
      onEvent: onEvent ?? (() => {}),
    });
    return this.#box;
  }
}

/** Device and unpacking each read the image for themselves, and the directory may have changed in between. */
async function checkMeasured({ measurement }: BoxEvent, unpacked: UnpackedImage): Promise<void> {
  if (measurement === toHex(await simulatedMeasurement(unpacked))) return;
  throw new RunError("measurement-differs", {
    reason: "the image that was unpacked is not the one that the device measured",
    hint: "something changed the box while it was started: build it again, where nobody else can write to it",
  });
}

function checkSocketPath(directory: RunDirectory): void {
  const length = Buffer.byteLength(join(directory.path, "device.sock"));
  if (length <= maxSocketPath) return;
  throw new RunError("path-too-long", {
    reason: `the device's socket would have a path of ${length} bytes; Linux takes ${maxSocketPath}`,
    hint: "choose a shorter state directory (XDG_STATE_HOME)",
  });
}

/** The sandbox would say the same, but only after the image was unpacked, and in words for a root that lacks something. */
function checkDriver({ driver }: RunOptions): void {
  if (driver !== "rooted" || process.geteuid?.() === 0) return;
  throw new RunError("driver-unavailable", {
    reason: "the rooted sandbox needs root, and this is an ordinary user",
    hint: "leave out the driver, or take `unprivileged`; or start as root",
  });
}

/** Settles like `work`, or rejects with the signal's reason as soon as it is aborted. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort);
  if (signal.aborted) abort();
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function running(run: LocalRun, ready: BoxEvent, options: RunOptions): RunningBox {
  const stopped = Promise.withResolvers<BoxExit>();
  const exited = Promise.race([stopped.promise, run.firstExit()]).then(async (exit) => {
    await run.end();
    return exit;
  });
  const stop = async (): Promise<void> => {
    stopped.resolve({ cause: "stopped", code: null, signal: null });
    await exited;
  };
  options.signal?.addEventListener("abort", () => void stop(), { once: true });
  return {
    url: `https://${String(ready["listen"])}`,
    rootPem: join(resolve(options.stateDir), "simulated", "root.pem"),
    stop,
    exited,
  };
}

async function readBox(boxDir: string): Promise<BoxDocuments> {
  await checkBoxDirectory(boxDir);
  return readBoxDocuments(boxDir);
}

/**
 * Starts the simulated device and the box, and resolves when the box is ready. The image is unpacked, verified, into a
 * private directory below the state directory, and is started only when it is what the device measured. Processes and directory are gone after `stop`, after either process
 * ended, and after an error; when this process itself is killed, both processes see their standard input end and exit.
 *
 * Throws a BuildError for a box that is none, whose image is damaged, or whose Manifest or release are not those of its
 * image, a RunError when device or box refuse or end, when the device measured something else, and for a state directory
 * that is open to others or cannot be used, and the signal's reason when aborted. Throws a TypeError for missing or unknown
 * options. A box whose release names another measurement than the device's starts, since whoever runs a box decides
 * nothing: clients do, and refuse it. `onEvent` is told by the event `release-differs`.
 *
 * @example
 * const box = await runBox({ boxDir: "hello.blindbox", listen: "127.0.0.1:8443", stateDir, driver: "auto", deviceMain });
 * await box.stop();
 */
export async function runBox(options: RunOptions): Promise<RunningBox> {
  checkMembers("runBox", options, members);
  options.signal?.throwIfAborted();
  checkDriver(options);
  const documents = await naming(options.boxDir, () => readBox(options.boxDir));
  const directory = await createRunDirectory(resolve(options.stateDir));
  const run = new LocalRun(options, directory, documents);
  try {
    checkSocketPath(directory);
    const ready = await unlessAborted(run.start(), options.signal);
    return running(run, ready, options);
  } catch (error) {
    await run.end();
    throw error;
  }
}
