/** Root file systems with servers of this machine's own packages, as their images have them. */
import { execFileSync } from "node:child_process";
import { chownSync, cpSync, existsSync } from "node:fs";
import { join } from "node:path";
import { addProgram, busyboxRootfs, makeDirectory, makeFile } from "./rootfs.ts";

export interface ServerImage {
  readonly rootfs: string;
  readonly command: readonly string[];
  readonly writable: readonly string[];
}

const POSTGRES = "/usr/lib/postgresql/15";
const POSTGRES_FILES = "/usr/share/postgresql/15";
const WWW_DATA = 33;
export const POSTGRES_USER = 101;
const POSTGRES_GROUP = 104;

/** `null` where the program is there; else which package to install. */
export function lacks(program: "nginx" | "postgres" | "setpriv"): string | null {
  const [path, name] = {
    nginx: ["/usr/sbin/nginx", "nginx-light"],
    postgres: [`${POSTGRES}/bin/initdb`, "postgresql-15"],
    setpriv: ["/usr/bin/setpriv", "util-linux"],
  }[program] as [string, string];
  return existsSync(path) ? null : `needs ${name}`;
}

/** busybox, and util-linux's `setpriv` to become others with. */
export function manyUsersRootfs(): string {
  const root = busyboxRootfs("rooted");
  addProgram(root, "/usr/bin/setpriv");
  const users = [`www-data:x:${WWW_DATA}:${WWW_DATA}`, `postgres:x:${POSTGRES_USER}:${POSTGRES_GROUP}`];
  const passwd = ["root:x:0:0", ...users].map((user) => `${user}::/:/bin/sh\n`).join("");
  makeFile(join(root, "etc/passwd"), passwd);
  makeFile(join(root, "etc/group"), `root:x:0:\nwww-data:x:${WWW_DATA}:\npostgres:x:${POSTGRES_GROUP}:\n`);
  return root;
}

const NGINX = `user www-data;
worker_processes 2;
daemon off;
pid /run/nginx.pid;
error_log /dev/stderr;
events {}
http {
  access_log /dev/stdout;
  server {
    listen 80;
    root /www;
  }
}
`;

export function nginxRootfs(): ServerImage {
  const rootfs = manyUsersRootfs();
  addProgram(rootfs, "/usr/sbin/nginx");
  makeFile(join(rootfs, "etc/nginx.conf"), NGINX);
  // Readable by its owner alone, as uploads are.
  makeFile(join(rootfs, "www/index.html"), "hello of nginx\n", 0o600);
  chownSync(join(rootfs, "www/index.html"), WWW_DATA, WWW_DATA);
  const command = ["/usr/sbin/nginx", "-c", "/etc/nginx.conf"];
  return { rootfs, command, writable: ["/var/lib/nginx", "/var/log/nginx"] };
}

const DATA = "/var/lib/postgresql/data";
const AS_POSTGRES = `/usr/bin/setpriv --reuid ${POSTGRES_USER} --regid ${POSTGRES_GROUP} --clear-groups ${POSTGRES}/bin`;
// As its image does: root prepares the directory, then becomes the one who owns it.
const START_POSTGRES = `set -e
/bin/busybox mkdir ${DATA}
/bin/busybox chown ${POSTGRES_USER}:${POSTGRES_GROUP} ${DATA}
/bin/busybox chmod 700 ${DATA}
${AS_POSTGRES}/initdb -D ${DATA} -U postgres -A trust -E UTF8 --no-locale --no-sync
echo 'host all all 10.200.0.1/32 trust' >> ${DATA}/pg_hba.conf
exec ${AS_POSTGRES}/postgres -D ${DATA} -h 0.0.0.0 -k /tmp
`;

export function postgresRootfs(): ServerImage {
  const rootfs = manyUsersRootfs();
  for (const program of ["initdb", "postgres"]) addProgram(rootfs, `${POSTGRES}/bin/${program}`);
  for (const files of [`${POSTGRES}/lib`, POSTGRES_FILES]) cpSync(files, join(rootfs, files), { recursive: true });
  makeDirectory(join(rootfs, "var/lib/postgresql"));
  execFileSync("chmod", ["-R", "a+rX", join(rootfs, "usr")]);
  return { rootfs, command: ["sh", "-c", START_POSTGRES], writable: ["/var/lib/postgresql"] };
}
