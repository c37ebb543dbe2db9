/**
 * Whom the application's TLS libraries trust beside those of its image: the files in which they look, each with our
 * certificates added, and the variables that name ours to those that look nowhere else.
 */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import type { SandboxSpec } from "../../parts.ts";
import { SandboxError } from "../errors.ts";
import type { Mount } from "./layout.ts";
import { resolveInside, unusable } from "./resolve.ts";

/** The image's certificates and ours. */
export const BUNDLE = "/etc/blindbox/ca-certificates.crt";
/** Ours alone, for programs that have their own roots and take more. */
export const ADDITION = "/etc/blindbox/additional.crt";

/** Where systems keep all roots in one file; the first that an image has counts as the image's own. */
const STORES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/pki/tls/cacert.pem",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
  "/usr/local/share/certs/ca-root-nss.crt",
];

/** Bytes of one store; the largest that systems carry have 500 KiB. */
const MOST_STORE = 4 * 1024 * 1024;

const VARIABLES: Readonly<Record<string, string>> = {
  SSL_CERT_FILE: BUNDLE,
  REQUESTS_CA_BUNDLE: BUNDLE,
  CURL_CA_BUNDLE: BUNDLE,
  GIT_SSL_CAINFO: BUNDLE,
  AWS_CA_BUNDLE: BUNDLE,
  PIP_CERT: BUNDLE,
  NIX_SSL_CERT_FILE: BUNDLE,
  NODE_EXTRA_CA_CERTS: ADDITION,
  DENO_CERT: ADDITION,
};

export interface TrustFacts {
  readonly mounts: readonly Mount[];
  readonly env: Readonly<Record<string, string>>;
}

/** The application's whole environment, in which the Manifest's own variables stand as they are, and the files. */
export function trustIn({ rootfs, trust, env }: Pick<SandboxSpec, "rootfs" | "trust" | "env">): TrustFacts {
  if (trust === null) return { mounts: [], env };
  const stores = storesOf(rootfs);
  const own = stores.values().next().value ?? rootCertificates.join("\n");
  const files = [...stores, [BUNDLE, own] as const].map(([path, text]) => [path, joined(text, trust)] as const);
  const all = [...files, [ADDITION, joined(trust)] as const];
  const mounts = all.map(([path, content]): Mount => ({ kind: "file", path, content }));
  return { mounts, env: { ...VARIABLES, ...env } };
}

/** By the path that each really has, so that of several names for one file there is one. */
function storesOf(rootfs: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const store of STORES) {
    const path = fileInside(rootfs, store);
    const text = path === null || found.has(path) ? null : read(join(rootfs, path));
    if (path !== null && text !== null) found.set(path, text);
  }
  return found;
}

// What is no file is no store either, and the application would not have read it.
function fileInside(rootfs: string, store: string): string | null {
  try {
    const { path, kind } = resolveInside(rootfs, store);
    return kind === "file" ? path : null;
  } catch (error) {
    if (error instanceof SandboxError) return null;
    throw error;
  }
}

// What an ordinary user may not read of its own image, its application may not either.
function read(path: string): string | null {
  if (statSync(path).size > MOST_STORE) throw unusable("a certificate store of the image has more than 4 MiB");
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EACCES") return null;
    throw error;
  }
}

function joined(...texts: readonly string[]): string {
  return texts.map((text) => (text === "" || text.endsWith("\n") ? text : `${text}\n`)).join("");
}
