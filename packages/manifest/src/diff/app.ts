import { canonicalJson } from "@blindbox/encoding";
import type { App, Manifest } from "../manifest.ts";
import type { PolicyChange } from "./change.ts";

/** What runs, and what its sandbox gives it. */
export function diffApp(before: Manifest, after: Manifest): readonly PolicyChange[] {
  const [from, to] = [before.app, after.app];
  return [
    ...changed("name", before.name, after.name, `the name goes from ${before.name} to ${after.name}`),
    ...changed(
      "app.image",
      from.image,
      to.image,
      "another image: what it does with the same rights nobody can compare",
    ),
    ...changed("app.command", from.command, to.command, "another command"),
    ...changed("app.workingDir", from.workingDir, to.workingDir, "another working directory"),
    ...changed("app.port", from.port, to.port, `the application's port goes from ${from.port} to ${to.port}`),
    ...changed("app.ready", from.ready?.path ?? "", to.ready?.path ?? "", "another way to learn that it is ready"),
    ...envChanges(from.env, to.env),
    ...rightChanges(from, to),
    ...resourceChanges(from, to),
  ];
}

type Plain = string | number | readonly string[];

function changed(path: string, before: Plain, after: Plain, words: string): readonly PolicyChange[] {
  if (canonicalJson(before) === canonicalJson(after)) return [];
  return [{ direction: "changed", part: "app", path, document: "after", words }];
}

// Names only: values are the vendor's, and long.
function envChanges(before: App["env"], after: App["env"]): readonly PolicyChange[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].flatMap((name) => {
    const [from, to] = [before, after].map((env) => (Object.hasOwn(env, name) ? env[name] : undefined));
    if (from === to) return [];
    const document = to === undefined ? "before" : "after";
    const words = to === undefined ? "no longer set" : from === undefined ? "set anew" : "another value";
    return [{ direction: "changed", part: "app", path: `app.env.${name}`, document, words } satisfies PolicyChange];
  });
}

function rightChanges(before: App, after: App): readonly PolicyChange[] {
  const changes: PolicyChange[] = [];
  const add = (direction: PolicyChange["direction"], path: string, document: PolicyChange["document"], words: string) =>
    changes.push({ direction, part: "app", path, document, words });
  const [from, to] = [before.user, after.user];
  if (from.uid !== to.uid || from.gid !== to.gid) {
    const direction = isRoot(to) && !isRoot(from) ? "wider" : isRoot(from) && !isRoot(to) ? "narrower" : "changed";
    add(direction, "app.user", "after", `the user goes from ${from.uid}:${from.gid} to ${to.uid}:${to.gid}`);
  }
  if (before.users !== after.users) {
    const isMany = after.users === "many";
    const words = isMany ? "may change to other users of its image" : "keeps the user that it starts as";
    add(isMany ? "wider" : "narrower", "app.users", "after", words);
  }
  for (const path of after.writable.filter((each) => !before.writable.includes(each)))
    add("wider", "app.writable", "after", `may write to ${path}`);
  for (const path of before.writable.filter((each) => !after.writable.includes(each)))
    add("narrower", "app.writable", "before", `may no longer write to ${path}`);
  return changes;
}

function isRoot({ uid, gid }: App["user"]): boolean {
  return uid === 0 || gid === 0;
}

function resourceChanges({ resources: before }: App, { resources: after }: App): readonly PolicyChange[] {
  return (["memory", "cpus", "processes", "tmp"] as const).flatMap((name) => {
    if (before[name] === after[name]) return [];
    const direction = after[name] > before[name] ? "wider" : "narrower";
    const words = `${name} goes from ${before[name]} to ${after[name]}`;
    return [
      { direction, part: "limits", path: `app.resources.${name}`, document: "after", words } satisfies PolicyChange,
    ];
  });
}
