/** Entry of the simulated device's process. */
import { parseArgs } from "node:util";
import { resolve } from "node:path";
import { toHex } from "@blindbox/encoding";
import { createEventWriter } from "../../events.ts";
import { onParentEnd } from "../../parent.ts";
import { createDevice, type Device, type DeviceOptions } from "./device.ts";
import { DeviceError } from "./device-error.ts";
import { currentSilicon } from "./silicon.ts";

const usage = "main.mjs --image IMAGE_DIR --socket PATH --state DIR [--exit-with-parent]";
const onEvent = createEventWriter(process.stdout);

try {
  const { options, exitWithParent } = readArguments(process.argv.slice(2));
  const device = await createDevice(options);
  closeOnEnd(device, exitWithParent);
  // Whoever unpacks the image compares: what runs has to be what was measured.
  onEvent({ event: "listening", measurement: toHex(device.measurement) });
} catch (error) {
  if (!(error instanceof DeviceError)) throw error;
  onEvent({ event: "refused", code: error.code, reason: error.message, hint: error.hint });
  process.exitCode = error.code === "arguments-invalid" ? 2 : 1;
}

interface DeviceArguments {
  readonly options: DeviceOptions;
  readonly exitWithParent: boolean;
}

function readArguments(argv: readonly string[]): DeviceArguments {
  const { image, socket, state, "exit-with-parent": exitWithParent } = parse(argv);
  if (!image || !socket || !state) throw new DeviceError("arguments-invalid", "an option is missing", usage);
  const paths = { image: resolve(image), socket: resolve(socket), state: resolve(state) };
  return { options: { ...paths, silicon: currentSilicon, now: Date.now }, exitWithParent: exitWithParent === true };
}

interface ParsedArguments {
  readonly image?: string;
  readonly socket?: string;
  readonly state?: string;
  readonly "exit-with-parent"?: boolean;
}

function parse(argv: readonly string[]): ParsedArguments {
  const path = { type: "string" as const };
  const options = { image: path, socket: path, state: path, "exit-with-parent": { type: "boolean" as const } };
  try {
    return parseArgs({ args: [...argv], options, strict: true }).values;
  } catch {
    throw new DeviceError("arguments-invalid", "expected only --image, --socket and --state, each with a value", usage);
  }
}

function closeOnEnd(device: Device, exitWithParent: boolean): void {
  const close = (): void => void device.close().then(() => process.exit(0));
  process.once("SIGTERM", close);
  process.once("SIGINT", close);
  if (exitWithParent) onParentEnd(close);
}
