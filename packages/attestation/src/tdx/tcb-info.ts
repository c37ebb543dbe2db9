/** TCB info (Intel PCS, version 4): which platform and which TDX module stands how. No trust. */
import { EncodingError, jsonArray, jsonInteger, jsonString, type JsonValue } from "@blindbox/encoding";
import { jsonMembers } from "../json.ts";
import { EvidenceError } from "../evidence-error.ts";
import { isvSvnLevelsOf, maxLevels, ratingOf, type IsvSvnLevel, type Rating } from "./isvsvn-levels.ts";
import { dateOf, hexOf } from "./signed-text.ts";

/** What all of Intel's signed texts have. */
export interface Dated {
  /** Seconds since 1970. */
  readonly issueDate: number;
  /** Seconds since 1970. */
  readonly nextUpdate: number;
  readonly tcbEvaluationDataNumber: number;
}

/** Who signed a TDX module, and what its attributes have to be. */
export interface ModuleIdentity {
  readonly mrsigner: Uint8Array;
  readonly attributes: Uint8Array;
  readonly attributesMask: Uint8Array;
}

/** The same for one major version, with its levels. */
export interface VersionedModule extends ModuleIdentity {
  /** In upper case: `TDX_01`. */
  readonly id: string;
  readonly levels: readonly IsvSvnLevel[];
}

/** A level of the whole platform. */
export interface PlatformLevel extends Rating {
  /** The sixteen lowest SVNs of the SGX TCB. */
  readonly sgx: readonly number[];
  readonly pceSvn: number;
  /** The sixteen lowest SVNs of the TDX TCB. */
  readonly tdx: readonly number[];
}

/** TCB info of one family of platforms, for TDX. */
export interface TcbInfo extends Dated {
  /** 6 bytes. */
  readonly fmspc: Uint8Array;
  /** 2 bytes. */
  readonly pceId: Uint8Array;
  /** For modules of major version 0. */
  readonly module: ModuleIdentity;
  /** For the others. */
  readonly modules: readonly VersionedModule[];
  /** Highest first. */
  readonly levels: readonly PlatformLevel[];
}

const field = "tcbInfo";
const componentCount = 16;
/** One for each major version of the module. */
const maxModules = 64;

/**
 * Reads the value of the member `tcbInfo`.
 *
 * @throws EvidenceError `tcb-info-wrong-type` for TCB info of SGX, of another version or type of comparison; EncodingError for
 * whatever else is not of its form.
 */
export function readTcbInfo(value: JsonValue): TcbInfo {
  const info = jsonMembers(value, field);
  expectType(info);
  return {
    ...datedOf(info, field),
    fmspc: hexOf(info["fmspc"], `${field}.fmspc`, 6),
    pceId: hexOf(info["pceId"], `${field}.pceId`, 2),
    module: moduleOf(info["tdxModule"], `${field}.tdxModule`),
    modules: modulesOf(info["tdxModuleIdentities"]),
    levels: jsonArray(info["tcbLevels"], `${field}.tcbLevels`, maxLevels).map(levelOf),
  };
}

// tcbType says how SVNs are compared. There is no other way than 0 so far.
function expectType({ id, version, tcbType }: Readonly<Record<string, JsonValue>>): void {
  const range = { min: 0, max: 0xffff };
  const name = jsonString(id, `${field}.id`);
  const number = jsonInteger(version, `${field}.version`, range);
  const type = jsonInteger(tcbType, `${field}.tcbType`, range);
  if (name === "TDX" && number === 3 && type === 0) return;
  throw new EvidenceError("tcb-info-wrong-type", field, "TDX, version 3, type 0", `version ${number}, type ${type}`);
}

/** Dates and evaluation number. */
export function datedOf(members: Readonly<Record<string, JsonValue>>, path: string): Dated {
  const range = { min: 0, max: 0xffff_ffff };
  const number = `${path}.tcbEvaluationDataNumber`;
  return {
    issueDate: dateOf(members["issueDate"], `${path}.issueDate`),
    nextUpdate: dateOf(members["nextUpdate"], `${path}.nextUpdate`),
    tcbEvaluationDataNumber: jsonInteger(members["tcbEvaluationDataNumber"], number, range),
  };
}

function moduleOf(value: JsonValue | undefined, path: string): ModuleIdentity {
  const module = jsonMembers(value, path);
  return {
    mrsigner: hexOf(module["mrsigner"], `${path}.mrsigner`, 48),
    attributes: hexOf(module["attributes"], `${path}.attributes`, 8),
    attributesMask: hexOf(module["attributesMask"], `${path}.attributesMask`, 8),
  };
}

// Before 2023-08 there was no module of another major version than 0, and no such member.
function modulesOf(value: JsonValue | undefined): readonly VersionedModule[] {
  const path = `${field}.tdxModuleIdentities`;
  if (value === undefined) return [];
  const modules = jsonArray(value, path, maxModules).map((each, at) => {
    const module = jsonMembers(each, `${path}[${at}]`);
    return {
      ...moduleOf(module, `${path}[${at}]`),
      id: jsonString(module["id"], `${path}[${at}].id`).toUpperCase(),
      levels: isvSvnLevelsOf(module["tcbLevels"], `${path}[${at}].tcbLevels`),
    };
  });
  if (new Set(modules.map(({ id }) => id)).size === modules.length) return modules;
  throw new EncodingError("bad-encoding", path, "each module once", "one twice");
}

function levelOf(value: JsonValue, at: number): PlatformLevel {
  const path = `${field}.tcbLevels[${at}]`;
  const level = jsonMembers(value, path);
  const tcb = jsonMembers(level["tcb"], `${path}.tcb`);
  return {
    ...ratingOf(level, path),
    sgx: componentsOf(tcb["sgxtcbcomponents"], `${path}.sgxtcbcomponents`),
    pceSvn: jsonInteger(tcb["pcesvn"], `${path}.pcesvn`, { min: 0, max: 0xffff }),
    tdx: componentsOf(tcb["tdxtcbcomponents"], `${path}.tdxtcbcomponents`),
  };
}

function componentsOf(value: JsonValue | undefined, path: string): readonly number[] {
  const components = jsonArray(value, path, componentCount);
  if (components.length !== componentCount) {
    throw new EncodingError("bad-encoding", path, `${componentCount} components`, `${components.length}`);
  }
  return components.map((component, at) =>
    jsonInteger(jsonMembers(component, `${path}[${at}]`)["svn"], `${path}[${at}].svn`, { min: 0, max: 0xff }),
  );
}
