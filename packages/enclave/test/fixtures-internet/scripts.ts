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

/** Asks the box's DNS for other types than addresses; shows type, code and number of answers of each. */
export function QUESTIONS(name: string, ...types: readonly number[]): string {
  return `python3 -c "import socket,struct
n=b''.join(bytes([len(l)])+l.encode() for l in '${name}'.split('.'))+b'\\0'
s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)
s.settimeout(3)
for t in (${types.join(",")},):
    s.sendto(struct.pack('>6H',7,256,1,0,0,0)+n+struct.pack('>2H',t,1),('10.200.0.1',53))
    a=s.recv(512)
    print(t,a[3]&15,struct.unpack('>H',a[6:8])[0])"`;
}

/**
 * Sends a ClientHello made by hand to the allowed name's address: in one record, in records of seven bytes, or with the
 * extension of a hidden name. Shows how it was answered.
 */
export function HELLO(form: "whole" | "pieces" | "hidden", ...names: readonly string[]): string {
  return `V=$(addr api.allowed.test); python3 -c "import os,socket,struct
def vector(n,b): return len(b).to_bytes(n,'big')+b
def extension(t,b): return struct.pack('>H',t)+vector(2,b)
names=b''.join(b'\\0'+vector(2,n.encode()) for n in ${JSON.stringify(names).replaceAll('"', "'")})
key=bytes.fromhex('0900000000000000000000000000000000000000000000000000000000000000')
extensions=extension(0,vector(2,names))+extension(43,vector(1,b'\\3\\4'))+extension(10,vector(2,b'\\0\\x1d'))
extensions+=extension(13,vector(2,b'\\4\\3'))+extension(51,vector(2,b'\\0\\x1d'+vector(2,key)))
if '${form}'=='hidden': extensions+=extension(0xfe0d,b'\\0\\0\\1\\0\\1\\7'+vector(2,os.urandom(32))+vector(2,os.urandom(64)))
body=b'\\3\\3'+os.urandom(32)+b'\\0'+vector(2,b'\\x13\\1')+b'\\1\\0'+vector(2,extensions)
message=b'\\1'+vector(3,body)
size=7 if '${form}'=='pieces' else 16384
records=[b'\\x16\\3\\1'+vector(2,message[i:i+size]) for i in range(0,len(message),size)]
s=socket.create_connection(('$V',443),5)
s.setsockopt(socket.IPPROTO_TCP,socket.TCP_NODELAY,1)
try:
    for r in records: s.sendall(r)
    print('handshake' if s.recv(1)==b'\\x16' else 'other')
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
