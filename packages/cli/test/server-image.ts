/** An image of Debian's own nginx and PostgreSQL, whose programs start as root and change to other users. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("../../..", import.meta.url));

const PACKAGES = "nginx-light,postgresql-15,postgresql-client-15,busybox-static,util-linux";

/** Workers belong to www-data, as Debian has it. */
const NGINX = `user www-data;
worker_processes 2;
pid /run/nginx.pid;
error_log stderr;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path /var/lib/nginx/body;
  server { listen 80; location / { default_type text/plain; return 200 "nginx says hello\\n"; } }
}
`;

/** As the official image does it: root makes the place, gives it away, and starts the server as its user. */
const POSTGRES = `set -e
bin=/usr/lib/postgresql/15/bin
user="/usr/bin/setpriv --reuid=postgres --regid=postgres --clear-groups"
mkdir -p /var/lib/postgresql/data && chown postgres:postgres /var/lib/postgresql /var/lib/postgresql/data
chmod 700 /var/lib/postgresql/data
$user $bin/initdb -D /var/lib/postgresql/data -A trust -U postgres >/dev/null
$user $bin/postgres -D /var/lib/postgresql/data -c unix_socket_directories= -c listen_addresses=127.0.0.1 &
exec busybox httpd -f -p 80 -h /www
`;

const QUERY = `#!/bin/sh
printf 'content-type: text/plain\\r\\n\\r\\n'
exec /usr/lib/postgresql/15/bin/psql -h 127.0.0.1 -U postgres -Atc "select 6*7, usename from pg_stat_activity where usename is not null limit 1" 2>&1
`;

const inputs = createHash("sha256").update(PACKAGES).update(NGINX).update(POSTGRES).update(QUERY);

/** Path of the archive. Made once, which takes about half a minute. */
export function serverImage(): string {
  const cache = join(repository, ".cache/test");
  const path = join(cache, `servers-${inputs.copy().digest("hex").slice(0, 16)}.tar`);
  if (existsSync(path)) return path;
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(tmpdir(), "blindbox-image-"));
  try {
    make(join(work, "root"), work);
    const archive = join(repository, "examples/oci-archive.mjs");
    execFileSync(process.execPath, [archive, "--layer", join(work, "root.tar"), "--out", `${path}.new`, "--", "nginx"]);
    renameSync(`${path}.new`, path);
    return path;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function make(root: string, work: string): void {
  const options = ["--quiet", "--variant=extract", `--include=${PACKAGES}`, "bookworm", root];
  execFileSync("mmdebstrap", options, { stdio: ["ignore", "ignore", "inherit"] });
  rmSync(join(root, "dev"), { recursive: true, force: true });
  for (const folder of ["dev", "proc", "sys", "run", "tmp", "www/cgi-bin"]) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  // What the packages' install scripts would do.
  const accounts =
    "root:x:0:0::/:/bin/sh\nwww-data:x:33:33::/:/bin/false\npostgres:x:999:999::/var/lib/postgresql:/bin/sh\n";
  writeFileSync(join(root, "etc/passwd"), accounts);
  writeFileSync(join(root, "etc/group"), "root:x:0:\nwww-data:x:33:\npostgres:x:999:\n");
  execFileSync("sh", ["-c", `cd "${root}" && [ -e bin/sh ] || ln -s busybox bin/sh`]);
  writeFileSync(join(root, "nginx.conf"), NGINX);
  writeFileSync(join(root, "postgres.sh"), POSTGRES);
  writeFileSync(join(root, "www/cgi-bin/query"), QUERY);
  chmodSync(join(root, "www/cgi-bin/query"), 0o755);
  execFileSync("tar", [
    "--create",
    "--file",
    join(work, "root.tar"),
    "--format=ustar",
    "--exclude=./usr/share/doc",
    "--exclude=./usr/share/locale",
    "--directory",
    root,
    ".",
  ]);
}
