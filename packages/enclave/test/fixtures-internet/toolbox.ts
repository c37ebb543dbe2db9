/** A Debian image with the programs that applications go out with, and a server that runs what the test sends it. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PACKAGES =
  "python3-minimal,libpython3-stdlib,python3-requests,curl,openssl,libatomic1,libstdc++6,ca-certificates,postgresql-15,postgresql-client-15,busybox-static";

/** Runs a script that arrives in the body, and answers with its status and what it wrote. */
const SERVER = `
import http.server, json, subprocess
class Puppet(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        script = self.rfile.read(int(self.headers.get("content-length") or 0)) if "content-length" in self.headers else self.chunked()
        try:
            done = subprocess.run(["/bin/busybox", "sh", "-c", script.decode()], capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
            answer = {"status": done.returncode, "out": done.stdout.decode("utf-8", "replace"), "err": done.stderr.decode("utf-8", "replace")}
        except subprocess.TimeoutExpired as expired:
            answer = {"status": -1, "out": "", "err": "timeout"}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def chunked(self):
        body = b""
        while True:
            size = int(self.rfile.readline(), 16)
            body += self.rfile.read(size)
            self.rfile.readline()
            if size == 0:
                return body
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("0.0.0.0", 80), Puppet).serve_forever()
`;

export const TOOLBOX_COMMAND: readonly string[] = ["python3", "/puppet.py"];

const repository = fileURLToPath(new URL("../../../..", import.meta.url));

/** Path of the root file system. Made once for each set of packages, which takes about half a minute. */
export function toolbox(): string {
  const inputs = createHash("sha256").update(PACKAGES).update(SERVER).update(process.version);
  const path = join(repository, ".cache/test", `toolbox-${inputs.digest("hex").slice(0, 16)}`);
  if (existsSync(path)) return path;
  const draft = `${path}.${process.pid}`;
  mkdirSync(join(repository, ".cache/test"), { recursive: true });
  try {
    make(draft);
    renameSync(draft, path);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return path;
}

function make(root: string): void {
  execFileSync("mmdebstrap", ["--quiet", "--variant=extract", `--include=${PACKAGES}`, "bookworm", root], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  rmSync(join(root, "dev"), { recursive: true, force: true });
  for (const folder of ["dev", "proc", "sys", "tmp", "run", "tls", "etc/ssl/certs"])
    mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, "puppet.py"), SERVER);
  writeFileSync(join(root, "etc/passwd"), "root:x:0:0::/:/bin/sh\npostgres:x:999:999::/tmp:/bin/sh\n");
  writeFileSync(join(root, "etc/group"), "root:x:0:\npostgres:x:999:\n");
  copyFileSync(process.execPath, join(root, "usr/bin/node"));
  chmodSync(join(root, "usr/bin/node"), 0o755);
  // What the packages' install scripts would make.
  execFileSync("sh", [
    "-c",
    `cat "${root}"/usr/share/ca-certificates/mozilla/*.crt > "${root}/etc/ssl/certs/ca-certificates.crt"`,
  ]);
  if (!existsSync(join(root, "bin/sh"))) symlinkSync("busybox", join(root, "bin/sh"));
  for (const applet of ["nslookup", "nc", "wget", "ping", "ip", "telnet", "timeout"]) {
    if (!existsSync(join(root, "usr/bin", applet))) symlinkSync("/bin/busybox", join(root, "usr/bin", applet));
  }
}
