export type {
  AppProcess,
  AppState,
  AppUpstream,
  Attester,
  BoxEvent,
  DeviceEvidence,
  Driver,
  DriverChoice,
  EmitEvent,
  EvidenceProvider,
  Sandbox,
  SandboxSpec,
  Supervisor,
} from "./parts.ts";
export { type RefusalCode, RefusalError } from "./refusal.ts";
export { type Box, type BoxOptions, startBox, type StopGrace } from "./start.ts";
