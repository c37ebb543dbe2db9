/** A box that is accepted, with an application of the test's own: the command goes all the way, on any machine. */
import { writeFileSync } from "node:fs";
import type { RequestListener } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import type { TLSSocket } from "node:tls";
import { EVIDENCE_MEDIA_TYPE, EVIDENCE_PATH, parseAttestationRequest } from "@blindbox/attestation";
import { formatRelease } from "@blindbox/release";
import { onTestFinished } from "vitest";
import { evidenceFor, makeWorld } from "../../client/test/fake-box/index.ts";
import { emptyDirectory } from "./command.ts";

export interface AttestedBox {
  readonly url: string;
  /** A directory with what the flags name. */
  readonly cwd: string;
  /** What makes the command accept this box. */
  readonly flags: readonly string[];
}

/** Starts a box around `app`; it is gone after the test. */
export async function attestedBox(app: RequestListener): Promise<AttestedBox> {
  const world = await makeWorld();
  const attest: RequestListener = (request, response) =>
    void buffer(request).then(async (body) => {
      const socket = request.socket as TLSSocket;
      const { nonce } = parseAttestationRequest(body.toString());
      const exporter = new Uint8Array(socket.exportKeyingMaterial(32, "EXPORTER-Channel-Binding", Buffer.alloc(0)));
      const text = await evidenceFor(world, { nonce, exporter, socket, connection: 0 });
      response.writeHead(200, { "content-type": EVIDENCE_MEDIA_TYPE, "content-length": Buffer.byteLength(text) });
      return response.end(text);
    });
  const { key, cert } = world.identity;
  const server = createServer({ key, cert, minVersion: "TLSv1.3", ALPNProtocols: ["http/1.1"] }, (request, response) =>
    (request.url === EVIDENCE_PATH ? attest : app)(request, response),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const cwd = emptyDirectory();
  writeFileSync(join(cwd, "release.json"), formatRelease(world.release));
  writeFileSync(join(cwd, "root.pem"), world.vendor.rootPem);
  const flags = ["--release", "release.json", "--manifest", world.manifestDigest, "--simulated=root.pem"];
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, cwd, flags };
}

/** What {@link echo} says of a request. */
export interface Arrived {
  readonly length: string | undefined;
  readonly type: string | undefined;
  /** Hexadecimal. */
  readonly body: string;
  readonly url: string | undefined;
}

/** An application that answers with what it was sent. */
export const echo: RequestListener = (request, response) =>
  void buffer(request).then((body) => {
    const { "content-length": length, "content-type": type } = request.headers;
    return response.end(JSON.stringify({ length, type, body: body.toString("hex"), url: request.url }));
  });

/** An application that counts what it is sent, and keeps none of it. */
export const count: RequestListener = (request, response) => {
  let bytes = 0;
  request.on("data", (chunk: Buffer) => (bytes += chunk.length)).on("end", () => response.end(`${bytes}\n`));
};
