/** A thousand callers who want fresh Evidence at the same moment, and a TEE device that takes 50 ms for a report. */
import { randomBytes } from "node:crypto";
import type { TLSSocket } from "node:tls";
import {
  createVerifier,
  EVIDENCE_MEDIA_TYPE,
  EVIDENCE_PATH,
  EXPORTER_LABEL,
  formatAttestationRequest,
  simulated,
  strictPolicy,
  type Verifier,
} from "@blindbox/attestation";
import { parseRelease, referenceTuples } from "@blindbox/release";
import { cutAnswer } from "./answer.ts";
import type { BoxReady } from "./box-program.ts";
import { bounded } from "./bounded.ts";
import { type Setup, startSetup } from "./box.ts";
import { percentile } from "./statistics.ts";
import { printResults, type Result } from "./table.ts";
import { openTls } from "./tls.ts";

const callers = 1000;
const deviceMs = 50;
const rounds = 5;
/** Handshakes, and later verifications, under way at once: neither is measured. */
const atOnce = 32;

export async function measureChallengeBatching(): Promise<Result> {
  await using setup = await startSetup({ deviceMs });
  const { box } = setup;
  const warmUp = await measureRound(box);
  await verifyAll(await makeVerifier(box.ready), warmUp.exchanges);
  const measured: Round[] = [];
  for (let round = 0; round < rounds; round += 1) measured.push(await measureRound(box));
  return {
    name: "challenge batching",
    method: `${rounds} rounds of ${callers} fresh attestations, each over its own TLS connection, handshakes done before; a device that takes ${deviceMs} ms, one gateway, one client process, warm; from the write of a request to the last byte of its answer`,
    rows: rowsOf(measured),
  };
}

interface Round {
  /** How often the device was asked. */
  readonly reports: number;
  readonly exchanges: readonly Exchange[];
}

interface Exchange {
  readonly nonce: Uint8Array;
  readonly exporter: Uint8Array;
  readonly tlsSpki: Uint8Array;
  readonly document: Uint8Array;
  /** Milliseconds. */
  readonly taken: number;
}

async function measureRound(box: Setup["box"]): Promise<Round> {
  const sockets = await openAll(box.ready.port);
  const before = await box.reports();
  const exchanges = await exchangeAll(sockets);
  const reports = (await box.reports()) - before;
  for (const socket of sockets) socket.destroy();
  return { reports, exchanges };
}

async function makeVerifier({ rootPem, release }: BoxReady): Promise<Verifier> {
  return createVerifier({
    tees: [simulated({ root: rootPem })],
    referenceValues: await referenceTuples(parseRelease(release)),
    policy: strictPolicy,
    now: () => new Date(),
  });
}

async function openAll(port: number): Promise<TLSSocket[]> {
  const sockets: TLSSocket[] = [];
  while (sockets.length < callers) {
    const batch = Array.from({ length: Math.min(atOnce, callers - sockets.length) }, () => openTls(port));
    sockets.push(...(await Promise.all(batch)));
  }
  return sockets;
}

interface Prepared {
  readonly socket: TLSSocket;
  readonly request: string;
  readonly nonce: Uint8Array;
  readonly exporter: Uint8Array;
  readonly tlsSpki: Uint8Array;
}

/** Everything that can be made before the clock starts is made before. */
function exchangeAll(sockets: readonly TLSSocket[]): Promise<Exchange[]> {
  const prepared = sockets.map((socket): Prepared => {
    const nonce = new Uint8Array(randomBytes(32));
    return { socket, request: requestFor(nonce), nonce, exporter: exporterOf(socket), tlsSpki: peerKeyOf(socket) };
  });
  return Promise.all(prepared.map(exchange));
}

function requestFor(nonce: Uint8Array): string {
  const body = formatAttestationRequest({ binding: "tls-exporter", nonce });
  const head = [`POST ${EVIDENCE_PATH} HTTP/1.1`, "host: 127.0.0.1", `accept: ${EVIDENCE_MEDIA_TYPE}`];
  return [...head, "content-type: application/json", `content-length: ${body.length}`, "", body].join("\r\n");
}

async function exchange({ socket, request, ...facts }: Prepared): Promise<Exchange> {
  const started = performance.now();
  socket.write(request);
  const document = await readDocument(socket);
  return { ...facts, document, taken: performance.now() - started };
}

function exporterOf(socket: TLSSocket): Uint8Array {
  return new Uint8Array(socket.exportKeyingMaterial(32, EXPORTER_LABEL, Buffer.alloc(0)));
}

function peerKeyOf(socket: TLSSocket): Uint8Array {
  const key = socket.getPeerX509Certificate()?.publicKey.export({ type: "spki", format: "der" });
  if (key === undefined) throw new Error("a connection without a certificate");
  return new Uint8Array(key);
}

function readDocument(socket: TLSSocket): Promise<Uint8Array> {
  const done = Promise.withResolvers<Uint8Array>();
  let received: Buffer = Buffer.alloc(0);
  const onData = (chunk: Buffer): void => {
    received = Buffer.concat([received, chunk]);
    const answer = cutAnswer(received);
    if (answer?.status === 200) done.resolve(new Uint8Array(answer.body));
    else if (answer !== null) done.reject(new Error(`status ${answer.status} instead of Evidence`));
  };
  socket.on("data", onData).once("close", () => done.reject(new Error("a connection was closed")));
  return done.promise.finally(() => socket.off("data", onData));
}

/** Fewer reports are worth nothing unless every caller's own nonce and connection are in the one that it got. */
async function verifyAll(verifier: Verifier, exchanges: readonly Exchange[]): Promise<void> {
  for (let at = 0; at < exchanges.length; at += atOnce) {
    await Promise.all(exchanges.slice(at, at + atOnce).map((each) => verifyOne(verifier, each)));
  }
}

async function verifyOne(verifier: Verifier, { nonce, exporter, tlsSpki, document }: Exchange): Promise<void> {
  const channel = { binding: "tls-exporter", exporter } as const;
  const { status, findings } = await verifier.verify({ document, nonce, channel, peerKey: { tlsSpki } });
  const check = findings.find((finding) => finding.status === "failed")?.check;
  if (status === "contraindicated") throw new Error(`Evidence that does not verify: ${check ?? "nothing failed"}`);
}

function rowsOf(measured: readonly Round[]): Result["rows"] {
  const reports = measured.map((round) => round.reports);
  const times = (percent: number): string => {
    const values = measured.map(({ exchanges }) =>
      percentile(
        exchanges.map(({ taken }) => taken),
        percent,
      ),
    );
    return `${percentile(values, 50).toFixed(0)} ms (rounds: ${values.map((value) => value.toFixed(0)).join(", ")})`;
  };
  return [
    {
      measured: "reports asked of the device",
      result: `${percentile(reports, 50)} (rounds: ${reports.join(", ")})`,
      target: "≤ 3",
    },
    { measured: "exchange, p50", result: times(50) },
    { measured: "exchange, p99", result: times(99) },
  ];
}

if (import.meta.main) printResults([await bounded(measureChallengeBatching)]);
