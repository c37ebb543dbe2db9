import { execFileSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { bundles } from "./bundle-enclave.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

function files(): string[] {
  return Object.keys(bundles).flatMap((folder) => {
    const path = join(root, "packages/cli/assets", folder);
    return readdirSync(path).map((name) => `${folder}/${name} ${statSync(join(path, name)).ino}`);
  });
}

test("bundling what has not changed leaves every file as it is, for whoever reads it at that moment", () => {
  execFileSync("node", ["scripts/bundle-enclave.ts"], { cwd: root });
  const before = files();
  execFileSync("node", ["scripts/bundle-enclave.ts"], { cwd: root });
  expect(files()).toEqual(before);
  const names = Object.entries(bundles).flatMap(([folder, entries]) =>
    Object.keys(entries).map((name) => `${folder}/${name}.mjs`),
  );
  expect(new Set(before.map((file) => file.split(" ")[0]))).toEqual(new Set(names));
});
