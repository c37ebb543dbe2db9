/** A simulated device within the test's own process, with whatever silicon the test wants. */
import { join } from "node:path";
import type { EvidenceProvider } from "../src/parts.ts";
import {
  createDevice,
  createSimulatedProvider,
  currentSilicon,
  type Device,
  type Silicon,
} from "../src/simulated/index.ts";
import { type OciImage, temporaryFolder, writeImage } from "./oci-image.ts";

export interface DeviceFixture {
  readonly device: Device;
  readonly provider: EvidenceProvider;
  readonly image: OciImage;
  readonly state: string;
  readonly socket: string;
}

export interface DeviceFixtureOptions {
  readonly silicon?: Partial<Silicon>;
  readonly state?: string;
  readonly now?: () => number;
}

export async function startDevice(options: DeviceFixtureOptions = {}): Promise<DeviceFixture> {
  const image = await writeImage();
  const folder = await temporaryFolder();
  const [socket, state] = [join(folder, "socket/device.sock"), options.state ?? join(folder, "state")];
  const device = await createDevice({
    image: image.folder,
    socket,
    state,
    silicon: { ...currentSilicon, ...options.silicon },
    now: options.now ?? Date.now,
  });
  return { device, provider: createSimulatedProvider(socket), image, state, socket };
}
