/** Which of Intel's levels a TD stands at, in Intel's order (PCS documentation, "Get TDX TCB Info"). Pure; nothing is believed here. */
import type { TdQuote } from "./evidence.ts";
import { isvSvnLevel, type IsvSvnLevel } from "./isvsvn-levels.ts";
import type { QeIdentity } from "./qe-identity.ts";
import type { ModuleIdentity, PlatformLevel, TcbInfo, VersionedModule } from "./tcb-info.ts";
import { isOutOfDate, needsConfiguration, worstOf, type LevelStatus, type TcbStatus } from "./tcb-status.ts";
import type { SgxExtension } from "./sgx-extension.ts";

/** The levels that were found; `null` is one that was not, and then the TD is not supported. */
export interface TcbEvaluation {
  /** By Intel's name of the module's major version; `null` where that is 0, which has no name. */
  readonly moduleId: string | null;
  /** What the module that launched the TD is compared with; `null` where Intel names no such module. */
  readonly module: ModuleIdentity | null;
  /** `"unrated"` where the major version is 0: the platform's level then judges the module as well. */
  readonly moduleLevel: IsvSvnLevel | "unrated" | null;
  readonly platformLevel: PlatformLevel | null;
  readonly qeLevel: IsvSvnLevel | null;
  /** Of all parts together; `null` where one of them has no level. */
  readonly status: TcbStatus | null;
  /** In order, each once. */
  readonly advisories: readonly string[];
}

/** Finds the levels of a quote. */
export function evaluateTcb({ td, qe, pck }: TdQuote, info: TcbInfo, identity: QeIdentity): TcbEvaluation {
  const { moduleId, module, moduleLevel } = moduleOf(td.teeTcbSvn, info);
  const ofPlatform = info.levels.filter((level) => reachesSgx(pck.sgx, level));
  const platformLevel = ofPlatform.find((level) => reachesTdx(td.teeTcbSvn, level)) ?? null;
  const qeLevel = isvSvnLevel(identity.levels, qe.isvSvn);
  const levels = [platformLevel, moduleLevel, qeLevel];
  const rated = levels.filter((level) => level !== null && level !== "unrated");
  const whole = levels.includes(null) ? null : worstOf(rated.map(({ status }) => status));
  const relaunched = relaunchCures(td.teeTcbSvn2, info, ofPlatform[0] ?? null, moduleLevel, qeLevel);
  return {
    moduleId,
    module,
    moduleLevel,
    platformLevel,
    qeLevel,
    status: whole !== null && relaunched ? afterRelaunch(whole, ofPlatform[0]?.status ?? whole) : whole,
    advisories: [...new Set(rated.flatMap(({ advisories }) => advisories))].sort(),
  };
}

/** What Intel calls the module of these security versions, for example `TDX_01`; `null` for major version 0. */
export function moduleIdOf(teeTcbSvn: Uint8Array): string | null {
  const major = teeTcbSvn[1] ?? 0;
  return major === 0 ? null : `TDX_${major.toString(16).padStart(2, "0").toUpperCase()}`;
}

function moduleOf(svn: Uint8Array, info: TcbInfo): Pick<TcbEvaluation, "moduleId" | "module" | "moduleLevel"> {
  const moduleId = moduleIdOf(svn);
  if (moduleId === null) return { moduleId, module: info.module, moduleLevel: "unrated" };
  const module = versionedModule(info, moduleId);
  return { moduleId, module, moduleLevel: module === null ? null : isvSvnLevel(module.levels, svn[0] ?? 0) };
}

function versionedModule({ modules }: TcbInfo, moduleId: string): VersionedModule | null {
  return modules.find(({ id }) => id === moduleId) ?? null;
}

function reachesSgx({ sgxTcb, pceSvn }: SgxExtension, level: PlatformLevel): boolean {
  return reaches(sgxTcb, level.sgx) && pceSvn >= level.pceSvn;
}

/** Versions 0 and 1 are the module's, which its own levels judge unless its major version is 0. */
function reachesTdx(teeTcbSvn: Uint8Array, level: PlatformLevel): boolean {
  const from = moduleIdOf(teeTcbSvn) === null ? 0 : 2;
  return reaches(Array.from(teeTcbSvn).slice(from), level.tdx.slice(from));
}

function reaches(actual: readonly number[], least: readonly number[]): boolean {
  return least.every((svn, at) => (actual[at] ?? -1) >= svn);
}

/**
 * Whether all that is out of date is the module that launched the TD, while the one that runs now is the latest (TDX 1.5,
 * which replaces a module under running TDs).
 */
function relaunchCures(
  running: Uint8Array | null,
  info: TcbInfo,
  sgxLevel: PlatformLevel | null,
  moduleLevel: TcbEvaluation["moduleLevel"],
  qeLevel: IsvSvnLevel | null,
): boolean {
  if (running === null || sgxLevel === null || moduleLevel === null || moduleLevel === "unrated") return false;
  const others: readonly LevelStatus[] = [sgxLevel.status, qeLevel?.status ?? "Revoked"];
  if (moduleLevel.status !== "OutOfDate" || others.includes("Revoked") || others.some(isOutOfDate)) return false;
  return isLatest(running, info);
}

function isLatest(running: Uint8Array, info: TcbInfo): boolean {
  const [latest] = info.levels;
  const moduleId = moduleIdOf(running);
  const least = moduleId === null ? latest?.tdx[0] : versionedModule(info, moduleId)?.levels[0]?.isvSvn;
  const microcode = latest?.tdx[2];
  if (least === undefined || microcode === undefined) return false;
  return (running[0] ?? 0) >= least && (running[2] ?? 0) >= microcode;
}

function afterRelaunch(whole: LevelStatus, sgx: LevelStatus): TcbStatus {
  if (!isOutOfDate(whole)) return whole;
  const configuration = needsConfiguration(whole) || needsConfiguration(sgx);
  return configuration ? "TDRelaunchAdvisedConfigurationNeeded" : "TDRelaunchAdvised";
}
