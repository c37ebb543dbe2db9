import { fileURLToPath } from "node:url";

/**
 * Path of the gate's program. In a bundle, where all files lie side by side as `.mjs`, it is `gate.mjs` beside the one that
 * this is part of; otherwise it is `main` in this folder, as TypeScript or compiled.
 */
export function gateFile(from: string = import.meta.url): string {
  const name = from.endsWith(".mjs") ? "gate.mjs" : from.endsWith(".ts") ? "main.ts" : "main.js";
  return fileURLToPath(new URL(name, from));
}
