import type { Limits } from "./access/rule.ts";
import type { App, Resources, User } from "./manifest.ts";
import type { Method } from "./method.ts";
import { integer, list, object, type Shape, text, word } from "./shape/index.ts";

// One pchar (RFC 3986) that can be meant literally: no escape, and neither `*` nor `;`, which mean something else.
const PATH_CHARACTER = "[A-Za-z0-9._~!$&'()+,=:@-]";
const NO_DOT_SEGMENT = "(?!\\.\\.?(?:/|$))";
const LITERAL_PATH = `^(?=/)(?:/${NO_DOT_SEGMENT}${PATH_CHARACTER}+)*/?$`;
const RULE_PATH = `^(?=/)(?!/\\.well-known/blindbox(?:/|$))(?:/${NO_DOT_SEGMENT}${PATH_CHARACTER}+)*(?:/|/\\*\\*)?$`;
const FILE_PATH = "[^/\\u0000-\\u001f\\u007f\\ud800-\\udfff]+";

const GIB = 2 ** 30;

/** Every method that a rule can name. */
export const METHODS: readonly Method[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** `sha256:` and 64 lower-case hex digits. */
export const digestShape: Shape<string> = text({
  expected: '"sha256:" and 64 lower-case hex digits',
  pattern: "^sha256:[0-9a-f]{64}$",
  max: 71,
});

/** The name of the product: a DNS label. */
export const nameShape: Shape<string> = text({
  expected: "a name of 1 to 63 lower-case letters, digits and inner hyphens",
  pattern: "^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$",
  max: 63,
  show: true,
});

/** An id as a rule names it: that of a principal, or `anonymous`. */
export const admittedIdShape: Shape<string> = text({
  expected: "the id of a principal, or anonymous",
  pattern: "^[a-z0-9][a-z0-9._-]{0,63}$",
  max: 64,
});

/** An id as a principal bears it. */
export const principalIdShape: Shape<string> = text({
  expected: "an id of 1 to 64 lower-case letters, digits, dots, underscores and hyphens, other than anonymous",
  pattern: "^(?!anonymous$)[a-z0-9][a-z0-9._-]{0,63}$",
  max: 64,
});

/** An explicit list of methods. */
export const methodsShape: Shape<readonly Method[]> = list(word(METHODS), {
  min: 1,
  max: METHODS.length,
  unique: true,
});

/** The path of a rule: literal, or ending in `/**`. */
export const rulePathShape: Shape<string> = text({
  expected:
    "an absolute path without escapes or dot segments, literal or ending in /**, outside /.well-known/blindbox/",
  pattern: RULE_PATH,
  max: 1024,
  show: true,
});

/** A path that the box itself asks the application for. */
export const literalPathShape: Shape<string> = text({
  expected: "an absolute path without escapes or dot segments",
  pattern: LITERAL_PATH,
  max: 1024,
  show: true,
});

/** How many users the application has. */
export const usersShape: Shape<App["users"]> = word(["one", "many"]);

/** A TCP port. */
export const portShape: Shape<number> = integer(1, 65_535);

/** Numeric user and group: the sandbox maps 65,536 of each. */
export const userShape: Shape<User> = object<User>({ uid: integer(0, 65_535), gid: integer(0, 65_535) });

/** One argument of a command. */
export const argumentShape: Shape<string> = text({
  expected: "a string without NUL of at most 32768 characters",
  pattern: "^[^\\u0000\\ud800-\\udfff]*$",
  max: 32_768,
  hint: "write numbers and booleans in quotes",
});

/** A whole command: `argv[0]` cannot be empty. */
export const commandShape: Shape<readonly string[]> = list(argumentShape, { min: 1, max: 256 });

/** Name of an environment variable. */
export const envNameShape: Shape<string> = text({
  expected: "a name of letters, digits, underscores, dots and hyphens that does not begin with a digit",
  pattern: "^(?!__proto__$)[A-Za-z_][A-Za-z0-9_.-]{0,255}$",
  max: 256,
});

/** Where a program can be started: any absolute path without dot segments, `/` too. */
export const workingDirShape: Shape<string> = text({
  expected: "an absolute path without dot segments and without a slash at its end",
  pattern: `^(?:/|(?:/${NO_DOT_SEGMENT}${FILE_PATH})+)$`,
  max: 4096,
});

/** Folders that the application may write to. */
export const writableShape: Shape<readonly string[]> = list(
  text({
    expected:
      "an absolute path other than / without dot segments, without a slash at its end, not in /proc, /sys or /dev",
    pattern: `^(?!/(?:proc|sys|dev)(?:/|$))(?:/${NO_DOT_SEGMENT}${FILE_PATH})+$`,
    max: 4096,
  }),
  { min: 0, max: 32, unique: true },
);

/** Closed bounds of numbers that both forms hold. Zero where it would mean "no limit" (tmpfs) is out of bounds. */
export const BOUNDS: {
  readonly resources: Readonly<Record<keyof Resources, readonly [number, number]>>;
  readonly limits: Readonly<Record<keyof Limits, readonly [number, number]>>;
} = {
  resources: {
    memory: [2 ** 20, 16 * 1024 * GIB],
    cpus: [1, 1_024_000],
    processes: [1, 65_536],
    tmp: [2 ** 16, 16 * 1024 * GIB],
  },
  limits: {
    body: [0, 64 * GIB],
    requestsPerMinute: [1, 1_000_000],
    totalPerMinute: [1, 100_000_000],
    concurrent: [1, 10_000],
    time: [1, 86_400],
    response: [0, 64 * GIB],
  },
};
