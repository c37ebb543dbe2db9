/**
 * Which user ids the sandbox has. Two user namespaces lie in one another. The *outer* owns the network and the mounts;
 * its root is who sets up, and is, on the host, the same id as the application: bubblewrap changes no id, so the directories
 * that it makes writable belong to the application, and so does the process in which it starts it. The *inner* is where the application
 * lives: it sees its own id there, holds no capability in it or a few over its own ids, and none of what the sandbox rests
 * on belongs to it.
 */
import type { AppUser } from "../parts.ts";

/** Host ids of the rooted driver. The application is never the host's root, whatever it is inside. */
export const FIRST_HOST_ID = 100_000;
/** How many ids an image may use: 0 to 65535. */
export const ID_COUNT = 65_536;

/** One line of /proc/PID/uid_map (user_namespaces(7)). */
export interface IdRange {
  readonly inside: number;
  readonly outside: number;
  readonly count: number;
}

export interface IdMap {
  readonly uids: readonly IdRange[];
  readonly gids: readonly IdRange[];
}

export interface IdMaps {
  readonly outer: IdMap;
  /** In ids of the outer namespace. */
  readonly inner: IdMap;
}

/** 65,536 ids: inside, `n` is the host's 100000 + n. */
export function manyIds(user: AppUser): IdMaps {
  return {
    outer: { uids: rootFirst(user.uid), gids: rootFirst(user.gid) },
    inner: { uids: rootBack(user.uid), gids: rootBack(user.gid) },
  };
}

/** One id: the application is, on the host, who runs the box. */
export function oneId(user: AppUser, host: AppUser): IdMaps {
  const one = (inside: number, outside: number): IdRange[] => [{ inside, outside, count: 1 }];
  return {
    outer: { uids: one(0, host.uid), gids: one(0, host.gid) },
    inner: { uids: one(user.uid, 0), gids: one(user.gid, 0) },
  };
}

/** As the kernel reads it. */
export function formatIdMap(ranges: readonly IdRange[]): string {
  return ranges.map(({ inside, outside, count }) => `${inside} ${outside} ${count}\n`).join("");
}

// The outer root is the application's host id; the ids below it move up by one.
function rootFirst(id: number): IdRange[] {
  return nonEmpty([
    { inside: 0, outside: FIRST_HOST_ID + id, count: 1 },
    { inside: 1, outside: FIRST_HOST_ID, count: id },
    { inside: id + 1, outside: FIRST_HOST_ID + id + 1, count: ID_COUNT - id - 1 },
  ]);
}

// The reverse, so that both maps together are a plain shift by 100000.
function rootBack(id: number): IdRange[] {
  return nonEmpty([
    { inside: id, outside: 0, count: 1 },
    { inside: 0, outside: 1, count: id },
    { inside: id + 1, outside: id + 1, count: ID_COUNT - id - 1 },
  ]);
}

function nonEmpty(ranges: readonly IdRange[]): IdRange[] {
  return ranges.filter((range) => range.count > 0);
}
