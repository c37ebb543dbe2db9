/** Reading of the Reference Values that a caller passes: complete tuples only. */
import { fromHex, parseSha256 } from "@blindbox/encoding";
import { exactMembers, nonEmptyList, nonEmptyText, word, wrong } from "./arguments.ts";
import { TEE_KINDS } from "./json.ts";
import type { Tee } from "./tee.ts";
import type { ReferenceValues, TeeKind } from "./types.ts";

/**
 * A copy of the caller's tuples, those of other TEEs than `tees` left out: no Evidence can be compared with them.
 *
 * @throws TypeError where the list is empty, none of it is for one of `tees`, or a tuple is not complete.
 */
export function readReferenceValues(value: unknown, tees: ReadonlyMap<TeeKind, Tee>): readonly ReferenceValues[] {
  const tuples = nonEmptyList(value, "referenceValues").flatMap((each, at) => {
    const tuple = exactMembers(each, `referenceValues[${at}]`, ["tee", "registers", "manifest", "runtime", "release"]);
    const tee = tees.get(word(tuple["tee"], `referenceValues[${at}].tee`, TEE_KINDS));
    return tee === undefined ? [] : [readTuple(tuple, `referenceValues[${at}]`, tee)];
  });
  if (tuples.length > 0) return tuples;
  return wrong("referenceValues", `a tuple for ${[...tees.keys()].join(" or ")}`);
}

function readTuple(tuple: Readonly<Record<string, unknown>>, path: string, tee: Tee): ReferenceValues {
  return {
    tee: tee.kind,
    registers: readRegisters(tuple["registers"], `${path}.registers`, tee),
    manifest: sha256Text(tuple["manifest"], `${path}.manifest`),
    runtime: sha256Text(tuple["runtime"], `${path}.runtime`),
    release: nonEmptyText(tuple["release"], `${path}.release`),
  };
}

function readRegisters(value: unknown, path: string, tee: Tee): Readonly<Record<string, string>> {
  const names = Object.keys(tee.registers);
  const registers = exactMembers(value, path, names);
  return Object.fromEntries(
    names.map((name) => [name, hexOf(registers[name], `${path}.${name}`, tee.registers[name] ?? 0)]),
  );
}

function hexOf(value: unknown, path: string, length: number): string {
  const expected = `${length} bytes in lower-case hex`;
  if (typeof value !== "string" || value.length !== 2 * length) return wrong(path, expected);
  return readable(() => fromHex(value, path)) ? value : wrong(path, expected);
}

function sha256Text(value: unknown, path: string): string {
  const expected = "sha256:<64 lower-case hex digits>";
  if (typeof value !== "string") return wrong(path, expected);
  return readable(() => parseSha256(value, path)) ? value : wrong(path, expected);
}

function readable(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch {
    return false;
  }
}
