export { parseEndorsementKey, type EndorsementKey } from "./endorsement-key.ts";
export { parseSevSnpReport, type FirmwareBuild, type SevSnpReport, type SigningKey } from "./evidence.ts";
export {
  GUEST_POLICY_FEATURES,
  PLATFORM_FEATURES,
  type GuestPolicyFeature,
  type PlatformFeature,
} from "./bits.ts";
export type { MeasurementEndorser } from "./measurement-endorser.ts";
export type { FeatureRules, SevSnpPolicy, TcbFloor, TurinTcbFloor } from "./policy.ts";
export type { AmdProduct, Cpuid, TcbComponent } from "./products.ts";
export { componentsOf as amdTcbComponents } from "./tcb.ts";
export { sevSnp, type SevSnpOptions } from "./tee.ts";
