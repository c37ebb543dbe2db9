export {
  ACCESS_LOG_MEDIA_TYPE,
  ACCESS_LOG_PATH,
  ACCESS_LOG_TYPE,
  formatAccessLog,
  MAX_ACCESS_LOG_BYTES,
  MAX_ACCESS_RECORDS,
  parseAccessLog,
} from "./parse.ts";
export type { AccessEntry, AccessLogDocument, AccessOutcome, AccessRecord } from "./types.ts";
export { type AccessLogDifference, type AccessLogDifferenceCode, verifyAccessLog } from "./verify.ts";
