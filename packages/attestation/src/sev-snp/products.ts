/** AMD's products: which CPU is which, where the components of a TCB stand, and what their certificates hold. One row each. */

/** A product line, named as its root is. Siena and Bergamo are of Genoa's. */
export type AmdProduct = "milan" | "genoa" | "turin";

/** The parts of the platform that have a security version of their own. */
export type TcbComponent = "fmc" | "bootloader" | "tee" | "snp" | "microcode";

/** What one byte of a TCB version holds, and the last arcs of the certificate's extension that says the same. */
export interface TcbByte {
  /** `null` where AMD reserves the byte: it is zero. */
  readonly component: TcbComponent | null;
  readonly arc: string;
}

/** All that is known of one product line. */
export interface ProductRow {
  /** As the common names in AMD's certificates end. */
  readonly name: string;
  /** What a certificate's product name may be: a stepping may follow. */
  readonly productName: RegExp;
  readonly structVersion: number;
  /** How many bytes of the chip id are used; the others are zero. */
  readonly hwidLength: number;
  /** The 8 bytes of a TCB version, in the report's order. */
  readonly tcb: readonly TcbByte[];
}

const bootloader: TcbByte = { component: "bootloader", arc: "3.1" };
const tee: TcbByte = { component: "tee", arc: "3.2" };
const snp: TcbByte = { component: "snp", arc: "3.3" };
const microcode: TcbByte = { component: "microcode", arc: "3.8" };
const fmc: TcbByte = { component: "fmc", arc: "3.9" };

function reserved(arc: string): TcbByte {
  return { component: null, arc };
}

const untilGenoa: readonly TcbByte[] = [
  bootloader,
  tee,
  reserved("3.4"),
  reserved("3.5"),
  reserved("3.6"),
  reserved("3.7"),
  snp,
  microcode,
];

const fromTurin: readonly TcbByte[] = [
  fmc,
  bootloader,
  tee,
  snp,
  reserved("3.5"),
  reserved("3.6"),
  reserved("3.7"),
  microcode,
];

/** One row a product line. */
export const amdProducts: Readonly<Record<AmdProduct, ProductRow>> = {
  milan: { name: "Milan", productName: /^Milan(-[A-Z][0-9])?$/, structVersion: 0, hwidLength: 64, tcb: untilGenoa },
  genoa: { name: "Genoa", productName: /^Genoa(-[A-Z][0-9])?$/, structVersion: 0, hwidLength: 64, tcb: untilGenoa },
  turin: { name: "Turin", productName: /^Turin(-[A-Z][0-9])?$/, structVersion: 1, hwidLength: 8, tcb: fromTurin },
};

/** Products as a policy tells them apart. `siena` is Zen 4c (Siena and Bergamo), whose microcode is numbered on its own. */
export type CpuProduct = "milan" | "genoa" | "siena" | "turin";

/** A CPU as far as its CPUID, or for want of that its certificate, tells. */
export interface Cpu {
  readonly line: AmdProduct;
  readonly product: CpuProduct;
}

/** Family (base and extended), model and stepping, each one byte. */
export interface Cpuid {
  readonly family: number;
  readonly model: number;
  readonly stepping: number;
}

interface CpuRow extends Cpu {
  readonly family: number;
  readonly from: number;
  readonly to: number;
}

// Families and models whose roots AMD has published.
const cpus: readonly CpuRow[] = [
  { family: 0x19, from: 0x00, to: 0x0f, line: "milan", product: "milan" },
  { family: 0x19, from: 0x10, to: 0x1f, line: "genoa", product: "genoa" },
  { family: 0x19, from: 0xa0, to: 0xaf, line: "genoa", product: "siena" },
  { family: 0x1a, from: 0x00, to: 0x11, line: "turin", product: "turin" },
];

/** The CPU of a CPUID; `null` where no root of it is known. */
export function cpuOf({ family, model }: Cpuid): Cpu | null {
  return cpus.find((row) => row.family === family && row.from <= model && model <= row.to) ?? null;
}
