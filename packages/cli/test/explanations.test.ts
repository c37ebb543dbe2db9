/** Every check that a result can hold is explained, and nothing is explained that is no check. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { TeeKind } from "@blindbox/attestation";
import { appraisalExplanations } from "../src/explanations/appraisal.ts";
import { certificateExplanations } from "../src/explanations/certificates.ts";
import { connectionExplanations } from "../src/explanations/connection.ts";
import { explanationOf, pageOf, stepNames } from "../src/explanations/explanation.ts";
import { hardwareExplanations } from "../src/explanations/hardware.ts";
import { intelExplanations } from "../src/explanations/intel.ts";

const page = readFileSync(new URL("../../../docs/errors.md", import.meta.url), "utf8");
const verifyPage = readFileSync(new URL("../../../docs/verify.md", import.meta.url), "utf8");

/** The catalogue is made from the sources. */
const checks = [...page.matchAll(/^\| `([a-z-]+)` \| `(?:attestation|client)\/src/gm)].map((match) => match[1] ?? "");

describe("explanations", () => {
  test("there is one for each check of the catalogue", () => {
    expect(checks.length).toBeGreaterThan(100);
    expect(checks.filter((check) => explanationOf(check, null) === null)).toEqual([]);
  });

  test("none is for a check that does not exist", () => {
    const tables = [
      connectionExplanations,
      certificateExplanations,
      intelExplanations,
      appraisalExplanations,
      ...Object.values(hardwareExplanations),
    ];
    const explained = tables.flatMap((table) => Object.keys(table));
    expect(explained.filter((check) => !checks.includes(check))).toEqual([]);
  });

  test("a check that several kinds of hardware have is explained for each", () => {
    const kinds: readonly TeeKind[] = ["sev-snp", "tdx", "nitro"];
    for (const check of ["debug", "evidence-signature"]) {
      expect(new Set(kinds.map((kind) => explanationOf(check, kind)?.[0])).size).toBe(kinds.length);
    }
  });

  test("every step that a finding is sent to has its section", () => {
    for (const step of stepNames) {
      expect(pageOf(step)).toBe(`docs/verify.md, step ${stepNames.indexOf(step) + 1}`);
      expect(verifyPage).toMatch(new RegExp(`^${stepNames.indexOf(step) + 1}\\. \\*\\*${step}\\*\\*`, "m"));
    }
  });
});
