export {
  type AttesterLimits,
  attesterLimits,
  type AttesterOptions,
  createAttester,
  type StatementFacts,
} from "./attester.ts";
export { AttesterError } from "./attester-error.ts";
export {
  azureVtpmProbe,
  createEndorsementSource,
  createHardwareProvider,
  createTdQuoteSource,
  createTeeIoctl,
  describeReports,
  detectDevice,
  type DeviceProbe,
  nsmProbe,
  type PostJson,
  productInCpuinfo,
  type ReadProduct,
  sevGuestProbe,
  systemTsmFiles,
  type TeeDevice,
  TPM_DEVICE,
  tpmAt,
  TSM_ROOT,
  tsmProbe,
} from "./providers/index.ts";
