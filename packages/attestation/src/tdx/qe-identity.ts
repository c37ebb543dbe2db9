/** The identity of the TD quoting enclave (Intel PCS, version 4). No trust. */
import { jsonInteger, jsonString, type JsonValue } from "@blindbox/encoding";
import { jsonMembers } from "../json.ts";
import { EvidenceError } from "../evidence-error.ts";
import { isvSvnLevelsOf, type IsvSvnLevel } from "./isvsvn-levels.ts";
import { hexOf } from "./signed-text.ts";
import { datedOf, type Dated } from "./tcb-info.ts";

/** What a genuine TD quoting enclave's report says. */
export interface QeIdentity extends Dated {
  readonly miscselect: Uint8Array;
  readonly miscselectMask: Uint8Array;
  readonly attributes: Uint8Array;
  readonly attributesMask: Uint8Array;
  readonly mrsigner: Uint8Array;
  readonly isvProdId: number;
  /** Highest first. */
  readonly levels: readonly IsvSvnLevel[];
}

const field = "enclaveIdentity";

/**
 * Reads the value of the member `enclaveIdentity`.
 *
 * @throws EvidenceError `qe-identity-wrong-type` for another enclave's identity, or another version; EncodingError for whatever
 * else is not of its form.
 */
export function readQeIdentity(value: JsonValue): QeIdentity {
  const identity = jsonMembers(value, field);
  expectType(identity);
  const bytes = (member: string, length: number): Uint8Array => hexOf(identity[member], `${field}.${member}`, length);
  return {
    ...datedOf(identity, field),
    miscselect: bytes("miscselect", 4),
    miscselectMask: bytes("miscselectMask", 4),
    attributes: bytes("attributes", 16),
    attributesMask: bytes("attributesMask", 16),
    mrsigner: bytes("mrsigner", 32),
    isvProdId: jsonInteger(identity["isvprodid"], `${field}.isvprodid`, { min: 0, max: 0xffff }),
    levels: isvSvnLevelsOf(identity["tcbLevels"], `${field}.tcbLevels`),
  };
}

function expectType({ id, version }: Readonly<Record<string, JsonValue>>): void {
  const name = jsonString(id, `${field}.id`);
  const number = jsonInteger(version, `${field}.version`, { min: 0, max: 0xffff });
  if (name === "TD_QE" && number === 2) return;
  throw new EvidenceError("qe-identity-wrong-type", field, "TD_QE, version 2", `version ${number}`);
}
