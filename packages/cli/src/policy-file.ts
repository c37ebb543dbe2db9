/** An Appraisal Policy out of a file: whole, or the strict default and what the file says differs from it. */
import { type AppraisalPolicy, readAppraisalPolicy, strictPolicy } from "@blindbox/attestation";
import { EncodingError, parseForeignJson } from "@blindbox/encoding";
import { readInputText } from "./files.ts";
import { instantForm, readInstant } from "./instant.ts";
import { CliError } from "./output/failure.ts";
import { factsOf } from "./type-error.ts";

const hint = 'write { "extends": "strict", … } with the members that differ; docs/tees/ has those of each TEE';

type Members = Readonly<Record<string, unknown>>;

/**
 * Reads the file. Throws a `CliError` for what is no policy: an unknown member, one that is given twice, and one that is
 * missing where the file does not say that it extends the strict default. Nothing is assumed in the place of a mistake.
 */
export async function readPolicyFile(path: string): Promise<AppraisalPolicy> {
  const { extends: base, ...members } = parse(path, await readInputText(path, "an Appraisal Policy", hint));
  const stated = withSeconds(path, members);
  if (base === undefined) return checked(path, stated);
  if (base !== "strict") throw wrong(`${path}: extends`, '"strict", or no such member', "another word");
  return checked(path, merge(strictPolicy as unknown as Members, stated));
}

function parse(path: string, text: string): Members {
  try {
    const { value } = parseForeignJson(text, "policy");
    if (isObject(value)) return value;
  } catch (error) {
    if (!(error instanceof EncodingError)) throw error;
    throw wrong(`${path}: ${error.field}`, error.expected, error.actual);
  }
  throw wrong(path, "an object in JSON", "something else");
}

function isObject(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Objects are merged member by member where the strict default has an object too; lists and values are replaced whole. */
function merge(base: Members, changes: Members): Members {
  const merged: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(changes)) {
    const before = Object.hasOwn(base, name) ? base[name] : undefined;
    merged[name] = isObject(before) && isObject(value) ? merge(before, value) : value;
  }
  return merged;
}

/** An exception ends on a day that a person can read: `until` is an ISO 8601 time in the file. */
function withSeconds(path: string, members: Members): Members {
  const { exceptions } = members;
  if (!Array.isArray(exceptions)) return members;
  const read = exceptions.map((each: unknown, at) => {
    if (!isObject(each) || each["until"] === undefined) return each;
    const { until } = each;
    const milliseconds = typeof until === "string" ? readInstant(until) : null;
    if (milliseconds !== null && milliseconds >= 0) return { ...each, until: Math.floor(milliseconds / 1000) };
    throw wrong(`${path}: policy.exceptions[${at}].until`, instantForm, "something else");
  });
  return { ...members, exceptions: read };
}

function checked(path: string, policy: Members): AppraisalPolicy {
  try {
    return readAppraisalPolicy(policy);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const { field, expected, actual } = factsOf(error);
    throw wrong(`${path}: ${field}`, expected, actual);
  }
}

function wrong(what: string, expected: string, actual: string): CliError {
  return new CliError({ what, expected, actual, hint });
}
