/** AMD's roots, and the issuers below them, by SHA-256 of their certificates. */
import type { AmdProduct } from "./products.ts";

/** A root that a chain may end at. */
export interface PinnedRoot {
  readonly product: AmdProduct;
  /** SHA-256 of the root's certificate, in hex. */
  readonly sha256: string;
  /**
   * SHA-256 of certificates that this root is known to have signed: for these its signature need not be computed. Others are
   * verified, since AMD has replaced an issuer before (Genoa's, in 2022).
   */
  readonly issuers: readonly string[];
}

/** ARK of each product line, with its ASK and ASVK as AMD's Key Distribution Service gave them out in 2026. */
export const amdRoots: readonly PinnedRoot[] = [
  {
    product: "milan",
    sha256: "69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd",
    issuers: [
      "67d303bd3905fd38db8b20e0793699870e7fa612eaad5dec358293fd8c0bac1b",
      "c5e081f59b7efab1fe2f8b505e159704e72f29cab7ef7cf628a05a42439082f5",
    ],
  },
  {
    product: "genoa",
    sha256: "4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1",
    issuers: [
      "5464738c1546aed5f2cecf1dc98c5c960a92e8913238a61711bc90ec6e828521",
      "197e610743a917d6b9bb982a5a9226ccc0a15b611be0619e626aca9151457372",
    ],
  },
  {
    product: "turin",
    sha256: "1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a",
    issuers: [
      "5b77ef5fe7a7a004fd9032668fba9d0fda22f88c4442069a479636a6ae3b3185",
      "104e10a8bd060a3c20a434261a57d0588fd65a88915b4f65b08bdecaf8df1a3c",
    ],
  },
];
