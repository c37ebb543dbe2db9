/** Reading of the Reference Values that a caller passes: complete tuples only. */
import { fromHex, parseSha256 } from "@blindbox/encoding";
import { exactMembers, nonEmptyList, nonEmptyText, word, wrong } from "./arguments.ts";
import { TEE_KINDS } from "./json.ts";
import type { RegisterForm, Tee, TupleShape } from "./tee.ts";
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
  const shape = shapeOf(value, path, tee);
  const registers = exactMembers(value, path, Object.keys(shape));
  return Object.fromEntries(
    Object.entries(shape).map(([name, form]) => [name, readRegister(registers[name], `${path}.${name}`, form)]),
  );
}

/** The shape that a tuple is measured by: the one with most of its names, so that what is missing can be told. */
function shapeOf(value: unknown, path: string, { tuples }: Tee): TupleShape {
  if (typeof value !== "object" || value === null) return wrong(path, "an object");
  const shared = (shape: TupleShape): number => Object.keys(shape).filter((name) => Object.hasOwn(value, name)).length;
  const [nearest] = tuples.toSorted((a, b) => shared(b) - shared(a));
  return nearest ?? wrong(path, "registers of this kind of TEE");
}

function readRegister(value: unknown, path: string, form: RegisterForm): string {
  if (typeof form === "number") return hexOf(value, path, form);
  if (form === "at-least") return decimalOf(value, path);
  return typeof value === "string" && /^[\x21-\x7e]{1,256}$/.test(value)
    ? value
    : wrong(path, "1 to 256 visible ASCII characters");
}

function decimalOf(value: unknown, path: string): string {
  if (typeof value === "string" && /^(0|[1-9][0-9]{0,14})$/.test(value)) return value;
  return wrong(path, "a whole number in decimal, as text");
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
