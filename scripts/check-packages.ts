/** Checks each package as npm would publish it: entries, module kind, files. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { publint } from "publint";
import { formatMessage } from "publint/utils";

const packages = fileURLToPath(new URL("../packages", import.meta.url));
let problems = 0;

for (const entry of readdirSync(packages, { withFileTypes: true })) {
  if (!entry.isDirectory()) continue;
  const { messages, pkg } = await publint({ pkgDir: join(packages, entry.name), level: "warning", pack: false });
  for (const message of messages) console.log(`${entry.name}: ${formatMessage(message, pkg) ?? message.code}`);
  problems += messages.length;
}
process.exit(problems === 0 ? 0 : 1);
