/** The user of an image, looked up in the image's own account files as container engines do. */
import { BuildError, quoted } from "../build-error.ts";
import { maxOwnerId } from "../limits.ts";
import { lookUp } from "./lookup.ts";
import type { DirectoryNode } from "./tree.ts";

/** Numeric user and group. */
export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
}

/** Account files of real images have a few kilobytes. */
const maxAccountBytes = 1 << 20;

function accountLines(root: DirectoryNode, name: "passwd" | "group"): readonly (readonly string[])[] {
  const node = lookUp(root, ["etc", name]);
  if (node?.kind !== "file") return [];
  const { file, offset, size } = node.content;
  if (size > maxAccountBytes) {
    const problem = { field: `/etc/${name}`, expected: `at most ${maxAccountBytes} bytes`, actual: `${size} bytes` };
    throw new BuildError("limit-exceeded", problem);
  }
  const text = Buffer.concat([...file.read(offset, size)]).toString("latin1");
  return text.split("\n").map((line) => line.split(":"));
}

function numberOf(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : null;
}

function unknown(member: string, value: string, where: string, hint: string): BuildError {
  const problem = { field: `config.User ${member}`, expected: `a ${member} of the image's ${where}` };
  return new BuildError("unknown-user", { ...problem, actual: quoted(value), hint });
}

const userHint = "add the account in the image, or set app.user to a number in the manifest";

function findUser(root: DirectoryNode, user: string): ResolvedUser {
  const accounts = accountLines(root, "passwd");
  const uid = numberOf(user);
  const account =
    accounts.find((line) => line[0] === user) ?? accounts.find((line) => uid !== null && numberOf(line[2]) === uid);
  const found = { uid: numberOf(account?.[2]) ?? uid, gid: numberOf(account?.[3]) ?? 0 };
  if (found.uid === null) throw unknown("user", user, "/etc/passwd", userHint);
  return { uid: found.uid, gid: found.gid };
}

function findGroup(root: DirectoryNode, group: string): number {
  const named = accountLines(root, "group").find((line) => line[0] === group);
  const gid = numberOf(named?.[2]) ?? numberOf(group);
  if (gid === null) throw unknown("group", group, "/etc/group", userHint);
  return gid;
}

/**
 * `user` is the config's text: empty (root), a name or a number, and a group after a colon. Without a group it is that of
 * the account, or 0 where a number has no account. Throws a BuildError `unknown-user` for a name that the image does not
 * know, and `owner-out-of-range` above 65535.
 */
export function resolveUser(root: DirectoryNode, user: string): ResolvedUser {
  const [name = "", group = ""] = user.split(":", 2);
  const account = findUser(root, name === "" ? "0" : name);
  const resolved = { uid: account.uid, gid: group === "" ? account.gid : findGroup(root, group) };
  if (Math.max(resolved.uid, resolved.gid) <= maxOwnerId) return resolved;
  const problem = { field: "config.User", expected: `numbers of at most ${maxOwnerId}` };
  throw new BuildError("owner-out-of-range", { ...problem, actual: `${resolved.uid}:${resolved.gid}` });
}
