/** Explanations of what only one kind of hardware has. Those of Intel's published texts stand apart. */
import type { TeeKind } from "@blindbox/attestation";
import type { Explanations } from "./types.ts";

const report = "AMD 56860, ATTESTATION_REPORT";
const vcek = "AMD 57230, VCEK and VLEK certificates";
const tdx = "Intel TDX module ABI, TD attributes";
const nitro = "AWS Nitro Enclaves guide, Verifying the root of trust";
const tpm = "TPM 2.0 Library, part 2, TPMS_ATTEST";
const hcl = "Microsoft, Azure confidential VM guest attestation";
const uvm = "RFC 9052; did:x509";

const sevSnp: Explanations = {
  "evidence-signature": ["The chip's key signed this report, ECDSA P-384 over its first 672 bytes.", report],
  "signing-key": [
    "The report says that the kind of key signed it that the certificate is for.",
    `${report}: SIGNING_KEY`,
  ],
  "endorsement-key": [
    "The certificate is one of a key that signs reports, and says so in name and extensions alike.",
    vcek,
  ],
  "product-agreement": ["Report, certificate and root speak of one product: each orders its TCB in its own way.", vcek],
  "tcb-layout": [
    "Bytes that this product reserves are zero, so no other order can be read into them.",
    `${report}: TCB_VERSION`,
  ],
  "endorsement-key-tcb": [
    "The key was derived from exactly the TCB that the report claims: older firmware cannot sign for newer.",
    `${vcek}; ${report}: REPORTED_TCB`,
  ],
  "chip-id": ["The report is of the chip that the certificate is for.", `${vcek}; ${report}: CHIP_ID`],
  "measurement-endorsement": ["Whoever vouches for a measurement is somebody whose word you accept.", uvm],
  product: ["Only processors that the policy has a floor for are judged at all.", `${report}: CPUID`],
  tcb: [
    "Each component is compared on its own, in the reported, committed and launch TCB: a high one does not make up for a low one.",
    `${report}: REPORTED_TCB, COMMITTED_TCB, LAUNCH_TCB`,
  ],
  "tcb-order": ["No platform reports more than it has, or has committed to more than runs.", `${report}: CURRENT_TCB`],
  "guest-policy-form": ["No bit of the guest's policy is set whose meaning is not known.", `${report}: POLICY`],
  debug: [
    "With the DEBUG bit the host reads and writes the guest's memory through the firmware.",
    `${report}: POLICY.DEBUG`,
  ],
  "migration-agent": [
    "A migration agent could take the guest to a machine that nobody verified.",
    `${report}: POLICY.MIGRATE_MA`,
  ],
  "guest-policy": ["What the guest demands of its host is what you demand.", `${report}: POLICY`],
  "guest-abi": ["The guest refuses firmware that is older than you accept.", `${report}: POLICY.ABI_MAJOR, ABI_MINOR`],
  vmpl: ["At another privilege level the guest is shared with code that can read all of it.", `${report}: VMPL`],
  "platform-info": ["What is on and off in the machine is what you accept.", `${report}: PLATFORM_INFO`],
  "endorsement-key-kind": [
    "A VLEK is one key for many chips of a cloud: whoever takes it out of one signs for all.",
    vcek,
  ],
  "csp-id": ["The cloud that has the key is one that you accept.", vcek],
  chip: ["Once a chip's secrets are out, a list is what contains it.", `${report}: CHIP_ID`],
  "id-key": ["Whoever signed the launch is somebody that you accept.", `${report}: ID_KEY_DIGEST`],
  "author-key": ["Whoever stands behind that signer is somebody that you accept.", `${report}: AUTHOR_KEY_DIGEST`],
  "uvm-issuer": ["The utility VM is vouched for by the issuer that is pinned here.", uvm],
  "uvm-root": ["Its chain ends at the root that is pinned here.", uvm],
  "uvm-purpose": ["Its certificate was made for signing this.", uvm],
  "uvm-thumbprint": ["The signature names the very certificate that it is checked with.", uvm],
  "uvm-signature": ["The issuer signed this measurement and security version.", uvm],
  "uvm-signing-time": ["It was signed while the certificate was good.", uvm],
};

const tdxOwn: Explanations = {
  "evidence-signature": [
    "The attestation key signed header and body of this quote, ECDSA P-256.",
    "Intel DCAP, quote format",
  ],
  debug: ["With the DEBUG attribute the host reads and writes the TD's memory.", `${tdx}: DEBUG`],
  "td-under-debug": ["No other bit of that group takes the TD's protection away.", `${tdx}: TUD`],
  "td-attributes": ["No attribute is set whose meaning is not known.", tdx],
  migratable: ["A migration TD could take this TD to a platform that nobody verified.", `${tdx}: MIGRATABLE`],
  "sept-ve-disable": [
    "Otherwise the host can make the kernel take an exception at any instruction, by unmapping its pages.",
    `${tdx}: SEPT_VE_DISABLE`,
  ],
  xfam: ["No genuine TDX module gives a TD this processor state.", "Intel TDX module ABI, XFAM"],
  "tdx-module-signer": [
    "The module that keeps the host out is Intel's, and a production one.",
    "Intel TDX module ABI, TEE_TCB_INFO",
  ],
  tcb: [
    "The module's security versions are at or above the policy's floor, one by one.",
    "Intel TDX module ABI, TEE_TCB_SVN",
  ],
  "service-td": ["A service TD that is bound to this one may migrate it.", "Intel TDX module ABI, MRSERVICETD"],
  mrseam: ["The TDX module is one that you accept.", "Intel TDX module ABI, MRSEAM"],
  fmspc: ["The family of platforms is one that you accept.", "Intel SGX PCK certificate profile"],
  chip: ["Once a processor's secrets are out, a list is what contains it.", "Intel SGX PCK certificate profile, PPID"],
};

const nitroOwn: Explanations = {
  "evidence-signature": ["The module's key signed this document, COSE_Sign1 with ES384.", `${nitro}; RFC 9052`],
  "leaf-key-usage": ["The document's certificate is one for signatures.", nitro],
  "document-time": ["The document was made while its whole chain was good.", nitro],
  "evidence-age": ["A document that was kept back says how things were, not how they are.", nitro],
  debug: ["PCR0 to PCR2 are all zero in debug mode, where the host reads the enclave's console and memory.", nitro],
  "document-nonce": ["A box puts its nonces into the Statement: one in the document was somebody else's.", nitro],
  "document-public-key": ["A box puts its keys into the Statement: one in the document was somebody else's.", nitro],
  "instance-role": ["PCR3 is of an instance role that you accept.", nitro],
  instance: ["PCR4 is of an instance that you accept.", nitro],
  "image-signer": ["PCR8 is of a signer that you accept.", nitro],
};

const azureVtpm: Explanations = {
  "hardware-checks": ["Everything that is asked of this hardware elsewhere was asked of it here.", hcl],
  "hcl-level": ["The paravisor, not the machine above it, asked for the hardware's report.", hcl],
  "hcl-id-key": [
    "Microsoft signed the paravisor: whoever else makes one makes a virtual TPM that says what he likes.",
    hcl,
  ],
  "hcl-binding": ["The hardware signed the hash of the runtime data, which name the virtual TPM's key.", hcl],
  "hcl-key-use": ["The key signs and does nothing else, so it signs no bytes that somebody chose as a quote.", hcl],
  "tpm-quote-signature": ["The virtual TPM's key signed this quote, which holds your Statement's hash.", tpm],
  "pcr-digest": ["The values shown are the ones that were quoted, each at its number.", `${tpm}: TPMS_QUOTE_INFO`],
  "td-report": ["TDREPORT and quote speak of one TD: only the quote can be verified elsewhere.", hcl],
  "secure-boot": ["With Secure Boot the firmware refuses what its key list does not name.", hcl],
  "serial-console": ["A console lets whoever operates the machine type into it.", hcl],
};

/** By kind of TEE. */
export const hardwareExplanations: Readonly<Record<TeeKind, Explanations>> = {
  "sev-snp": sevSnp,
  tdx: tdxOwn,
  nitro: nitroOwn,
  "azure-vtpm": azureVtpm,
  simulated: {},
};
