export { parseSimulatedReport, type SimulatedReport } from "./evidence.ts";
export {
  encodeSimulatedReportBody,
  SIMULATED_BODY_LENGTH,
  SIMULATED_REPORT_LENGTH,
  SIMULATED_TCB,
  type SimulatedReportBody,
} from "./layout.ts";
export { simulated, type SimulatedOptions } from "./tee.ts";
