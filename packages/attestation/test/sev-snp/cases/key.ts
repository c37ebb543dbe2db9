/** Certificates that are authentic, and another report's: another kind of key, product, TCB or chip. */
import { name } from "../../der.ts";
import { chipIdOf, products, amdExtension, type AmdChange, type EkSpec } from "../vendor.ts";
import type { Tcb } from "../report.ts";
import { refused, written, type RefusalCase } from "./refusal.ts";

const lines = ["milan", "genoa", "turin"] as const;
function moved(tcb: Tcb, at: number, by: number): Tcb {
  return tcb.with(at, (tcb[at] ?? 0) + by) as unknown as Tcb;
}

/** The certificate's security versions one up and one down, each of them, on each product. */
function otherTcbs(): Readonly<Record<string, AmdChange>> {
  const cases = lines.flatMap((product) =>
    products[product].tcb.flatMap((value, at) =>
      [1, -1]
        .filter((by) => value + by >= 0)
        .map((by) => {
          const ek: Partial<EkSpec> = { tcb: moved(products[product].tcb, at, by) };
          return [
            `${product}, a certificate whose ${products[product].arcs[at]} is off by ${by}`,
            { product, ek },
          ] as const;
        }),
    ),
  );
  return Object.fromEntries(cases);
}

/** Extensions left out, one by one. */
function missingVersions(): Readonly<Record<string, AmdChange>> {
  const cases = lines.flatMap((product) =>
    products[product].arcs.map(
      (arc) => [`${product}, a certificate without ${arc}`, { product, ek: { drop: [arc] } }] as const,
    ),
  );
  return Object.fromEntries(cases);
}

const asVlek: Partial<EkSpec> = { commonName: "SEV-VLEK", hwid: null, cspId: "CN=cloud.example" };
const asVcek: Partial<EkSpec> = { commonName: "SEV-VCEK", hwid: chipIdOf("milan"), cspId: null };
export const keyCases: readonly RefusalCase[] = [
  refused(["endorsement-key: signing-key-mismatch", "chip-id: hwid-mismatch"], {
    "a VLEK under the VCEKs' issuer": { ek: asVlek },
  }),
  refused(["endorsement-key: signing-key-mismatch", "csp-id: cloud-not-allowed"], {
    "a VCEK under the VLEKs' issuer": { kind: "vlek", ek: asVcek },
  }),
  refused(
    [
      "endorsement-key: signing-key-mismatch",
      "product-agreement: bad-chain",
      "chip-id: hwid-mismatch",
      "csp-id: cloud-not-allowed",
    ],
    {
      "a VCEK's report that says VLEK": { report: { keyInfo: 4 } },
    },
  ),
  refused(["endorsement-key: signing-key-mismatch", "product-agreement: bad-chain", "chip-id: chip-id-masked"], {
    "a VLEK's report that says VCEK": { kind: "vlek", report: { keyInfo: 0 } },
  }),
  refused("endorsement-key: bad-chain", {
    "a certificate with hardware id and cloud": { ek: { cspId: "CN=cloud.example" } },
    "a certificate of another name": { ek: { commonName: "SEV-ARK" } },
    "a VCEK by its extensions with a VLEK's name": { ek: { commonName: "SEV-VLEK" } },
    "a name that ends in VCEK": { ek: { commonName: "NOT-SEV-VCEK" } },
    "a VLEK with a hardware id": { kind: "vlek", ek: { hwid: chipIdOf("milan") } },
  }),
  refused(["endorsement-key: bad-chain", "chip-id: hwid-mismatch"], {
    "a certificate without hardware id": { ek: { hwid: null } },
  }),
  refused(["endorsement-key: bad-chain", "csp-id: cloud-not-allowed"], {
    "a VLEK without a cloud": { kind: "vlek", ek: { cspId: null } },
  }),
  refused("product-agreement: bad-chain", {
    "a certificate that names another product": { ek: { productName: "Genoa" } },
    "a certificate that names a product and more": { ek: { productName: "Milan-X" } },
    "a product name that only starts so": { ek: { productName: "Milano" } },
    "Turin's structure version on Milan": { ek: { structVersion: 1 } },
    "Milan's structure version on Turin": { product: "turin", ek: { structVersion: 0 } },
    "an issuer of another product": { issuer: { subject: name("SEV-Genoa") } },
    "the VLEKs' issuer above a VCEK": { issuer: { subject: name("SEV-VLEK-Milan") } },
    "the VCEKs' issuer above a VLEK": { kind: "vlek", issuer: { subject: name("SEV-Milan") } },
    "an issuer with no common name of AMD's": { issuer: { subject: name("SEV-Milan ") } },
  }),
  refused("tcb-layout: reserved-not-zero", {
    "a reserved byte of the current TCB": written(0x38 + 2, 1),
    "a reserved byte of the committed TCB": written(0x1e0 + 5, 1),
    "a reserved byte of the launch TCB": written(0x1f0 + 3, 1),
    "a reserved byte of Turin's launch TCB": { product: "turin", ...written(0x1f0 + 4, 1) },
  }),
  refused(["tcb-layout: reserved-not-zero", "endorsement-key-tcb: tcb-mismatch"], {
    "a reserved byte of the reported TCB": written(0x180 + 4, 1),
  }),
  refused("endorsement-key-tcb: tcb-mismatch", otherTcbs()),
  refused("endorsement-key-tcb: tcb-mismatch", missingVersions()),
  refused("endorsement-key-tcb: tcb-mismatch", {
    "a component that Milan has not": { ek: { extra: [amdExtension("3.9", Uint8Array.of(2, 1, 0))] } },
    "a component that Turin has not": {
      product: "turin",
      ek: { extra: [amdExtension("3.4", Uint8Array.of(2, 1, 0))] },
    },
    "a component that nobody has": { ek: { extra: [amdExtension("3.10", Uint8Array.of(2, 1, 0))] } },
    "a component below a known one": { ek: { extra: [amdExtension("3.8.1", Uint8Array.of(2, 1, 0))] } },
  }),
  refused("chip-id: hwid-mismatch", {
    "another chip with the same TCB": { ek: { hwid: chipIdOf("milan").with(63, 0) } },
    "a hardware id that is short": { ek: { hwid: chipIdOf("milan").subarray(0, 63) } },
    "a hardware id that is long": { ek: { hwid: new Uint8Array([...chipIdOf("milan"), 0]) } },
    "a hardware id of Turin's length on Milan": { ek: { hwid: chipIdOf("milan").subarray(0, 8) } },
    "no bytes of hardware id": { ek: { hwid: new Uint8Array() } },
    "a hardware id in an OCTET STRING": { ek: { hwid: new Uint8Array([4, 64, ...chipIdOf("milan")]) } },
    "another Turin chip": { product: "turin", ek: { hwid: chipIdOf("turin").with(7, 0) } },
    "a Turin hardware id of 64 bytes": {
      product: "turin",
      ek: { hwid: new Uint8Array([...chipIdOf("turin"), ...new Uint8Array(56)]) },
    },
    "a Turin chip id with a byte behind the eighth": { product: "turin", ...written(0x1a8, 1) },
    "a Turin chip id with a last byte": { product: "turin", ...written(0x1df, 1) },
    "a VLEK's report that names a chip": { kind: "vlek", ...written(0x1a0, 1) },
  }),
  refused("chip-id: chip-id-masked", {
    "a chip that hides its id": { report: { chipId: new Uint8Array(64) } },
    "a chip that hides its id, under a certificate of zeros": {
      report: { chipId: new Uint8Array(64) },
      ek: { hwid: new Uint8Array(64) },
    },
    "a Turin chip that hides its id": { product: "turin", report: { chipId: new Uint8Array(64) } },
  }),
  refused(
    [
      "product-agreement: bad-chain",
      "tcb-layout: reserved-not-zero",
      "endorsement-key-tcb: tcb-mismatch",
      "chip-id: hwid-mismatch",
      "tcb: tcb-below-minimum",
      "tcb: tcb-below-minimum",
      "tcb: tcb-below-minimum",
    ],
    {
      "a Milan report that calls itself Turin": { report: { cpuid: products.turin.cpuid } },
    },
  ),
  refused(
    [
      "product-agreement: bad-chain",
      "tcb-layout skipped",
      "endorsement-key-tcb skipped",
      "chip-id skipped",
      "product skipped",
      "tcb skipped",
      "tcb-order skipped",
    ],
    {
      "a CPU that has no root here (Venice)": { report: { cpuid: [0x1a, 0x50, 0] } },
      "a CPU of an older family": { report: { cpuid: [0x17, 0x31, 0] } },
      "no CPUID in version 3": { report: { cpuid: [0, 0, 0] } },
    },
  ),
  refused(["product-agreement: bad-chain", "tcb: tcb-below-minimum"], {
    "a Genoa CPU with a Milan chain": { report: { cpuid: products.genoa.cpuid } },
  }),
].flat();
