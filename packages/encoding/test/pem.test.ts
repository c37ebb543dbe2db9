import fc from "fast-check";
import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { formatPem, fromUtf8, parsePem, utf8 } from "../src/index.ts";
import { accepted, bitFlips, refusalCode, truncations } from "./refusal.ts";

const block = formatPem(
  "CERTIFICATE",
  Uint8Array.from({ length: 100 }, (_, at) => at),
);
const contents = Uint8Array.from({ length: 100 }, (_, at) => at);

describe("formatPem", () => {
  test("writes what node:crypto writes", () => {
    const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const der = publicKey.export({ type: "spki", format: "der" });
    expect(formatPem("PUBLIC KEY", der)).toBe(publicKey.export({ type: "spki", format: "pem" }));
  });

  test("is read back, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 }), { minLength: 1, maxLength: 4 }), (ders) => {
        const text = ders.map((der) => formatPem("CERTIFICATE", der)).join("");
        expect(parsePem(text, "CERTIFICATE")).toEqual(ders);
      }),
    );
  });
});

describe("parsePem", () => {
  test("reads what openssl writes", (context) => {
    const key = opensslKey();
    if (key === null) return context.skip("openssl is not installed");
    const [der] = parsePem(key, "PRIVATE KEY");
    expect(formatPem("PRIVATE KEY", der ?? new Uint8Array(0))).toBe(key);
  });

  test("takes CRLF, blank lines between blocks, and a missing last newline", () => {
    const text = `\r\n${block.replaceAll("\n", "\r\n")}\n\n${block.trimEnd()}`;
    expect(parsePem(text, "CERTIFICATE")).toEqual([contents, contents]);
  });

  test("takes lines up to 76 characters", () => {
    const long = `-----BEGIN CERTIFICATE-----\n${"A".repeat(76)}\n-----END CERTIFICATE-----`;
    expect(parsePem(long, "CERTIFICATE")).toEqual([new Uint8Array(57)]);
  });

  test("refuses an unfinished block behind whole ones", () => {
    for (const lines of [1, 2, 3]) {
      const unfinished = block.split("\n").slice(0, lines).join("\n");
      expect(refusalCode(() => parsePem(`${block}${unfinished}`, "CERTIFICATE"))).toBe("truncated");
    }
  });

  test("refuses every truncation but that of the last newline", () => {
    const whole = utf8(block.trimEnd());
    for (const short of truncations(whole)) {
      expect(["truncated", "bad-encoding"]).toContain(refusalCode(() => parsePem(fromUtf8(short), "CERTIFICATE")));
    }
  });

  test("refuses a flipped bit, or gives what that text says", () => {
    let read = 0;
    for (const flipped of bitFlips(utf8(block))) {
      const text = accepted(() => fromUtf8(flipped));
      const ders = text === undefined ? undefined : accepted(() => parsePem(text, "CERTIFICATE"));
      if (ders === undefined) continue;
      read += 1;
      expect(ders.map((der) => formatPem("CERTIFICATE", der)).join("")).toBe(text);
    }
    expect(read).toBeGreaterThan(0);
  });

  test.each([
    ["no block", ""],
    ["blank lines only", "\n\n"],
    ["another label", block.replaceAll("CERTIFICATE", "PRIVATE KEY")],
    ["a key behind the certificate", `${block}${block.replaceAll("CERTIFICATE", "PRIVATE KEY")}`],
    ["another END", block.replace("END CERTIFICATE", "END X")],
    ["text before", `subject=CN = x\n${block}`],
    ["text behind", `${block}garbage`],
    ["a NUL behind", `${block}\0`],
    ["a byte order mark", `\uFEFF${block}`],
    ["a header", block.replace("\n", "\nProc-Type: 4,ENCRYPTED\n\n")],
    ["a blank line inside", block.replace("\n", "\n\n")],
    ["a space at the end of a line", block.replace("\n", " \n")],
    ["an indented line", block.replace("\n", "\n ")],
    ["an empty block", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"],
    ["a block in one line", block.replaceAll("\n", "")],
    ["a line of 77 characters", `-----BEGIN CERTIFICATE-----\n${"A".repeat(80)}\n-----END CERTIFICATE-----\n`],
    ["padding within", `-----BEGIN CERTIFICATE-----\nZg==\nZg==\n-----END CERTIFICATE-----\n`],
    ["a BEGIN within", block.replace("\n", "\n-----BEGIN CERTIFICATE-----\n")],
  ])("refuses %s", (_, text) => {
    expect(["bad-encoding", "truncated"]).toContain(refusalCode(() => parsePem(text, "CERTIFICATE")));
  });

  test("bounds the number of blocks and the length of the text", () => {
    expect(parsePem(block.repeat(64), "CERTIFICATE")).toHaveLength(64);
    expect(refusalCode(() => parsePem(block.repeat(65), "CERTIFICATE"))).toBe("limit-exceeded");
    expect(refusalCode(() => parsePem("\n".repeat(1024 * 1024 + 1), "CERTIFICATE"))).toBe("limit-exceeded");
  });
});

function opensslKey(): string | null {
  try {
    const options = ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"];
    return execFileSync("openssl", options, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return null;
  }
}
