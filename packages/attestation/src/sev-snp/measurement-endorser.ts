/** Someone beside AMD who says what a measurement is: for Azure's containers, Microsoft for its utility VM. */
import type { Authentication, TupleShape } from "../tee.ts";
import type { SevSnpReport } from "./evidence.ts";

/** Understands the member `uvm` of the Endorsements. */
export interface MeasurementEndorser {
  /** The tuple of Reference Values that this makes possible, beside the one that names the measurement itself. */
  readonly shape: TupleShape;
  /**
   * Whether `bytes` endorse the report's measurement, at `now` (seconds). It has to compare the measurement itself, and the
   * report may still prove to be forged: its own findings stand beside these.
   */
  endorse(bytes: Uint8Array, report: SevSnpReport, now: number): Promise<Authentication>;
}
