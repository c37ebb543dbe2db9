import { readFileSync } from "node:fs";
import { parseManifestSource, resolveManifest } from "@blindbox/manifest/source";
import { expect, it } from "vitest";
import { IMAGE, SMALL_YAML } from "./documents.ts";

const page = readFileSync(new URL("../../../docs/manifest.md", import.meta.url), "utf8");
const blocks = Array.from(page.matchAll(/^```yaml\n([\s\S]*?)^```$/gm), ([, text]) => text ?? "");

it("docs/manifest.md shows every mode, and no Manifest that would be refused", () => {
  const manifests = blocks.map((text) => {
    const rest = text.startsWith("access:") ? SMALL_YAML.replace(/^access:.*\n/m, "") : SMALL_YAML;
    const whole = text.startsWith("blindbox: 1") ? text : `${rest}${text}`;
    return resolveManifest(parseManifestSource(whole, { format: "yaml" }).manifest, IMAGE);
  });
  const modes = manifests.flatMap(({ egress }) => egress.map(({ mode }) => mode));
  expect(new Set(modes)).toEqual(new Set(["verified", "passthrough", "http", "tcp"]));
});
