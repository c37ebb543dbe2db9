/** Real programs inside the sandbox meet a certificate of the box's own authority. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { createServer, type Server } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EgressReceiver, SandboxSpec } from "../src/parts.ts";
import { createSandbox } from "../src/sandbox/index.ts";
import { whyNot } from "./fixtures-sandbox/availability.ts";
import { createArrivals } from "./fixtures-sandbox/receiver.ts";
import {
  addProgram,
  makeDirectory,
  makeFile,
  nodeRootfs,
  removeTemporary,
  temporaryDirectory,
} from "./fixtures-sandbox/rootfs.ts";
import { specFor } from "./fixtures-sandbox/start-box.ts";

const SITE = "198.18.0.7";
const STORE = "/etc/ssl/certs/ca-certificates.crt";
const tools = ["/usr/bin/openssl", "/usr/bin/curl"].filter((path) => !existsSync(path));
const reason = whyNot("rooted") ?? (tools.length === 0 ? null : `needs ${tools.join(" and ")}`);

describe(`a site whose certificate the box made${reason === null ? "" : ` (skipped: ${reason})`}`, () => {
  const check = test.skipIf(reason !== null);
  let site: Server;
  let authority: string;
  let rootfs: string;

  beforeAll(() => {
    if (reason !== null) return;
    const folder = temporaryDirectory();
    const at = (name: string) => join(folder, name);
    const openssl = (...args: string[]) => execFileSync("openssl", args, { stdio: "ignore" });
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    openssl("req", "-x509", ...key, "-keyout", at("ca.key"), "-out", at("ca.pem"), "-subj", "/CN=authority");
    const issuer = ["-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-addext", `subjectAltName=IP:${SITE}`];
    const leaf = ["-addext", "basicConstraints=critical,CA:FALSE", "-subj", "/CN=site"];
    openssl("req", "-x509", ...key, ...issuer, ...leaf, "-keyout", at("leaf.key"), "-out", at("leaf.pem"));
    authority = readFileSync(at("ca.pem"), "utf8");
    site = createServer({ cert: readFileSync(at("leaf.pem")), key: readFileSync(at("leaf.key")) });
    site.on("tlsClientError", () => {});
    site.on("secureConnection", (socket) => {
      socket.on("error", () => {});
      socket.end("HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\nhello\n");
    });
    rootfs = nodeRootfs("rooted");
    addProgram(rootfs, "/usr/bin/curl");
    makeDirectory(join(rootfs, "etc/ssl/certs"));
    makeFile(join(rootfs, STORE), "");
  });

  afterAll(removeTemporary);

  const run = async (command: string, more: Partial<SandboxSpec>): Promise<string> => {
    const receiver: EgressReceiver = {
      ...createArrivals(),
      listener: (server) => server.on("connection", (socket) => site.emit("connection", socket)),
    };
    const spec = specFor(rootfs, { command: ["sh", "-c", command], egressPorts: [443], ...more });
    const sandbox = await createSandbox(spec, "rooted", receiver);
    const app = await sandbox.start();
    const [out, errors] = await Promise.all([text(app.stdout), text(app.stderr), app.exited]);
    await sandbox.close();
    return out + errors;
  };

  const curl = `curl -sS https://${SITE}/`;
  const node = `node -e "require('https').get('https://${SITE}/',(r)=>r.pipe(process.stdout)).on('error',(e)=>console.log(e.code))"`;

  check("is trusted by curl and Node, without a word in the Manifest", async () => {
    for (const command of [curl, node]) expect(await run(command, { trust: authority })).toBe("hello\n");
  });

  check("is trusted by a program that looks at no variable, but where its image keeps its roots", async () => {
    const plain = `/bin/busybox env -i /usr/bin/curl -sS --cacert ${STORE} https://${SITE}/`;
    expect(await run(plain, { trust: authority })).toBe("hello\n");
  });

  check("is trusted by nobody where the box says nothing, or the Manifest names another store", async () => {
    expect(await run(node, { trust: null })).toMatch(/^(UNABLE_TO|SELF_SIGNED)/);
    expect(await run(curl, { trust: null })).toMatch(/curl: \((60|77)\)/);
    const env = { PATH: "/usr/bin:/bin", CURL_CA_BUNDLE: "/etc/hosts", SSL_CERT_FILE: "/etc/hosts" };
    expect(await run(curl, { trust: authority, env })).toMatch(/curl: \((60|77)\)/);
  });
});
