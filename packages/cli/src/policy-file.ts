/** An Appraisal Policy out of a file: the strict default, and what the file says differs from it. */
import { type AppraisalPolicy, readAppraisalPolicy, strictPolicy } from "@blindbox/attestation";
import { readInputText } from "./files.ts";
import { CliError } from "./output/failure.ts";

const hint = 'write { "extends": "strict", … } with the members that differ; docs/tees/ has those of each TEE';

type Members = Readonly<Record<string, unknown>>;

/** Reads the file. Throws a `CliError` for what is no policy; nothing is assumed in the place of a mistake. */
export async function readPolicyFile(path: string): Promise<AppraisalPolicy> {
  const value = parse(path, await readInputText(path, "an Appraisal Policy", hint));
  const { extends: base, ...changes } = value;
  if (base !== "strict")
    throw wrong(path, '"extends": "strict"', base === undefined ? "no such member" : "another word");
  const merged = merge(strictPolicy as unknown as Members, withSeconds(path, changes), path);
  return checked(path, merged);
}

function parse(path: string, text: string): Members {
  try {
    const value = JSON.parse(text) as unknown;
    if (isObject(value)) return value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw wrong(path, "an object in JSON", "something else");
}

function isObject(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Objects are merged member by member where the strict default has an object too; lists and values are replaced whole. */
function merge(base: Members, changes: Members, path: string): Members {
  const merged: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(changes)) {
    if (!Object.hasOwn(base, name))
      throw wrong(`${path}: ${shown(name)}`, Object.keys(base).join(", "), "an unknown member");
    const before = base[name];
    merged[name] = isObject(before) && isObject(value) ? merge(before, value, path) : value;
  }
  return merged;
}

function shown(name: string): string {
  return name.replace(/[^\x21-\x7e]/g, "?").slice(0, 64);
}

/** An exception ends on a day that a person can read: `until` is an ISO 8601 time in the file. */
function withSeconds(path: string, changes: Members): Members {
  const { exceptions } = changes;
  if (!Array.isArray(exceptions)) return changes;
  const read = exceptions.map((each: unknown, at) => {
    if (!isObject(each)) return each;
    const { until } = each;
    const seconds = typeof until === "string" ? Math.floor(Date.parse(until) / 1000) : Number.NaN;
    if (Number.isSafeInteger(seconds)) return { ...each, until: seconds };
    throw wrong(`${path}: exceptions[${at}].until`, "a time such as 2027-01-31T00:00:00Z", "something else");
  });
  return { ...changes, exceptions: read };
}

function checked(path: string, policy: Members): AppraisalPolicy {
  try {
    return readAppraisalPolicy(policy);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw wrong(path, "a policy that can be enforced", error.message);
  }
}

function wrong(what: string, expected: string, actual: string): CliError {
  return new CliError({ what, expected, actual, hint });
}
