export {
  type ImageDigests,
  simulatedMeasurement,
  type SimulatedReferenceValues,
  simulatedReferenceValues,
} from "./simulated.ts";
