/** The simulated TEE's device: a process apart from the box, which the box reaches through a unix socket only. */
import { openIdentities } from "./keys.ts";
import { measureImage } from "./image.ts";
import { createSilicon, type Silicon } from "./silicon.ts";
import { listenAt } from "./socket.ts";

/** Absolute paths. */
export interface DeviceOptions {
  /** OCI image layout folder of the image that is run. */
  readonly image: string;
  readonly socket: string;
  /** Folder of the simulated vendor's keys. */
  readonly state: string;
  readonly silicon: Silicon;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface Device {
  /** 48 bytes. */
  readonly measurement: Uint8Array;
  close(): Promise<void>;
}

/**
 * Measures the image, opens or makes the keys, and listens.
 *
 * @throws DeviceError where one of these cannot be done; it does not listen then.
 */
export async function createDevice({ image, socket, state, silicon, now }: DeviceOptions): Promise<Device> {
  const measurement = await measureImage(image);
  const identities = await openIdentities(state, now());
  const server = await listenAt(socket, createSilicon({ silicon, identities, measurement, now }));
  return {
    measurement,
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}
