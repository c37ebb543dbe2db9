/**
 * Why a vendor's Evidence or Endorsements were refused: the public codes of the conformance cases. A failed Finding of the
 * steps parse, authenticate and platform carries one. The list is closed, and a code never changes its meaning.
 */
export const FAILURE_CODES = [
  /** The bytes end before what they announce. */
  "truncated",
  /** The length is not the one that this format has. */
  "bad-length",
  /** Something follows behind the end. */
  "trailing-bytes",
  /** Not the encoding (DER, CBOR, COSE, JSON) that is due, or not its one strict form. */
  "bad-encoding",
  /** A certificate that cannot be read. */
  "bad-certificate",
  /** A format's version that is not known here. */
  "unsupported-version",
  /** A signature algorithm other than the one that the format prescribes. */
  "unsupported-algorithm",
  /** An attestation key of a kind that is not supported. */
  "unsupported-key-type",
  /** Certification data of a kind that is not supported. */
  "unsupported-cert-type",
  /** Another format than the one that was offered. */
  "unsupported-format",
  /** Evidence of another kind of TEE. */
  "wrong-tee-type",
  /** A quoting enclave of another vendor. */
  "wrong-qe-vendor",
  /** A reserved byte or bit that is set. */
  "reserved-not-zero",
  /** The report was signed with no key of the kind that the certificate is for. */
  "signing-key-mismatch",
  /** A certificate or CRL that has to be there is not. */
  "missing-endorsement",
  /** Intel's collateral, or a part of it, is not there. */
  "missing-collateral",
  /** A TDREPORT without the quote that makes it verifiable. */
  "missing-td-quote",
  /** The chain ends at a root that is not pinned. */
  "untrusted-root",
  /** A certificate that is forged, out of order, or not allowed where it stands. */
  "bad-chain",
  /** A certificate past its notAfter. */
  "expired",
  /** A certificate before its notBefore. */
  "not-yet-valid",
  /** A certificate that its issuer revoked. */
  "revoked",
  /** A CRL that its issuer did not sign. */
  "crl-bad-signature",
  /** A CRL past its nextUpdate. */
  "crl-expired",
  /** A CRL before its thisUpdate. */
  "crl-not-yet-valid",
  /** A CRL, TCB info or identity that is older than the policy allows, though its issuer calls it current. */
  "endorsement-too-old",
  /** Evidence that was made longer ago than the policy allows, or ahead of its time. */
  "evidence-too-old",
  /** A CRL whose number is below the policy's floor. */
  "crl-number-too-low",
  /** The certificate was issued for another TCB than the report's. */
  "tcb-mismatch",
  /** The TCBs of the report stand in an order that no platform gives them. */
  "tcb-order",
  /** The certificate was issued for another chip than the report's. */
  "hwid-mismatch",
  /** The chip hid its identity. */
  "chip-id-masked",
  /** A chip that the policy denies or does not list. */
  "chip-not-allowed",
  /** A machine of a cloud that the policy does not list, by the key that it was given. */
  "cloud-not-allowed",
  /** A product that the policy does not list, or that certificate and report do not agree on. */
  "product-mismatch",
  /** The Evidence's signature is not its key's. */
  "bad-signature",
  /** The quoting enclave's report is not signed by the certified key. */
  "bad-qe-signature",
  /** The quoting enclave did not vouch for the attestation key. */
  "bad-ak-binding",
  /** The TPM's quote is not signed by the attestation key. */
  "bad-quote-signature",
  /** The runtime data are not the ones that the hardware signed the hash of. */
  "var-data-mismatch",
  /** A PCR that differs from what was quoted, or from what was expected. */
  "pcr-mismatch",
  /** The Evidence was made for another nonce. */
  "nonce-mismatch",
  /** TCB info whose signing chain is not good. */
  "tcb-info-bad-chain",
  /** TCB info with a wrong signature. */
  "tcb-info-bad-signature",
  /** TCB info of another kind or version. */
  "tcb-info-wrong-type",
  /** TCB info past its nextUpdate. */
  "tcb-info-expired",
  /** TCB info before its issueDate. */
  "tcb-info-not-yet-valid",
  /** A QE identity whose signing chain is not good. */
  "qe-identity-bad-chain",
  /** A QE identity with a wrong signature. */
  "qe-identity-bad-signature",
  /** A QE identity of another kind or version. */
  "qe-identity-wrong-type",
  /** A QE identity past its nextUpdate. */
  "qe-identity-expired",
  /** A QE identity before its issueDate. */
  "qe-identity-not-yet-valid",
  /** The quoting enclave is not the one that Intel names. */
  "qe-identity-mismatch",
  /** An evaluation number below the policy's floor. */
  "eval-number-too-low",
  /** The platform is of another family or model than the one demanded. */
  "fmspc-mismatch",
  /** The TDX module is not one that Intel names. */
  "module-mismatch",
  /** No TCB level fits the platform. */
  "tcb-unsupported",
  /** A TCB status that the policy does not accept. */
  "tcb-status",
  /** A TCB component below the policy's floor. */
  "tcb-below-minimum",
  /** The TDX module's security version is below the policy's floor. */
  "tee-tcb-svn-below-minimum",
  /** Evidence that vouches for another key than demanded, or for one where none was asked for. */
  "public-key-mismatch",
  /** Debug mode: the host can read the TEE's memory. */
  "debug-enabled",
  /** A migration agent may move the guest. */
  "migrate-ma",
  /** The TD may be migrated. */
  "migratable",
  /** The report was asked for at another privilege level. */
  "vmpl-mismatch",
  /** A guest policy bit that the appraisal policy does not accept. */
  "guest-policy-mismatch",
  /** A platform feature that the policy demands is off, or one that it forbids is on. */
  "platform-info-mismatch",
  /** A virtual machine that is not set up as the policy demands, by what its paravisor says. */
  "vm-configuration-mismatch",
  /** A TD attribute that the appraisal policy does not accept. */
  "td-attributes-mismatch",
  /** A service TD that the appraisal policy does not accept is bound to the TD. */
  "service-td-mismatch",
  /** XFAM bits that every TD has set, or that none may have. */
  "xfam-fixed-bits",
  /** The firmware or utility VM is endorsed by nobody that is accepted. */
  "feed-mismatch",
  /** A security version below the accepted minimum. */
  "svn-below-minimum",
  /** Differs from what was demanded. */
  "measurement-mismatch",
  /** Differs from what was demanded. */
  "host-data-mismatch",
  /** Differs from what was demanded. */
  "id-key-mismatch",
  /** Differs from what was demanded. */
  "author-key-mismatch",
  /** Differs from what was demanded. */
  "report-data-mismatch",
] as const;

/** One of {@link FAILURE_CODES}. */
export type FailureCode = (typeof FAILURE_CODES)[number];
