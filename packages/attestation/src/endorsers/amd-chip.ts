/** What AMD is asked by: chip and TCB of a report, and whether a certificate is for them. */
import { EncodingError, fromHex, toHex } from "@blindbox/encoding";
import type { EndorsementKey } from "../sev-snp/endorsement-key.ts";
import { amdProducts, type TcbComponent } from "../sev-snp/products.ts";
import { EndorserError, mismatch } from "./endorser-error.ts";
import type { SevSnpSubject } from "./subject.ts";

/** Names of KDS's parameters. It takes them in the order in which the report has the components. */
const parameters: Readonly<Record<TcbComponent, string>> = {
  fmc: "fmcSPL",
  bootloader: "blSPL",
  tee: "teeSPL",
  snp: "snpSPL",
  microcode: "ucodeSPL",
};

/** The hardware id that a VCEK is issued for, in hex. @throws EndorserError where the chip hides it, or has no such form. */
export function hwidOf({ product, chipId }: SevSnpSubject): string {
  const { hwidLength } = amdProducts[product];
  const hwid = chipId.slice(0, 2 * hwidLength);
  if (/^0*$/.test(hwid)) {
    const hint = "the host has to run with chip ids shown (MASK_CHIP_ID off), or to hand over a VLEK";
    throw new EndorserError({
      code: "missing",
      field: "ek",
      expected: "a chip id in the report",
      actual: "none",
      hint,
    });
  }
  if (/^0*$/.test(chipId.slice(2 * hwidLength))) return hwid;
  throw mismatch("ek", `a chip id of ${hwidLength} bytes`, "a longer one");
}

/** One component of a TCB. */
interface Spl {
  readonly parameter: string;
  /** Last arcs of the certificate's extension. */
  readonly arc: string;
  readonly value: number;
}

/** The components of the report's TCB. @throws EndorserError where a byte is set that has no meaning. */
export function tcbComponents({ product, reportedTcb }: SevSnpSubject): readonly Spl[] {
  const bytes = fromHex(reportedTcb, "reportedTcb");
  const { name, tcb } = amdProducts[product];
  return tcb.flatMap(({ component, arc }, at) => {
    const value = bytes[at] ?? 0;
    if (component !== null) return [{ parameter: parameters[component], arc, value }];
    if (value !== 0) throw mismatch("ek", `a TCB of the product ${name}`, `byte ${at} set`);
    return [];
  });
}

/** Demands that an EK certificate is for this kind of key, chip and TCB. @throws EndorserError `mismatch`, EncodingError */
export function demandEk({ kind, hwid, versions }: EndorsementKey, subject: SevSnpSubject): void {
  if (kind !== subject.key) throw mismatch("ek", `the certificate of a ${subject.key.toUpperCase()}`, "another kind");
  const wanted = kind === "vcek" ? hwidOf(subject) : null;
  if ((hwid === null ? null : toHex(hwid)) !== wanted) throw mismatch("ek", "the report's hardware id", "another");
  for (const { arc, parameter, value } of tcbComponents(subject)) {
    const spl = versions.get(arc);
    if (spl === undefined)
      throw new EncodingError("bad-encoding", "ek", `a certificate that names ${parameter}`, "none");
    if (spl !== value) throw mismatch("ek", `${parameter} ${value}`, `${spl}`);
  }
}
