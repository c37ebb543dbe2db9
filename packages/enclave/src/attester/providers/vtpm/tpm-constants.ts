/** Numbers of the TPM 2.0 Library specification, part 2, and of Azure's use of its virtual TPM. */

/** TPM_ST: what a command is. */
export const TAG_NO_SESSIONS = 0x8001;
export const TAG_SESSIONS = 0x8002;

/** TPM_CC: commands. */
export const NV_READ = 0x14e;
export const QUOTE = 0x158;
export const NV_READ_PUBLIC = 0x169;
export const READ_PUBLIC = 0x173;
export const PCR_READ = 0x17e;

/** TPM_ALG_ID: algorithms. */
export const ALGORITHM_RSA = 0x0001;
export const ALGORITHM_SHA256 = 0x000b;
export const ALGORITHM_RSASSA = 0x0014;

/** Handles that are the same in every TPM: the owner, and the session that is a password. */
export const HANDLE_OWNER = 0x4000_0001;
export const HANDLE_PASSWORD = 0x4000_0009;

/** Bits of TPMA_NV: who may read. */
export const NV_OWNER_READ = 0x0002_0000;
export const NV_AUTH_READ = 0x0004_0000;

/** What Azure's paravisor keeps in the virtual TPM: its report, and the key that signs quotes. */
export const HCL_REPORT_INDEX = 0x0140_0001;
export const AZURE_AK = 0x8100_0003;

export const PCR_COUNT = 24;
export const SHA256_BYTES = 32;
