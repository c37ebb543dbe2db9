export { productInCpuinfo, type ReadProduct } from "./amd.ts";
export { systemTsmFiles } from "./configfs-tsm/tsm-files.ts";
export { tsmProbe } from "./configfs-tsm/tsm-device.ts";
export { TSM_ROOT, type TsmAccess } from "./configfs-tsm/tsm-report.ts";
export { describeReports, type Detection, detectDevice } from "./detect.ts";
export type { DeviceName, DeviceProbe, DeviceReading, DeviceReport, Sleep, TeeDevice } from "./device.ts";
export { DeviceFault, type DeviceFaultCode } from "./device-fault.ts";
export {
  createEndorsementSource,
  type EndorsementSource,
  type EndorsementSourceOptions,
} from "./endorsement-source.ts";
export { createTeeIoctl, type TeeIoctl } from "./ioctl/tee-ioctl.ts";
export { nsmProbe } from "./nsm/nsm.ts";
export { createHardwareProvider } from "./provider.ts";
export { sevGuestProbe } from "./sev-guest/sev-guest.ts";
export { azureVtpmProbe } from "./vtpm/azure-vtpm.ts";
export { createTdQuoteSource, type PostJson } from "./vtpm/td-quote.ts";
export { TPM_DEVICE, tpmAt } from "./vtpm/tpm-transport.ts";
