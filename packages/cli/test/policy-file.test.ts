/** `--policy FILE`: what is read, and that nothing is read into a mistake. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { strictPolicy } from "@blindbox/attestation";
import { describe, expect, test } from "vitest";
import { CliError } from "../src/output/failure.ts";
import { readPolicyFile } from "../src/policy-file.ts";
import { emptyDirectory } from "./command.ts";

function fileWith(text: string): string {
  const path = join(emptyDirectory(), "policy.json");
  writeFileSync(path, text);
  return path;
}

const read = (value: unknown) => readPolicyFile(fileWith(JSON.stringify(value)));

async function complaint(text: string): Promise<string> {
  const error: unknown = await readPolicyFile(fileWith(text)).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(CliError);
  return error instanceof CliError ? error.message.replace(/^.*policy\.json(: )?/, "") : "";
}

const exception = {
  tee: "simulated",
  check: "tcb",
  subject: "microcode",
  until: "2027-01-31T12:00:00Z",
  reason: "BIOS of March",
};

describe("a policy file", () => {
  test("that extends the strict default changes what it names, however deep, and nothing else", async () => {
    expect(await read({ extends: "strict" })).toEqual(strictPolicy);
    const policy = await read({
      extends: "strict",
      maxClockSkew: 60,
      sevSnp: { products: { milan: { microcode: 222 }, turin: null }, vmpls: [1] },
    });
    const { products } = strictPolicy.sevSnp;
    expect(policy).toEqual({
      ...strictPolicy,
      maxClockSkew: 60,
      sevSnp: {
        ...strictPolicy.sevSnp,
        vmpls: [1],
        products: { ...products, milan: { ...products.milan, microcode: 222 }, turin: null },
      },
    });
  });

  test("that extends nothing has to be whole", async () => {
    expect(await read(strictPolicy)).toEqual(strictPolicy);
    const { debug: _debug, ...rest } = strictPolicy;
    expect(await complaint(JSON.stringify(rest))).toBe(
      "policy.debug: expected a value, got nothing, and nothing is assumed",
    );
  });

  test.each([
    ["2027-01-31T12:00:00Z", Date.UTC(2027, 0, 31, 12) / 1000],
    ["2027-01-31T12:00:00+02:00", Date.UTC(2027, 0, 31, 10) / 1000],
    ["2027-01-31", Date.UTC(2027, 0, 31) / 1000],
  ])("has exceptions that end %s", async (until, seconds) => {
    const { exceptions } = await read({ extends: "strict", exceptions: [{ ...exception, until }] });
    expect(exceptions).toEqual([{ ...exception, until: seconds }]);
  });

  test.each(["2027-01-31T12:00:00", "2027-02-30", "tomorrow", "1800000000", 1_800_000_000, null, "1960-01-01", ""])(
    "with an exception that ends %j is refused: no machine's zone or calendar may decide",
    async (until) => {
      const text = JSON.stringify({ extends: "strict", exceptions: [{ ...exception, until }] });
      expect(await complaint(text)).toMatch(
        /^policy\.exceptions\[0\]\.until: expected a time such as .+, got something/,
      );
    },
  );

  test.each([
    ["", "policy: expected "],
    ["[]", "expected an object in JSON, got something else"],
    ['{"extends":"lax"}', 'extends: expected "strict", or no such member, got another word'],
    ['{"extends":"strict","debg":"allow"}', "policy.debg: expected only debug, "],
    ['{"extends":"strict","sevSnp":{"vmpl":[0]}}', "policy.sevSnp.vmpl: expected only vmpls, "],
    ['{"extends":"strict","debug":"refuse","debug":"allow"}', "policy"],
    ['{"extends":"strict","__proto__":{"debug":"allow"}}', "policy"],
    ['{"extends":"strict","debug":"maybe"}', 'policy.debug: expected "refuse" or "allow", got something else'],
    ['{"extends":"strict","debug":null}', 'policy.debug: expected "refuse" or "allow"'],
    ['{"extends":"strict","sandboxDrivers":[]}', "policy.sandboxDrivers: expected a list that is not empty"],
    ['{"extends":"strict","exceptions":[{"check":"tls-key"}]}', "policy.exceptions[0]"],
    ['{"extends":"strict","exceptions":[7]}', "policy.exceptions[0]: expected an object"],
    ['{"extends":"strict","exceptions":{}}', "policy.exceptions: expected a list"],
  ])("%s is refused", async (text, words) => {
    expect(await complaint(text)).toContain(words);
  });
});
