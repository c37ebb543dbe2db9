/**
 * Sends a recording to the transcriber after its box has proven what it runs, and prints the text:
 *
 *   node client.ts https://127.0.0.1:8443 speech.wav key.txt
 *
 * Reads what to compare with from ./transcriber.blindbox: the release that you accept, and the Manifest that you have read.
 */
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { AttestationError, SecureSession, simulated } from "@blindbox/client";
import { manifestDigest } from "@blindbox/manifest";

const [url, recording, keyFile] = process.argv.slice(2);
if (url === undefined || recording === undefined || keyFile === undefined) {
  console.error("usage: node client.ts URL RECORDING.wav KEY-FILE");
  process.exit(2);
}

const box = "transcriber.blindbox";
const state = process.env["XDG_STATE_HOME"] ?? join(homedir(), ".local", "state");

try {
  const session = await SecureSession.connect(url, {
    release: readFileSync(join(box, "blindbox.release.json"), "utf8"),
    require: { manifest: await manifestDigest(readFileSync(join(box, "manifest.json"), "utf8")) },
    // The simulated TEE protects nothing: it is for trying out, and has to be accepted by name.
    tees: [simulated({ root: readFileSync(join(state, "blindbox", "simulated", "root.pem"), "utf8") })],
    credentials: { apiKey: readFileSync(keyFile, "utf8").trim() },
  });
  try {
    const form = new FormData();
    form.append("audio", new Blob([readFileSync(recording)]), basename(recording));
    const response = await session.post("/transcribe", { body: form });
    console.log(response.status, await response.text());
    if (response.status !== 200) process.exitCode = 1;
  } finally {
    await session.close();
  }
} catch (error) {
  const refused = error instanceof AttestationError ? `nothing was sent (${error.code}): ` : "";
  console.error(`${refused}${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
