/** Run as a program of its own: opens a session, uses it once, and forgets about it. */
import { simulated } from "@blindbox/attestation";
import { SecureSession } from "@blindbox/client";
import { apiKey } from "./world.ts";

const { url, release, manifest, root } = JSON.parse(process.argv[2] ?? "") as Record<string, string>;
const session = await SecureSession.connect(url ?? "", {
  release: release ?? "",
  tees: [simulated({ root: root ?? "" })],
  require: { manifest: manifest ?? "" },
  credentials: { apiKey },
});
process.stdout.write("attested\n");
const response = await session.get("/");
process.stdout.write(`${await response.text()}\n`);
await SecureSession.connect(url ?? "", {
  release: release ?? "",
  tees: [simulated({ root: root ?? "" })],
  require: { manifest: manifest ?? "" },
  credentials: { anonymous: true },
});
