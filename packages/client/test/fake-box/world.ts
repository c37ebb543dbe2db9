/** A vendor, a release and a Manifest that agree, and a client's options for them. */
import { digest, formatSha256, toHex, utf8 } from "@blindbox/encoding";
import { type Tee } from "@blindbox/attestation";
import { formatRelease, type Release } from "@blindbox/release";
import type { SessionOptions } from "../../src/index.ts";
import { makeVendor, type Vendor } from "./vendor.ts";
import { type TlsIdentity, makeIdentity } from "./identity.ts";

export const apiKey: string = `bb_${"k".repeat(43)}`;

/** Everything that is true in a test; a box lies by saying something else. */
export interface World {
  readonly vendor: Vendor;
  readonly identity: TlsIdentity;
  readonly measurement: Uint8Array;
  readonly manifest: string;
  readonly manifestDigest: string;
  readonly release: Release;
  readonly tee: Tee;
}

/** Most tests need no Manifest but one that has a digest: this one is no whole Manifest. */
const anyManifest = '{"name":"transcriber","type":"blindbox-manifest/1"}';

export async function makeWorld(manifest: string = anyManifest): Promise<World> {
  const vendor = await makeVendor();
  const manifestDigest = await sha256(manifest);
  const measurement = new Uint8Array(48).fill(7);
  const release = await makeRelease(manifestDigest, toHex(measurement));
  return { vendor, identity: await makeIdentity(), measurement, manifest, manifestDigest, release, tee: vendor.tee };
}

export async function sha256(text: string): Promise<string> {
  return formatSha256(await digest("SHA-256", utf8(text)));
}

export async function makeRelease(manifest: string, measurement: string, version = "1.0.0"): Promise<Release> {
  const release: Release = {
    type: "blindbox-release/1",
    product: "transcriber",
    channel: "stable",
    version,
    sequence: 1,
    runtime: {
      type: "blindbox-runtime/1",
      version: "0.1.0",
      tee: "simulated",
      bundle: await sha256("bundle"),
      node: await sha256("node"),
    },
    app: { image: await sha256("image") },
    manifest,
    referenceValues: [{ tee: "simulated", registers: { measurement } }],
    previous: null,
  };
  formatRelease(release);
  return release;
}

/** Options of a session that accepts the world's honest box. */
export function optionsFor(world: World, changes: Partial<SessionOptions> = {}): SessionOptions {
  return {
    release: world.release,
    tees: [world.tee],
    require: { manifest: world.manifestDigest },
    credentials: { apiKey },
    ...changes,
  };
}
