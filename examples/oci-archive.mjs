#!/usr/bin/env node
/**
 * Writes an OCI archive of one layer, the same bytes each time for the same input:
 *
 *   node oci-archive.mjs --layer rootfs.tar --out image.tar [--user 1000:1000] [--env NAME=VALUE]… -- COMMAND [ARGUMENT]…
 */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, statSync } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { parseArgs } from "node:util";

const BLOCK = 512;
const EPOCH = "1970-01-01T00:00:00Z";
const MEDIA = "application/vnd.oci.image";
const ARCHITECTURES = { x64: "amd64", arm64: "arm64" };

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

async function fileSha256(path) {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest("hex");
}

/** A ustar header of a plain file or, for a name that ends in "/", of a folder; time 0, owner root. */
function tarHeader(name, size) {
  const header = Buffer.alloc(BLOCK);
  const isFolder = name.endsWith("/");
  header.write(name, 0, 100);
  header.write(isFolder ? "0000755\0" : "0000644\0", 100);
  header.write("0000000\0".repeat(2), 108);
  header.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  header.write("00000000000\0", 136);
  header.write(" ".repeat(8), 148);
  header.write(isFolder ? "5" : "0", 156);
  header.write("ustar\u000000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}

async function* tarArchive(entries) {
  for (const { name, size, content } of entries) {
    yield tarHeader(name, size);
    yield* content;
    yield Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
  }
  yield Buffer.alloc(2 * BLOCK);
}

const folder = (name) => ({ name, size: 0, content: [] });
const file = (name, bytes) => ({ name, size: bytes.length, content: [bytes] });
const json = (value) => Buffer.from(JSON.stringify(value));
const descriptor = (kind, digest, size) => ({ mediaType: `${MEDIA}.${kind}`, digest: `sha256:${digest}`, size });

function imageConfig({ command, env, user, diffId }) {
  return json({
    created: EPOCH,
    architecture: ARCHITECTURES[process.arch] ?? process.arch,
    os: "linux",
    config: { User: user, Env: env, Cmd: command, WorkingDir: "/" },
    rootfs: { type: "layers", diff_ids: [`sha256:${diffId}`] },
    history: [{ created: EPOCH, created_by: "oci-archive.mjs" }],
  });
}

/** The entries of the archive, blobs sorted by digest. */
async function imageEntries({ layer, ...settings }) {
  const layerSize = statSync(layer).size;
  const diffId = await fileSha256(layer);
  const config = imageConfig({ ...settings, diffId });
  const manifest = json({
    schemaVersion: 2,
    mediaType: `${MEDIA}.manifest.v1+json`,
    config: descriptor("config.v1+json", sha256(config), config.length),
    layers: [descriptor("layer.v1.tar", diffId, layerSize)],
  });
  const index = { schemaVersion: 2, manifests: [descriptor("manifest.v1+json", sha256(manifest), manifest.length)] };
  const blobs = [
    file(`blobs/sha256/${sha256(config)}`, config),
    file(`blobs/sha256/${sha256(manifest)}`, manifest),
    { name: `blobs/sha256/${diffId}`, size: layerSize, content: createReadStream(layer) },
  ].sort((a, b) => (a.name < b.name ? -1 : 1));
  return [
    folder("blobs/"),
    folder("blobs/sha256/"),
    ...blobs,
    file("index.json", json(index)),
    file("oci-layout", json({ imageLayoutVersion: "1.0.0" })),
  ];
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    layer: { type: "string" },
    out: { type: "string" },
    user: { type: "string", default: "1000:1000" },
    env: { type: "string", multiple: true, default: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"] },
  },
});
if (values.layer === undefined || values.out === undefined || positionals.length === 0) {
  console.error("usage: oci-archive.mjs --layer ROOTFS.tar --out IMAGE.tar [--user UID:GID] [--env N=V]… -- COMMAND…");
  process.exit(2);
}
const entries = await imageEntries({ layer: values.layer, command: positionals, env: values.env, user: values.user });
await pipeline(Readable.from(tarArchive(entries)), createWriteStream(values.out));
