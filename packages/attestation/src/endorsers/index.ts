export { ENDORSER_ERROR_CODES, EndorserError, type EndorserErrorCode, type EndorserFailure } from "./endorser-error.ts";
export { memoryCache, type CachedPart, type EndorsementCache, type Fragment } from "./cache.ts";
export type { VendorBodyReader, VendorFetch, VendorResponse } from "./vendor-fetch.ts";
export type { Sleep, Surroundings } from "./retry.ts";
export type { EndorsementSubject, NitroSubject, SevSnpSubject, TdxSubject } from "./subject.ts";
export type { AmdProduct } from "../sev-snp/products.ts";
export type { AmdSource, Given } from "./plan.ts";
export type { IntelUpdate } from "./intel-pcs.ts";
export type { Dated } from "./part.ts";
export type { Obtained } from "./obtain.ts";
export { amdProductOf, sevSnpSubject, tdxReportData, tdxSubject } from "./evidence-subject.ts";
export { parseCertificateTable, type CertificateTable } from "./certificate-table.ts";
export { createEndorser, type Endorser, type EndorserOptions, type FetchedEndorsements } from "./endorser.ts";
export {
  MAX_ENDORSEMENTS_BYTES,
  endorsementDates,
  formatEndorsementsDocument,
  parseEndorsementsDocument,
  type EndorsementsDocument,
} from "./document.ts";
