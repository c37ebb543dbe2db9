/** What an exception of the policy excuses, and what it must not. */
import {
  azureUvm,
  azureVtpm,
  createVerifier,
  nitro,
  sevSnp,
  simulated,
  strictPolicy,
  tdx,
  type AppraisalException,
  type ReferenceValues,
  type Tee,
} from "@blindbox/attestation";
import { describe, expect, test } from "vitest";
import type { RegisterForm } from "../src/tee.ts";
import { exchange, failedChecks, reference, vendor, type Change } from "./box.ts";
import { NOW, pem } from "./vendor.ts";

const tcb: AppraisalException = {
  tee: "simulated",
  check: "tcb",
  subject: "tcb",
  until: NOW + 60,
  reason: "an update",
};
const outdated: Change = { policy: { simulated: { minTcb: 9 } } };

function under(exception: unknown, change: Change = outdated): Change {
  return { ...change, policy: { ...change.policy, exceptions: [exception as AppraisalException] } };
}

async function statusWith(exception: unknown, change: Change = outdated): Promise<string> {
  return (await (await exchange(under(exception, change))).verify()).status;
}

describe("an exception", () => {
  test("turns the failure that it names into a warning that says so, until its second", async () => {
    const result = await (await exchange(under(tcb))).verify();
    expect([result.status, failedChecks(result)]).toEqual(["warning", []]);
    const [finding] = result.findings.filter(({ check }) => check === "tcb");
    expect(finding).toMatchObject({
      status: "warning",
      excused: true,
      reason: expect.stringContaining("an update") as string,
    });
    const ended = await (await exchange(under({ ...tcb, until: NOW }))).verify();
    expect(failedChecks(ended)).toEqual(["tcb"]);
    expect(ended.findings.find(({ check }) => check === "tcb")?.hint).toContain("ended");
  });

  test("of another kind of TEE, another subject or another check excuses nothing", async () => {
    const others = [{ tee: "sev-snp" }, { tee: "azure-vtpm" }, { subject: "snp" }, { check: "tcb-status" }] as const;
    for (const other of others) expect(await statusWith({ ...tcb, ...other })).toBe("contraindicated");
  });

  test("cannot be made for origin, freshness or channel", async () => {
    for (const check of [
      "evidence-signature",
      "challenge",
      "tls-key",
      "debug",
      "certificate-revocation",
      "statement-binding",
    ])
      await expect(exchange(under({ ...tcb, check }))).rejects.toThrow(TypeError);
  });

  test("ends at a second that people can read: milliseconds and eternities are mistakes", async () => {
    for (const until of [NOW * 1000, Number.MAX_SAFE_INTEGER, -1, 1.5, "2027-01-01"])
      await expect(exchange(under({ ...tcb, until }))).rejects.toThrow(/policy\.exceptions\[0\]\.until/);
  });

  test("is whole, or none", async () => {
    for (const member of Object.keys(tcb)) {
      const { [member as keyof AppraisalException]: _left, ...others } = tcb;
      await expect(exchange(under(others))).rejects.toThrow(TypeError);
    }
    await expect(exchange(under({ ...tcb, more: 1 }))).rejects.toThrow(TypeError);
  });
});

const simulator = simulated({ root: pem(vendor.root.der) });
const kinds: readonly (readonly [string, Tee, readonly string[]])[] = [
  ["simulated", simulator, []],
  ["sev-snp", sevSnp(), []],
  ["sev-snp with utility VMs", sevSnp({ uvm: azureUvm() }), []],
  ["tdx", tdx(), ["rtmr0"]],
  ["nitro", nitro(), []],
  ["azure-vtpm", azureVtpm({ hardware: [sevSnp(), tdx()] }), ["pcr1", "pcr3", "pcr5", "pcr6", "pcr10", "pcr15"]],
];

describe.each(kinds)("of %s, a register", (_name, tee, excusable) => {
  const names = [...new Set(tee.tuples.flatMap((shape) => Object.keys(shape)))];
  const verifierWith = (subject: string): unknown => {
    const exception = { ...tcb, tee: tee.kind, check: "reference-values", subject } as const;
    const policy = { ...strictPolicy, exceptions: [exception] };
    const values = { manifest: reference.manifest, runtime: reference.runtime, release: "x 1" };
    const registers = Object.fromEntries(
      Object.entries(tee.tuples[0] ?? {}).map(([name, form]) => [name, filled(form)]),
    );
    const referenceValues = [{ ...values, tee: tee.kind, registers }];
    return createVerifier({ tees: [tee], referenceValues, policy, now: () => new Date(0) });
  };

  test("that measures code, or whoever made it, cannot be excused, nor one that nobody knows", () => {
    const demanded = names.filter((name) => !excusable.includes(name));
    expect(demanded).toContain(tee.measurementRegister);
    for (const name of [...demanded, "rtmr9"])
      expect(() => verifierWith(name), name).toThrow(/policy\.exceptions\[0\]\.subject/);
  });

  test("without code can, where this kind has one", () => {
    expect(names).toEqual(expect.arrayContaining([...excusable]));
    for (const name of excusable) expect(() => verifierWith(name), name).not.toThrow();
  });
});

function filled(form: RegisterForm): string {
  if (typeof form === "number") return "00".repeat(form);
  return form === "text" ? "x" : "1";
}

test("of two tuples that fit, the one that needs no exception is the Release that is claimed", async () => {
  const two = simulated({ root: pem(vendor.root.der) });
  const tee = { ...two, tuples: [{ measurement: 48, extra: 1 }], excusableRegisters: ["extra"] };
  const withExtra = {
    ...tee,
    parseEvidence: (bytes: Uint8Array) => {
      const evidence = two.parseEvidence(bytes);
      return { ...evidence, registers: { ...evidence.registers, extra: "07" } };
    },
  };
  const tuple = (extra: string, release: string): ReferenceValues => ({
    ...reference,
    registers: { ...reference.registers, extra },
    release,
  });
  const exception = { ...tcb, check: "reference-values", subject: "extra" };
  const change = { tees: [withExtra], referenceValues: [tuple("08", "other 2.0.0"), tuple("07", "exact 1.0.0")] };
  const result = await (await exchange(under(exception, change))).verify();
  expect(result.claims.release).toBe("exact 1.0.0");
});

test("createVerifier takes the strict policy as it is", () => {
  const tees = [simulated({ root: pem(vendor.root.der) })];
  expect(() =>
    createVerifier({ tees, referenceValues: [reference], policy: strictPolicy, now: () => new Date(0) }),
  ).not.toThrow();
});
