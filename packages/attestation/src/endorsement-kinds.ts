/** The kinds of Endorsement that age, and the issuers whose CRLs are numbered. The policy has a limit for each. */

/** Kinds of Endorsement with a date of issue; `maxEndorsementAge` has one member for each. */
export const ENDORSEMENT_KINDS = [
  "amdCrl",
  "intelRootCrl",
  "intelPckCrl",
  "tcbInfo",
  "qeIdentity",
  "simulatedCrl",
] as const;

/** One of {@link ENDORSEMENT_KINDS}. */
export type EndorsementKind = (typeof ENDORSEMENT_KINDS)[number];

/** Issuers of numbered CRLs; `minCrlNumber` has one member for each. */
export const CRL_ISSUERS = [
  "amdMilan",
  "amdGenoa",
  "amdTurin",
  "intelRoot",
  "intelPlatform",
  "intelProcessor",
  "simulated",
] as const;

/** One of {@link CRL_ISSUERS}. */
export type CrlIssuer = (typeof CRL_ISSUERS)[number];
