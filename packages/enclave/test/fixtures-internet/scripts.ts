/** Scripts that run inside the sandbox, or in its network with more rights than it ever has. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { toolbox } from "./toolbox.ts";

/** A ClientHello to an allowed name's address that names somebody else. */
export function virtual(name: string, ...options: readonly string[]): string {
  const names = name === "" ? [] : ["-servername", name];
  const request = "printf 'GET /v1/x HTTP/1.1\\r\\nHost: api.allowed.test\\r\\n\\r\\n'; sleep 1";
  return `V=$(addr api.allowed.test); (${request}) | timeout 4 openssl s_client -quiet -connect $V:443 ${[...names, ...options].join(" ")}`;
}

/** Datagrams with a secret in them. */
export function outOf(protocol: "udp", address: string, ...ports: readonly string[]): string {
  const type = { udp: "SOCK_DGRAM" }[protocol];
  return `python3 -c "import socket
s=socket.socket(socket.AF_INET,socket.${type})
for p in (${ports.join(",")},):
    s.sendto(b'secret',('${address}',p))"`;
}

/** Sends exactly these bytes over TLS to the allowed host, and shows the answer's first line. `\\r\\n` as in Python. */
export function PYTHON_RAW(bytes: string): string {
  return `python3 -c "import socket,ssl
c=ssl.create_default_context()
s=c.wrap_socket(socket.create_connection(('api.allowed.test',443),5),server_hostname='api.allowed.test')
s.sendall(b'${bytes}')
s.settimeout(3)
try:
    print(s.recv(65536).split(b'\\r\\n')[0].decode())
except OSError as e:
    print(type(e).__name__)"`;
}

/** Runs a script of the host's programs in the application's network, as this machine's root; returns what it wrote. */
export function inAppNetwork(box: number, script: string): string {
  const args = ["-t", String(applicationOf(box)), "--net", "--", "sh", "-c", script];
  const done = spawnSync("nsenter", args, { encoding: "utf8" });
  if (done.error) throw done.error;
  return done.stdout;
}

/** Runs a script of the toolbox's programs in the box's network, as an app without any sandbox would. */
export function inBoxNetwork(network: string, script: string): void {
  const mounts = ["--ro-bind", toolbox(), "/", "--dev", "/dev", "--proc", "/proc"];
  const program = ["bwrap", ...mounts, "--die-with-parent", "/bin/busybox", "sh", "-c", script];
  spawnSync("ip", ["netns", "exec", network, ...program], { stdio: "ignore", timeout: 15_000 });
}

/** Process id, on this machine, of the server inside. */
export function applicationOf(box: number): number {
  const found = descendants(box).find((pid) => commandOf(pid).startsWith("python3\0/puppet.py"));
  if (found === undefined) throw new Error("the application does not run");
  return found;
}

function descendants(pid: number): number[] {
  const parents = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  const children = parents.filter((each) => parentOf(each) === pid);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

function parentOf(pid: number): number | null {
  try {
    return Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, "latin1"))?.[1]);
  } catch {
    return null;
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1");
  } catch {
    return "";
  }
}

/** How many processes of this machine still run the server. */
export function serversLeft(): number {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => commandOf(Number(pid)).startsWith("python3\0/puppet.py")).length;
}
