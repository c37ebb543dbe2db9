export {
  type AttesterLimits,
  attesterLimits,
  type AttesterOptions,
  createAttester,
  type StatementFacts,
} from "./attester.ts";
export { AttesterError } from "./attester-error.ts";
