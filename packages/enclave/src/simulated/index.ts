export { createDevice, type Device, type DeviceOptions } from "./device/device.ts";
export { DeviceError, type DeviceErrorCode } from "./device/device-error.ts";
export { measureImage } from "./device/image.ts";
export { currentSilicon, type Silicon } from "./device/silicon.ts";
export { createSimulatedProvider } from "./provider.ts";
