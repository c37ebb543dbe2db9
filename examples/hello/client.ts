/**
 * Greets the box after it has proven what it runs: node client.ts https://127.0.0.1:8443 key.txt
 *
 * Reads what to compare with from ./hello.blindbox: the release that you accept, and the Manifest that you have read.
 */
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { AttestationError, SecureSession, simulated } from "@blindbox/client";
import { manifestDigest } from "@blindbox/manifest";

const [url, keyFile] = process.argv.slice(2);
if (url === undefined || keyFile === undefined) {
  console.error("usage: node client.ts URL KEY-FILE");
  process.exit(2);
}

const box = "hello.blindbox";
const state = process.env["XDG_STATE_HOME"] ?? join(homedir(), ".local", "state");

/** The text of an answer of the app. The box itself answers a caller whom its rules do not admit. */
async function textOf(response: Response): Promise<string> {
  if (response.status === 200) return response.text();
  throw new Error(`the box answered ${response.status}: is the key in ${keyFile} one that blindbox.yml admits?`);
}

try {
  const session = await SecureSession.connect(url, {
    release: readFileSync(join(box, "blindbox.release.json"), "utf8"),
    require: { manifest: await manifestDigest(readFileSync(join(box, "manifest.json"), "utf8")) },
    // The simulated TEE protects nothing: it is for trying out, and has to be accepted by name.
    tees: [simulated({ root: readFileSync(join(state, "blindbox", "simulated", "root.pem"), "utf8") })],
    credentials: { apiKey: readFileSync(keyFile, "utf8").trim() },
  });
  try {
    console.log(await textOf(await session.get("/")));
    console.log(await textOf(await session.post("/cgi-bin/echo", { body: "and back" })));
  } finally {
    await session.close();
  }
} catch (error) {
  const refused = error instanceof AttestationError ? `nothing was sent (${error.code}): ` : "";
  console.error(`${refused}${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
