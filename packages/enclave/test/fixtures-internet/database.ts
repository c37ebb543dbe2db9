/** A real PostgreSQL with TLS in the fake internet. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "../fixtures-sandbox/rootfs.ts";
import type { Issued } from "./certificates.ts";
import { SITES } from "./names.ts";
import { toolbox } from "./toolbox.ts";

const OWNER = 999;

/** Runs until it is killed. `certified` is what it shows; `log` gets what it writes. */
export async function startDatabase(network: string, certified: Issued): Promise<ChildProcess> {
  const files = temporaryDirectory();
  mkdirSync(join(files, "tls"));
  writeFileSync(join(files, "tls/key.pem"), certified.key);
  writeFileSync(join(files, "tls/cert.pem"), certified.cert);
  chmodSync(join(files, "tls"), 0o755);
  const binaries = "/usr/lib/postgresql/15/bin";
  const script = [
    `${binaries}/initdb -D /tmp/data -A trust -U postgres >/dev/null`,
    "cp /tls/key.pem /tls/cert.pem /tmp/data/ && chmod 600 /tmp/data/key.pem",
    "echo 'hostssl all all all trust' > /tmp/data/pg_hba.conf",
    `exec ${binaries}/postgres -D /tmp/data -c listen_addresses=${SITES.database} -c unix_socket_directories= -c ssl=on -c ssl_key_file=key.pem -c ssl_cert_file=cert.pem -c log_connections=on`,
  ];
  const inside = ["--unshare-user", "--uid", String(OWNER), "--gid", String(OWNER), "--die-with-parent"];
  const mounts = ["--ro-bind", toolbox(), "/", "--tmpfs", "/tmp", "--dev", "/dev", "--proc", "/proc"];
  const tls = ["--ro-bind", join(files, "tls"), "/tls", "--setenv", "LC_ALL", "C", "--setenv", "TZ", "UTC"];
  const child = spawn(
    "nsenter",
    [
      `--net=/run/netns/${network}`,
      "--",
      "bwrap",
      ...inside,
      ...mounts,
      ...tls,
      "--",
      "/bin/busybox",
      "sh",
      "-ec",
      script.join("\n"),
    ],
    { env: { PATH: "/usr/bin:/bin:/usr/sbin:/sbin" }, stdio: ["ignore", "inherit", "pipe"] },
  );
  let log = "";
  const ready = Promise.withResolvers<void>();
  child.stderr.on("data", (chunk: Buffer) => {
    log += chunk.toString();
    if (log.includes("ready to accept connections")) ready.resolve();
  });
  void once(child, "exit").then(() => ready.reject(new Error(`the database did not start: ${log}`)));
  await ready.promise;
  return child;
}
