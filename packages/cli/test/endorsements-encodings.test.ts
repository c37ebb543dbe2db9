/** `blindbox endorsements` takes the encodings that `blindbox inspect` shows. */
import { toBase64, toBase64url, toHex, utf8 } from "@blindbox/encoding";
import { describe, expect, test } from "vitest";
import { milan } from "../../attestation/test/endorsers/vendors.ts";
import { readEvidenceSubject } from "../src/endorsements/evidence-file.ts";
import { describe as describeBytes } from "../src/evidence/describe.ts";
import { evidenceDocument, snpReport, workplace } from "./endorsements-fixture.ts";

const report = snpReport();
const answer = evidenceDocument("sev-snp", report);

describe("Evidence as text", () => {
  test.each([
    ["hex", toHex(report)],
    ["hex, as tools print it", `0x${toHex(report).toUpperCase()}\n`],
    ["base64", toBase64(report).replace(/(.{76})/g, "$1\n")],
    ["base64url", toBase64url(report)],
    ["PEM", `-----BEGIN REPORT-----\n${toBase64(report)}\n-----END REPORT-----\n`],
    ["base64 of a box's answer", toBase64(utf8(answer))],
    ["JSON behind a byte order mark", `\ufeff${answer}\r\n`],
  ])("in %s is read by both", async (_name, content) => {
    const { write } = workplace();
    expect(describeBytes(utf8(content))).not.toBeNull();
    expect(await readEvidenceSubject(write("evidence", content), null)).toEqual(milan);
  });

  test("that stands for no Evidence of hardware is refused, with what can be read", async () => {
    const { run, write } = workplace();
    const { code, stdout, stderr } = await run(["fetch", write("evidence", toHex(utf8("hello")))]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/got something else\nhint: .*raw, or in hex, base64, base64url or PEM\n$/);
  });
});
