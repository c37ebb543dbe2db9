/** What the enclave bundle holds: no simulator in production, known dependencies only, a recorded size budget. */
import { gzipSync } from "node:zlib";
import { bundle, type BundledFile } from "../bundle-enclave.ts";
import { readText, type Problem } from "./sources.ts";

/**
 * Recorded budget of `enclave/production`, whole bundle: raised on purpose, with its reason here. 2.3 MB without, and 2.5 MB
 * with the drivers of the TEEs' devices and the clients that fetch and read their vendors' Endorsements; 50 KB for the Verifier's
 * own parsers, by which the drivers read what a device or a host gives them.
 */
export const budget: Readonly<{ bytes: number; gzip: number }> = { bytes: 2_550_000, gzip: 600_000 };

/** Third-party packages that may be measured with the enclave; SECURITY.md names each. */
export const allowedDependencies: readonly string[] = [
  // HTTP to the application.
  "undici",
  // Signatures of callers' tokens.
  "jose",
  // The box's own certificate, and what this library brings along.
  "@peculiar/x509",
  "@peculiar/asn1-asym-key",
  "@peculiar/asn1-cms",
  "@peculiar/asn1-csr",
  "@peculiar/asn1-ecc",
  "@peculiar/asn1-pfx",
  "@peculiar/asn1-pkcs8",
  "@peculiar/asn1-pkcs9",
  "@peculiar/asn1-rsa",
  "@peculiar/asn1-schema",
  "@peculiar/asn1-x509",
  "@peculiar/asn1-x509-attr",
  "@peculiar/asn1-x509-post-quantum",
  "@peculiar/utils",
  "asn1js",
  "pvtsutils",
  "pvutils",
  "tslib",
  "tsyringe",
];

/** Text that only the simulator holds: it must not stand in what is shipped for real hardware. */
const simulatorMarks: readonly RegExp[] = [/BBSIM/, /blindbox-sim\/1/, /simulated\/device/];

/** The package that a bundled module comes from; null for our own. */
export function packageOfModule(module: string): string | null {
  const path = module.split("node_modules/").at(-1);
  if (path === undefined || !module.includes("node_modules/")) return null;
  const [scope = "", name = ""] = path.split("/");
  return scope.startsWith("@") ? `${scope}/${name}` : scope;
}

/** Simulator code in the files of a production bundle, by module and by text. */
export function simulatorProblems(files: readonly BundledFile[]): Problem[] {
  return files.flatMap((file) => [
    ...file.modules
      .filter((module) => /packages\/[a-z]+\/src\/simulated\//.test(module))
      .map((module) => ({ file: file.name, message: `production bundle holds ${module}` })),
    ...simulatorMarks
      .filter((mark) => mark.test(file.code))
      .map((mark) => ({ file: file.name, message: `production bundle holds the simulator's text ${mark.source}` })),
  ]);
}

/** Dependencies that the list does not name, and names in the list that are not used. */
export function dependencyProblems(files: readonly BundledFile[], allowed: readonly string[]): Problem[] {
  const used = new Set(files.flatMap((file) => file.modules.flatMap((module) => packageOfModule(module) ?? [])));
  const unknown = [...used].filter((name) => !allowed.some((known) => name === known));
  const unused = allowed.filter((name) => !used.has(name));
  return [
    ...unknown.map((name) => ({ file: "enclave bundle", message: `holds ${name}, which the list does not name` })),
    ...unused.map((name) => ({ file: "enclave bundle", message: `does not hold ${name}: remove it from the list` })),
  ];
}

/** Dependencies that the page for auditors does not name. */
export function unnamedProblems(allowed: readonly string[], page: string): Problem[] {
  return allowed
    .filter((name) => !page.includes(`\`${name}\``))
    .map((name) => ({ file: "SECURITY.md", message: `does not name ${name}, which is measured with the enclave` }));
}

/** Sizes over the recorded budget. */
export function sizeProblems(files: readonly BundledFile[], limit: typeof budget): Problem[] {
  const bytes = files.reduce((sum, file) => sum + file.code.length, 0);
  const gzip = files.reduce((sum, file) => sum + gzipSync(file.code, { level: 9 }).length, 0);
  const over = bytes > limit.bytes || gzip > limit.gzip;
  if (!over) return [];
  return [{ file: "enclave bundle", message: `${bytes} B, gzip ${gzip}; budget ${limit.bytes}, gzip ${limit.gzip}` }];
}

/** All breaches of the rules for the production bundle, which is built afresh from the sources. */
export async function checkBundle(root: string): Promise<Problem[]> {
  const files = await bundle("enclave/production");
  return [
    ...simulatorProblems(files),
    ...dependencyProblems(files, allowedDependencies),
    ...unnamedProblems(allowedDependencies, readText(root, "SECURITY.md")),
    ...sizeProblems(files, budget),
  ];
}
