/** Stands for the enclave: the host in `--listen` says how it behaves. */
import { spawn } from "node:child_process";
import { connect } from "node:net";

const value = (name) => process.argv[process.argv.indexOf(name) + 1];
const tell = (event) => console.log(JSON.stringify(event));
const [behaviour] = value("--listen").split(":");

const facts = { arguments: process.argv.slice(2).join(" "), environment: Object.keys(process.env).join(" ") };
tell({ event: "started", pid: process.pid, directory: process.cwd(), program: process.execPath, ...facts });
if (process.argv.includes("--exit-with-parent")) process.stdin.resume().on("end", () => process.exit(0));
process.on("SIGTERM", () => {
  tell({ event: "stopping" });
  process.exit(0);
});

if (behaviour === "refuses") {
  tell({ event: "refused", code: "sandbox-failed", reason: "no namespaces here", hint: "allow them" });
  process.exit(1);
}
if (behaviour === "crashes") {
  console.error("Error: out of luck");
  process.exit(7);
}
if (behaviour === "family") {
  const child = spawn("/bin/sleep", ["1000"], { stdio: "ignore" });
  tell({ event: "child", pid: child.pid });
}
if (behaviour !== "silent") {
  console.log("a line that is no event");
  connect(value("--device"), () => tell({ event: "ready", listen: value("--listen"), driver: "unprivileged" }));
}
setInterval(() => {}, 1000);
