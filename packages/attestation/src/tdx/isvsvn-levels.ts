/** Levels of one security version: those of Intel's enclaves and of the TDX module. */
import { jsonArray, jsonInteger, type JsonValue } from "@blindbox/encoding";
import { jsonMembers } from "../json.ts";
import { advisoriesOf, dateOf, statusOf } from "./signed-text.ts";
import type { LevelStatus } from "./tcb-status.ts";

/** What Intel says of a part at one of its security versions. */
export interface Rating {
  readonly status: LevelStatus;
  /** Seconds since 1970: when Intel made this the level. */
  readonly date: number;
  readonly advisories: readonly string[];
}

/** A level that is reached with one security version. */
export interface IsvSvnLevel extends Rating {
  readonly isvSvn: number;
}

/** A level of every TCB recovery since 2018 would be some thirty. */
export const maxLevels = 256;

/** Status, date and advisories of a level. */
export function ratingOf(level: Readonly<Record<string, JsonValue>>, path: string): Rating {
  return {
    status: statusOf(level["tcbStatus"], `${path}.tcbStatus`),
    date: dateOf(level["tcbDate"], `${path}.tcbDate`),
    advisories: advisoriesOf(level["advisoryIDs"], `${path}.advisoryIDs`),
  };
}

/** Reads a list of levels, highest first as Intel orders it. */
export function isvSvnLevelsOf(value: JsonValue | undefined, path: string): readonly IsvSvnLevel[] {
  return jsonArray(value, path, maxLevels).map((each, at) => {
    const level = jsonMembers(each, `${path}[${at}]`);
    const { isvsvn } = jsonMembers(level["tcb"], `${path}[${at}].tcb`);
    const isvSvn = jsonInteger(isvsvn, `${path}[${at}].tcb.isvsvn`, { min: 0, max: 0xffff });
    return { isvSvn, ...ratingOf(level, `${path}[${at}]`) };
  });
}

/** The first level that is reached; `null` where none is. */
export function isvSvnLevel(levels: readonly IsvSvnLevel[], isvSvn: number): IsvSvnLevel | null {
  return levels.find((level) => level.isvSvn <= isvSvn) ?? null;
}
