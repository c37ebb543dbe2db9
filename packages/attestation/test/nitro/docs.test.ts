import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { FAILURE_CODES, nitro, strictPolicy } from "@blindbox/attestation";
import { nitroRoots } from "../../src/nitro/roots.ts";

const page = readFileSync(new URL("../../../../docs/tees/nitro.md", import.meta.url), "utf8");

test("the page about Nitro names every check, every member of the policy, and the root", () => {
  const named = [
    ...nitro().requiredChecks,
    "debug",
    "evidence-signature",
    ...Object.keys(strictPolicy.nitro),
    ...nitroRoots,
  ];
  expect(named.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});

test("the page about Nitro names no code that there is not", () => {
  const table = page.slice(page.indexOf("| field | check | code |"), page.indexOf("Shown and compared"));
  const codes = table
    .split("\n")
    .flatMap((row) => [...(row.split("|")[3] ?? "").matchAll(/`([a-z-]+)`/g)].map(([, code]) => code));
  expect(codes.length).toBeGreaterThan(20);
  expect(codes.filter((code) => !FAILURE_CODES.some((known) => known === code))).toEqual([]);
});
