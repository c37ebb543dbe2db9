/**
 * `@evervault/attestation-bindings` as a program of its own: it judges by the machine's clock alone, so the benchmark starts
 * it under `faketime`, at a moment in which an archived document was valid. Prints milliseconds, one a verification.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { name } from "../../packages/attestation/test/der.ts";
import { certificate, curveKeys } from "../../packages/attestation/test/vendor.ts";

interface Evervault {
  attestEnclave(certificate: Buffer, expectedPcrs: readonly object[], document: Buffer): boolean;
}

const [documentFile = "", rounds = "0"] = process.argv.slice(2);
const require = createRequire(fileURLToPath(new URL("../peers/node_modules/x.cjs", import.meta.url)));
const peer = require("@evervault/attestation-bindings") as Evervault;
const document = readFileSync(documentFile);

// The peer wants a TLS certificate whose key the document names: any that carries it will do, signed by whomever.
const spkiStart = Buffer.from("3059301306072a8648ce3d020106082a8648ce3d030107034200", "hex");
const at = document.indexOf(spkiStart);
const spki = new Uint8Array(document.subarray(at, at + 91));
const issuer = { subject: name("issuer"), keys: curveKeys("P-256") };
const tls = certificate({ issuer, subject: name("box"), keys: { ...issuer.keys, spki } });

const samples: number[] = [];
for (let round = 0; round < Number(rounds); round += 1) {
  const start = process.hrtime.bigint();
  if (!peer.attestEnclave(Buffer.from(tls), [{}], document)) throw new Error("refused");
  samples.push(Number(process.hrtime.bigint() - start) / 1e6);
}
process.stdout.write(JSON.stringify(samples));
