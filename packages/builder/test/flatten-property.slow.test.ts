/** Random sequences of layers, against an overlay so plain that one can see that it is right. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Flattened, flatten } from "./support/flattened.ts";
import { directory, type Entry, file, hardLink, symlink, whiteout } from "./support/tar.ts";

type Change =
  | { readonly kind: "file"; readonly path: string; readonly body: string; readonly uid: number }
  | { readonly kind: "directory"; readonly path: string; readonly uid: number }
  | { readonly kind: "symlink"; readonly path: string; readonly target: string }
  | { readonly kind: "whiteout" | "opaque"; readonly path: string };

interface Node {
  readonly text: string;
}

type Overlay = Map<string, Node>;

const parents = (path: string): string[] =>
  path
    .split("/")
    .slice(0, -1)
    .map((_, index, all) => all.slice(0, index + 1).join("/"));
const isBelow = (path: string, folder: string): boolean => path.startsWith(`${folder}/`);
const isDirectory = (node: Node | undefined): boolean => node?.text.startsWith("directory") === true;
const implied = "directory 755 0:0 @0";

function removeTree(overlay: Overlay, path: string): void {
  for (const name of overlay.keys()) if (name === path || isBelow(name, path)) overlay.delete(name);
}

/** Whiteouts first, on the layers below only; then the entries in order. */
function applyPlainly(overlay: Overlay, layer: readonly Change[]): void {
  for (const { kind, path } of layer) {
    if (kind === "whiteout") removeTree(overlay, path);
    if (kind === "opaque") for (const name of overlay.keys()) if (isBelow(name, path)) overlay.delete(name);
  }
  for (const change of layer) {
    if (change.kind === "whiteout" || change.kind === "opaque") continue;
    for (const parent of parents(change.path)) {
      if (!overlay.has(parent)) overlay.set(parent, { text: implied });
    }
    if (change.kind !== "directory" || !isDirectory(overlay.get(change.path))) removeTree(overlay, change.path);
    overlay.set(change.path, { text: textOf(change) });
  }
}

function textOf(change: Change): string {
  if (change.kind === "file") return `file 644 ${change.uid}:0 @0 ${change.body}`;
  if (change.kind === "symlink") return `link 0:0 @0 -> ${change.target}`;
  return `directory 755 ${change.kind === "directory" ? change.uid : 0}:0 @0`;
}

function entryOf(change: Change): Entry {
  const slash = change.path.lastIndexOf("/") + 1;
  const [folder, name] = [change.path.slice(0, slash), change.path.slice(slash)];
  if (change.kind === "file") return file(change.path, change.body, { uid: change.uid });
  if (change.kind === "directory") return directory(change.path, { uid: change.uid });
  if (change.kind === "symlink") return symlink(change.path, change.target);
  return whiteout(change.kind === "whiteout" ? `${folder}.wh.${name}` : `${change.path}/.wh..wh..opq`);
}

const isMark = ({ kind }: Change): boolean => kind === "whiteout" || kind === "opaque";

/**
 * Whether the layer says one thing: nothing of it lies below a file, and no whiteout leads through a symlink. What is
 * done with the others is a matter of single tests.
 */
function isPlain(overlay: Overlay, layer: readonly Change[]): boolean {
  const isLink = (name: string): boolean => overlay.get(name)?.text.startsWith("link") === true;
  for (const { path } of layer.filter(isMark)) {
    if (parents(path).some(isLink)) return false;
  }
  const now = new Map(overlay);
  applyPlainly(now, layer.filter(isMark));
  for (const change of layer.filter((each) => !isMark(each))) {
    if (parents(change.path).some((parent) => now.has(parent) && !isDirectory(now.get(parent)))) return false;
    applyPlainly(now, [change]);
  }
  return true;
}

const path = fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constant("file" as const), path, body: fc.constantFrom("x", "yy", ""), uid: fc.nat(3) }),
  fc.record({ kind: fc.constant("directory" as const), path, uid: fc.nat(3) }),
  fc.record({ kind: fc.constant("symlink" as const), path, target: fc.constantFrom("nowhere", "a", "/b") }),
  fc.record({ kind: fc.constantFrom("whiteout" as const, "opaque" as const), path }),
);

test("random layers flatten to what a plain overlay gives", async () => {
  let written = 0;
  const layers = fc.array(fc.array(change, { maxLength: 8 }), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(layers, async (layers) => {
      const overlay: Overlay = new Map();
      for (const layer of layers) {
        if (!isPlain(overlay, layer)) return;
        applyPlainly(overlay, layer);
      }
      const expected: Flattened = Object.fromEntries([...overlay].map(([name, { text }]) => [name, text]));
      expect(await flatten(layers.map((layer) => layer.map(entryOf)))).toEqual(expected);
      written += 1;
    }),
    { numRuns: 600 },
  );
  expect(written).toBeGreaterThan(150);
}, 60_000);

test("random hard links give every name the content that its target had", async () => {
  const names = ["a", "b", "c", "d"];
  const step = fc.record({
    name: fc.constantFrom(...names),
    to: fc.option(fc.constantFrom(...names)),
    body: fc.nat(9),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(step, { maxLength: 4 }), { minLength: 1, maxLength: 3 }), async (layers) => {
      const contents = new Map<string, string>();
      const entries = layers.map((layer) =>
        layer.map(({ name, to, body }) => {
          const linked = to === null ? undefined : contents.get(to);
          contents.set(name, linked ?? `${body}`);
          return to === null || linked === undefined ? file(name, `${body}`) : hardLink(name, to);
        }),
      );
      const flattened = await flatten(entries);
      const resolve = (name: string): string =>
        (flattened[name] ?? "").replace(/^= (.*)$/, (_, first: string) => flattened[first] ?? "");
      for (const [name, content] of contents) expect(resolve(name)).toBe(`file 644 0:0 @0 ${content}`);
    }),
    { numRuns: 200 },
  );
});
