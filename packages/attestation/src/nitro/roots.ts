/** AWS's root for Nitro Enclaves, by SHA-256 of its certificate. */

/** A root that a chain may start at: SHA-256 of its certificate in DER, in lower-case hex. */
export type PinnedRoot = string;

/** G1, the one root that there is: valid from 2019-10-28 to 2049-10-28. (What AWS publishes as a hash is that of an archive.) */
export const nitroRoots: readonly PinnedRoot[] = ["641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b"];
