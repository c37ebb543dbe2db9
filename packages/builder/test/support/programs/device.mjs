/** Stands for the simulated device: listens, and says so. Its file name says how it behaves. */
import { createServer } from "node:net";

const value = (name) => process.argv[process.argv.indexOf(name) + 1];
const tell = (event) => console.log(JSON.stringify(event));
const behaviour = process.argv[1].split("/").at(-1).replace(".mjs", "");

tell({ event: "device-started", pid: process.pid, environment: Object.keys(process.env).join(" ") });
if (process.argv.includes("--exit-with-parent")) process.stdin.resume().on("end", () => process.exit(0));
if (behaviour === "stubborn") process.on("SIGTERM", () => {});
if (behaviour === "refusing") {
  tell({ event: "refused", code: "image-invalid", reason: "a blob is wrong", hint: "build the image again" });
  process.exit(1);
}
if (behaviour === "crashing") process.exit(3);
if (behaviour === "silent") setInterval(() => {}, 1000);
else createServer(() => {}).listen(value("--socket"), () => tell({ event: "listening" }));
if (behaviour === "brief") process.on("SIGUSR2", () => process.exit(9));
