/** Whose word counts: the keys that Microsoft signs the launch of its paravisor with. The hardware's roots are the hardware's. */

/**
 * SHA-384 of the ID keys of the paravisor's launch on SEV-SNP, as the firmware reports them. Read off machines whose whole chain
 * verified: the first on Genoa, the second on Milan and Genoa. A TD has no such signer: there the tuple alone says which
 * paravisor it is.
 */
export const MICROSOFT_ID_KEYS: readonly string[] = Object.freeze([
  "0356215882a825279a85b300b0b742931d113bf7e32dde2e50ffde7ec743ca491ecdd7f336dc28a6e0b2bb57af7a44a3",
  "942fd93ebde6ea7a96efadeafc60f1c6b3d10e703b1dafd7555b92f7f3d32d0e006767648cba5b102af3d65756af4177",
]);
