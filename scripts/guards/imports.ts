/** Import directions of the packages (they run down only), rooms inside the enclave, and circles between files. */
import { dirname, join, normalize } from "node:path";
import { importsOf, listFiles, readText, type Problem } from "./sources.ts";

/** What each package may import of ours; the table of ARCHITECTURE.md. A package that is not listed is refused. */
export const allowedImports: Readonly<Record<string, readonly string[]>> = {
  encoding: [],
  attestation: ["encoding"],
  manifest: ["encoding"],
  channel: ["encoding"],
  release: ["encoding"],
  measure: ["encoding"],
  client: ["encoding", "attestation", "manifest", "channel", "release"],
  enclave: ["encoding", "attestation", "manifest", "channel"],
  builder: ["encoding", "manifest", "measure", "release"],
  cli: ["encoding", "attestation", "manifest", "measure", "release", "client", "builder"],
};

/** Packages that run in every runtime: no `node:*`, apart from the named fork of the client. */
const webPackages = new Set(["encoding", "attestation", "manifest", "channel", "release", "measure", "client"]);
const nodeFork = /^packages\/client\/src\/transport\/pinned-tls\/node[\w.-]*\.ts$/;

/** Rooms of the enclave that never import each other; only the composition root sees them all. */
const enclaveRooms = new Set(["attester", "gateway", "egress", "sandbox", "supervisor", "simulated"]);

function packageOf(file: string): string {
  return file.split("/")[1] ?? "";
}

function target(file: string, specifier: string): string | null {
  return specifier.startsWith(".") ? normalize(join(dirname(file), specifier)) : null;
}

function acrossPackages(file: string, specifier: string): string | null {
  const own = packageOf(file);
  const name = specifier === "blindbox" ? "cli" : /^@blindbox\/([a-z]+)/.exec(specifier)?.[1];
  if (name === undefined) return null;
  if (!(own in allowedImports)) return `package ${own} stands in no floor of the import table`;
  if (allowedImports[own]?.includes(name)) return null;
  return `${own} imports ${name}: allowed are ${allowedImports[own]?.join(", ") || "none of ours"}`;
}

function relativePath(file: string, specifier: string): string | null {
  const path = target(file, specifier);
  if (path === null) return null;
  if (!specifier.endsWith(".ts")) return `relative import ${specifier} must end in .ts`;
  if (!path.startsWith(`packages/${packageOf(file)}/src/`))
    return `import ${specifier} leaves the package's src folder`;
  return null;
}

function platform(file: string, specifier: string): string | null {
  if (!webPackages.has(packageOf(file)) || nodeFork.test(file)) return null;
  if (!/^(node:|undici$)/.test(specifier)) return null;
  return `${specifier} in a package that runs in every runtime`;
}

function roomOf(file: string): string | null {
  const room = /^packages\/enclave\/src\/([a-z-]+)\//.exec(file)?.[1] ?? null;
  return room !== null && enclaveRooms.has(room) ? room : null;
}

function betweenRooms(file: string, specifier: string): string | null {
  const from = roomOf(file);
  const path = target(file, specifier);
  const to = path === null ? null : roomOf(path);
  if (to === null || from === to) return null;
  if (from === null) return /^packages\/enclave\/src\/[a-z-]+\.ts$/.test(file) ? null : `unknown room imports ${to}`;
  // The simulated entry is a second composition root; the rooms themselves never reach each other.
  if (file === "packages/enclave/src/simulated/main.ts") return null;
  return `room ${from} imports room ${to}: rooms meet in the composition root only`;
}

/** Whoever fetches from vendors may know the folder that does: never what verifies, nor whoever is bundled with it. */
const endorsersFolder = /^packages\/attestation\/src\/endorsers(\/|$)/;
const fetchingPackages = new Set(["enclave", "cli"]);

function endorsers(file: string, specifier: string): string | null {
  if (specifier === "@blindbox/attestation/endorsers") {
    return fetchingPackages.has(packageOf(file))
      ? null
      : `${packageOf(file)} imports the endorsers: only box and command do`;
  }
  const path = target(file, specifier);
  if (path === null || !endorsersFolder.test(path) || endorsersFolder.test(file)) return null;
  return `${specifier} in what verifies: Endorsements are fetched elsewhere, and a Verifier has no network`;
}

function computed(_file: string, specifier: string): string | null {
  return specifier === "(computed)" ? "a computed import cannot be checked" : null;
}

const rules = [acrossPackages, relativePath, platform, betweenRooms, endorsers, computed];

function edgesOf(root: string): Map<string, string[]> {
  const edges = new Map<string, string[]>();
  for (const file of listFiles(root, "packages", [".ts"])) {
    if (!file.includes("/src/") || file.endsWith(".d.ts")) continue;
    edges.set(
      file,
      importsOf(root, file).map((edge) => edge.specifier),
    );
  }
  return edges;
}

/** Every circle of relative imports, types included, each told once. */
function circles(edges: ReadonlyMap<string, readonly string[]>): Problem[] {
  const problems: Problem[] = [];
  const state = new Map<string, "open" | "done">();
  const trail: string[] = [];
  const visit = (file: string): void => {
    state.set(file, "open");
    trail.push(file);
    for (const specifier of edges.get(file) ?? []) {
      const next = target(file, specifier);
      if (next === null || !edges.has(next)) continue;
      if (state.get(next) === "open") {
        problems.push({ file, message: `import circle: ${[...trail.slice(trail.indexOf(next)), next].join(" -> ")}` });
      } else if (!state.has(next)) visit(next);
    }
    trail.pop();
    state.set(file, "done");
  };
  for (const file of edges.keys()) if (!state.has(file)) visit(file);
  return problems;
}

function dependencies(root: string): Problem[] {
  return listFiles(root, "packages", ["package.json"]).flatMap((file) => {
    const own = packageOf(file);
    const names = Object.keys((JSON.parse(readText(root, file)) as { dependencies?: object }).dependencies ?? {});
    return names.flatMap((name) => {
      const message = acrossPackages(`packages/${own}/package.json`, name);
      return message === null ? [] : [{ file, message }];
    });
  });
}

/** All breaches of the import rules below `root`. */
export function checkImports(root: string): Problem[] {
  const edges = edgesOf(root);
  if (edges.size === 0) return [{ file: "packages", message: "no source file found: nothing was checked" }];
  const broken = [...edges].flatMap(([file, specifiers]) =>
    specifiers.flatMap((specifier) =>
      rules.flatMap((rule) => {
        const message = rule(file, specifier);
        return message === null ? [] : [{ file, message }];
      }),
    ),
  );
  return [...broken, ...dependencies(root), ...circles(edges)];
}
