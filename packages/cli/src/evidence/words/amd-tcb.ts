/** TCB versions of AMD: 8 bytes that mean something else on each product line. */
import { amdTcbComponents } from "@blindbox/attestation";
import { fromHex } from "@blindbox/encoding";
import type { Line, Show } from "../inspection.ts";
import { line, plain } from "./values.ts";

const meanings = {
  fmc: "FMC",
  bootloader: "boot loader",
  tee: "TEE",
  snp: "SNP firmware",
  microcode: "microcode",
} as const;

function components(hex: string, product: "milan" | "genoa" | "turin"): string {
  return amdTcbComponents(fromHex(hex), product)
    .map(([component, version]) => `${meanings[component]} ${version}`)
    .join(", ");
}

function untold(hex: string): readonly Line[] {
  return [
    line(components(hex, "milan")),
    line("read as Milan and Genoa order them: version 2 does not name the product", "careful"),
  ];
}

/** Component by component, in the product's order. */
export const amdTcb: Show = (value, { product, cpuid }) => {
  const hex = plain(value);
  if (product === "milan" || product === "genoa" || product === "turin")
    return [line(components(hex, product)), line(hex)];
  if (cpuid === undefined) return [...untold(hex), line(hex)];
  return [line(hex), line("the order of the components is not known for this CPU", "careful")];
};
