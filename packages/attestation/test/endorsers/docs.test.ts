import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ENDORSER_ERROR_CODES } from "@blindbox/attestation/endorsers";

test("the page about Endorsements has every code, and no other", () => {
  const page = readFileSync(new URL("../../../../docs/endorsements.md", import.meta.url), "utf8");
  const table = page.slice(page.indexOf("| code | means |"), page.indexOf("## What an Endorser does not do"));
  const codes = [...table.matchAll(/^\| `([a-z-]+)` \|/gm)].map((row) => row[1]);
  expect(codes).toEqual([...ENDORSER_ERROR_CODES]);
});
