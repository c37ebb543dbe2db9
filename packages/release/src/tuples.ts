import { EncodingError, jsonArray, jsonObject, type JsonValue } from "@blindbox/encoding";
import { readMatching, readTee } from "./fields.ts";
import type { ReferenceTuple, ReleaseTee } from "./release.ts";

/** Tuples of one release: one for each shape of machine. */
const MAX_TUPLES = 64;

/** Registers of one tuple: Azure on TDX, with the most, has 34: 10 of the TD, 24 PCRs. */
const MAX_REGISTERS = 64;

const REGISTER = /^[A-Za-z][A-Za-z0-9_]{0,31}$/;

/** What a register may be, as text. The lengths of hex are for the TEE to say. */
interface RegisterForm {
  readonly pattern: RegExp;
  readonly expected: string;
}

const hex: RegisterForm = { pattern: /^(?:[0-9a-f]{2}){1,128}$/, expected: "1 to 128 bytes in lower-case hex" };

/** Who endorses a utility VM, and which one: names, not bytes. */
const text: RegisterForm = { pattern: /^[\x21-\x7e]{1,256}$/, expected: "1 to 256 visible ASCII characters" };

/** The lowest security version that is accepted. */
const decimal: RegisterForm = {
  pattern: /^(?:0|[1-9][0-9]{0,14})$/,
  expected: "a whole number in decimal of at most 15 digits",
};

function formOf(name: string): RegisterForm {
  if (name === "uvmSvn" || name === "guestSvn") return decimal;
  return name.startsWith("uvm") ? text : hex;
}

/**
 * Reads the tuples of a release. All are of the runtime's TEE: a simulated tuple in a release for hardware would let a
 * box on anybody's machine pass for it.
 */
export function readTuples(value: JsonValue | undefined, tee: ReleaseTee): readonly ReferenceTuple[] {
  const tuples = jsonArray(value, "referenceValues", MAX_TUPLES);
  if (tuples.length === 0) throw new EncodingError("bad-encoding", "referenceValues", "at least one tuple", "none");
  return tuples.map((tuple, index) => readTuple(tuple, tee, `referenceValues[${index}]`));
}

function readTuple(value: JsonValue, tee: ReleaseTee, field: string): ReferenceTuple {
  const tuple = jsonObject(value, field, ["registers", "tee"]);
  const found = readTee(tuple.tee, `${field}.tee`);
  if (found !== tee) throw new EncodingError("bad-encoding", `${field}.tee`, `the runtime's, ${tee}`, found);
  return { tee, registers: readRegisters(tuple.registers, `${field}.registers`) };
}

function readRegisters(value: JsonValue | undefined, field: string): Readonly<Record<string, string>> {
  const names = namesOf(value);
  if (names.length === 0 || names.length > MAX_REGISTERS || !names.every((name) => REGISTER.test(name))) {
    throw new EncodingError(
      "bad-encoding",
      field,
      `an object of 1 to ${MAX_REGISTERS} registers`,
      `${names.length} names`,
    );
  }
  const registers = jsonObject(value, field, names);
  return Object.fromEntries(names.map((name) => [name, readRegister(registers[name], name, `${field}.${name}`)]));
}

function readRegister(value: JsonValue | undefined, name: string, field: string): string {
  const { pattern, expected } = formOf(name);
  return readMatching(value, field, pattern, expected);
}

function namesOf(value: JsonValue | undefined): readonly string[] {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
}
