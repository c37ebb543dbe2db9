export {
  LEDGER_TYPE,
  ledgerHeadAfter,
  ledgerLinkBytes,
  ledgerOrigin,
  ledgerOriginBytes,
} from "./chain.ts";
export {
  formatLedger,
  LEDGER_MEDIA_TYPE,
  LEDGER_PATH,
  MAX_LEDGER_BYTES,
  MAX_LEDGER_RECORDS,
  parseLedger,
} from "./parse.ts";
export type { LedgerDocument, LedgerEntry, LedgerMode, LedgerRecord } from "./types.ts";
export { LEDGER_VERDICTS, type LedgerPermission, type LedgerRefusal, type LedgerVerdict } from "./verdicts.ts";
export { type LedgerDifference, type LedgerDifferenceCode, verifyLedger } from "./verify.ts";
