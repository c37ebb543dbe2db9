/** Stands for the simulated device: measures, listens, and says so. Its file name says how it behaves. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync } from "node:fs";
import { createServer } from "node:net";

const value = (name) => process.argv[process.argv.indexOf(name) + 1];
const tell = (event) => console.log(JSON.stringify(event));
const behaviour = process.argv[1].split("/").at(-1).replace(".mjs", "");
const image = value("--image");

const hexOf = (digest) => digest.replace("sha256:", "");
const readBlob = (digest) => JSON.parse(readFileSync(`${image}/blobs/sha256/${hexOf(digest)}`, "utf8"));

/** Believes every digest and looks at no media type: what runs must be right even beside a device that is careless. */
function measure() {
  const index = JSON.parse(readFileSync(`${image}/index.json`, "utf8"));
  const { config } = readBlob(index.manifests[0].digest);
  const digests = [config.digest, ...readBlob(config.digest).rootfs.diff_ids].map(hexOf);
  const measured = createHash("sha384").update("blindbox-sim/1");
  for (const digest of digests) measured.update(digest, "hex");
  return measured.digest("hex");
}

/** Waits until the image is unpacked, and puts the one beside it in its place. */
async function exchangeImage() {
  while (!existsSync("image/blindbox/runtime.json")) await new Promise((resolve) => setTimeout(resolve, 20));
  renameSync(image, `${image}-before`);
  renameSync(`${image}-other`, image);
}

tell({ event: "device-started", pid: process.pid, environment: Object.keys(process.env).join(" ") });
if (process.argv.includes("--exit-with-parent")) process.stdin.resume().on("end", () => process.exit(0));
if (behaviour === "stubborn") process.on("SIGTERM", () => {});
if (behaviour === "brief") process.on("SIGUSR2", () => process.exit(9));
if (behaviour === "refusing") {
  tell({ event: "refused", code: "image-invalid", reason: "a blob is wrong", hint: "build the image again" });
  process.exit(1);
}
if (behaviour === "crashing") process.exit(3);
if (behaviour === "late") await exchangeImage();
const measurement = { mute: {}, other: { measurement: "0".repeat(96) } }[behaviour] ?? { measurement: measure() };
if (behaviour === "silent") setInterval(() => {}, 1000);
else createServer(() => {}).listen(value("--socket"), () => tell({ event: "listening", ...measurement }));
