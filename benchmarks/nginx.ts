/** nginx as the gateway's peer: TLS 1.3 in front of the same application, one worker. Optional. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { mkdtemp, writeFile } from "node:fs/promises";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { createTlsIdentity } from "../packages/enclave/src/gateway/index.ts";
import { cpuOf } from "./cpu.ts";

export interface Nginx extends AsyncDisposable {
  readonly port: number;
  /** CPU time of its whole life in microseconds. */
  cpu(): Promise<number>;
}

export function isNginxInstalled(): boolean {
  return spawnSync("nginx", ["-v"], { stdio: "ignore" }).status === 0;
}

export async function startNginx(appPort: number): Promise<Nginx> {
  const folder = await mkdtemp(join(tmpdir(), "blindbox-nginx-"));
  const identity = await createTlsIdentity(Date.now());
  const port = await freePort();
  await writeFile(join(folder, "key.pem"), identity.key, { mode: 0o600 });
  await writeFile(join(folder, "certificate.pem"), identity.certificate);
  await writeFile(join(folder, "nginx.conf"), configuration(folder, port, appPort));
  const nginx = spawn("nginx", ["-p", folder, "-c", join(folder, "nginx.conf")], { stdio: "ignore" });
  const ended = once(nginx, "exit");
  const end = (): void => {
    nginx.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", end);
  await untilListening(port);
  return {
    port,
    cpu: () => cpuOf(nginx.pid ?? 0),
    async [Symbol.asyncDispose]() {
      process.off("exit", end);
      end();
      await ended;
    },
  };
}

// No master: one process, whose CPU is all there is. No access log, as in the box.
function configuration(folder: string, port: number, appPort: number): string {
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (kind) => `${kind}_temp_path ${folder}/${kind};`,
  );
  return `
    daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
    events { worker_connections 1024; }
    http {
      access_log off; ${paths.join(" ")}
      keepalive_requests 1000000;
      upstream app { server 127.0.0.1:${appPort}; keepalive 64; keepalive_requests 1000000; }
      server {
        listen 127.0.0.1:${port} ssl;
        ssl_certificate ${folder}/certificate.pem; ssl_certificate_key ${folder}/key.pem;
        ssl_protocols TLSv1.3; ssl_session_tickets off;
        location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; }
      }
    }`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function untilListening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const socket = connect(port, "127.0.0.1");
    try {
      await once(socket, "connect");
      return;
    } catch {
      await setTimeout(100);
    } finally {
      socket.destroy();
    }
  }
  throw new Error("nginx does not listen");
}
