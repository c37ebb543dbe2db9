/** Who may say what a utility VM's measurement is, pinned as the did:x509 under which he signs. */

/**
 * A did:x509 (version 0) taken apart: the root's fingerprint, and the purpose that the signing certificate has to name. Both
 * are in the text of the DID as well, which is what a Release pins.
 */
export interface PinnedIssuer {
  /** `did:x509:0:sha256:<base64url of the root's fingerprint>::eku:<purpose>`. */
  readonly did: string;
  /** SHA-256 of the root's certificate, in hex. */
  readonly rootSha256: string;
  /** Object identifier of the extended key usage. */
  readonly purpose: string;
}

/**
 * Microsoft, for the utility VMs of Azure container instances in production: "Microsoft Supply Chain RSA Root CA 2022", valid to
 * 2047. The purpose 1.3.6.1.4.1.311.10.3.13 under the same root is for tests, and .59.1.3 is for policy fragments.
 */
export const uvmIssuers: readonly PinnedIssuer[] = [
  {
    did: "did:x509:0:sha256:I__iuL25oXEVFdTP_aBLx_eT1RPHbCQ_ECBQfYZpt9s::eku:1.3.6.1.4.1.311.76.59.1.2",
    rootSha256: "23ffe2b8bdb9a1711515d4cffda04bc7f793d513c76c243f1020507d8669b7db",
    purpose: "1.3.6.1.4.1.311.76.59.1.2",
  },
];
