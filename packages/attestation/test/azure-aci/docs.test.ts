import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { azureUvm, FAILURE_CODES } from "@blindbox/attestation";
import { uvmIssuers } from "../../src/azure-aci/roots.ts";
import { endorsed } from "./endorse.ts";
import { mintUvm } from "./vendor.ts";

const page = readFileSync(new URL("../../../../docs/tees/azure-aci.md", import.meta.url), "utf8");

test("the page about Azure's container instances names every check, every register, and the pins", async () => {
  const { findings } = await endorsed(mintUvm().bytes);
  const pins = uvmIssuers.flatMap(({ did, rootSha256 }) => [did, rootSha256]);
  const named = [...findings.map(({ check }) => check), ...Object.keys(azureUvm().shape), ...pins];
  expect(named.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});

test("the page about Azure's container instances names no code that there is not", () => {
  const table = page.slice(page.indexOf("| field | check | code |"), page.indexOf("Guest policy and privilege"));
  const codes = table
    .split("\n")
    .flatMap((row) => [...(row.split("|")[3] ?? "").matchAll(/`([a-z-]+)`/g)].map(([, code]) => code));
  expect(codes.length).toBeGreaterThan(10);
  expect(codes.filter((code) => !FAILURE_CODES.some((known) => known === code))).toEqual([]);
});
