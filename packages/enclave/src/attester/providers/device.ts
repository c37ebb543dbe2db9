/** What every driver of a TEE's device offers, and what is said of a device that is there or not. Types only. */
import type { TeeKind } from "@blindbox/attestation";
import type { EndorsementSubject, Given } from "@blindbox/attestation/endorsers";

/** A TEE's device: Evidence, and for whose Endorsements one has to ask. It knows no vendor. */
export interface TeeDevice {
  readonly tee: Exclude<TeeKind, "simulated">;
  /**
   * Has the TEE sign `binding`, 64 bytes.
   *
   * @throws DeviceFault where the device is out of reach, refuses, or answers something else.
   */
  read(binding: Uint8Array): Promise<DeviceReading>;
}

/** One answer of a device. */
export interface DeviceReading {
  readonly evidence: Uint8Array;
  /** The hardware that signed: below a vTPM, that of the machine. */
  readonly subject: EndorsementSubject;
  /** Certificates that the host handed over beside the Evidence. Nothing of them is trusted. */
  readonly given: Given;
}

/** What was found where a device may be. `present`: something of that name is there. */
export interface DeviceReport {
  readonly device: DeviceName;
  readonly present: boolean;
  readonly usable: boolean;
  /** Why it cannot be used, or which TEE it is. */
  readonly reason: string;
}

/** The places where a TEE's device may be, as they are called in reports. */
export type DeviceName = "vtpm" | "nsm" | "configfs-tsm" | "sev-guest";

/** Looks at one place. */
export interface DeviceProbe {
  readonly device: DeviceName;
  /** Never rejects: whatever is wrong is the reason. `found` is null where the device cannot be used. */
  look(): Promise<ProbeResult>;
}

export interface ProbeResult {
  readonly report: DeviceReport;
  readonly found: TeeDevice | null;
}

/** Waits. */
export type Sleep = (milliseconds: number) => Promise<void>;

/** What a machine hands over that has nothing to hand over. */
export const NOTHING_GIVEN: Given = Object.freeze({ ek: null, uvm: null });
