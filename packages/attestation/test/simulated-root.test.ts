/** Evidence of a simulator whose root is not the one that was named. */
import { expect, test } from "vitest";
import { errorFor, NotAnEnclaveError } from "@blindbox/attestation";
import { exchange, vendor } from "./box.ts";
import { foreign } from "./cases/refusals.ts";

test("Evidence under another simulator's root is refused with a hint at which root to name, and where it lies", async () => {
  const error = errorFor(await (await exchange({ vendor: foreign })).verify());
  expect(error).toBeInstanceOf(NotAnEnclaveError);
  expect(error.message).toContain("certificate-signature: ");
  for (const part of [
    "another simulated TEE",
    "--simulated=ROOT.pem",
    "simulated({ root })",
    "blindbox/simulated/root.pem",
  ])
    expect(error.hint).toContain(part);
});

test("a forged device certificate under the right root gets no such hint: another root would not help", async () => {
  const error = errorFor(await (await exchange({ vendor: { ...vendor, device: foreign.device } })).verify());
  expect(error.message).toContain("certificate-signature: ");
  expect(error.hint).toBeUndefined();
});

test("a platform that is not in debug mode is told as that, and as no more", async () => {
  const { findings } = await (await exchange()).verify();
  expect(findings.find(({ check }) => check === "debug")?.reason).toBe("The debug bit is off.");
});
