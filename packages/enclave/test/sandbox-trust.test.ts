/** Whom the application is to trust: the files and variables that follow from its image and our certificates. */
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { rootCertificates } from "node:tls";
import { afterAll, describe, expect, test } from "vitest";
import { layOut, type Mount } from "../src/sandbox/rootfs/layout.ts";
import { standardMounts } from "../src/sandbox/rootfs/mounts.ts";
import { ADDITION, BUNDLE, trustIn } from "../src/sandbox/rootfs/trust.ts";
import { removeTemporary, temporaryDirectory } from "./fixtures-sandbox/rootfs.ts";
import { specFor } from "./fixtures-sandbox/start-box.ts";

afterAll(removeTemporary);

const OURS = "-----BEGIN CERTIFICATE-----\nours\n-----END CERTIFICATE-----\n";
const THEIRS = "-----BEGIN CERTIFICATE-----\ntheirs\n-----END CERTIFICATE-----";

function image(files: Readonly<Record<string, string>>, links: Readonly<Record<string, string>> = {}): string {
  const root = temporaryDirectory();
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  for (const [path, target] of Object.entries(links)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    symlinkSync(target, join(root, path));
  }
  return root;
}

function contents(mounts: readonly Mount[]): Record<string, string> {
  return Object.fromEntries(mounts.map((mount) => [mount.path, mount.kind === "file" ? mount.content : ""]));
}

describe("an application that is to trust certificates of ours", () => {
  test("finds them behind those of its image, in every store that the image has", () => {
    const files = { "etc/ssl/certs/ca-certificates.crt": THEIRS, "etc/pki/tls/certs/ca-bundle.crt": "others\n" };
    const { mounts } = trustIn({ rootfs: image(files), trust: OURS, env: {} });
    expect(contents(mounts)).toEqual({
      "/etc/ssl/certs/ca-certificates.crt": `${THEIRS}\n${OURS}`,
      "/etc/pki/tls/certs/ca-bundle.crt": `others\n${OURS}`,
      [BUNDLE]: `${THEIRS}\n${OURS}`,
      [ADDITION]: OURS,
    });
  });

  test("finds them in one file for several names of it, and never outside of the image", () => {
    const root = image(
      { "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem": THEIRS },
      {
        "etc/pki/tls/certs/ca-bundle.crt": "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        "etc/ssl/certs/ca-certificates.crt": "../../../../../../etc/hostname",
        "etc/ssl/cert.pem": "/etc/ssl/cert.pem",
        "etc/ssl/ca-bundle.pem": "../pki",
      },
    );
    const { mounts } = trustIn({ rootfs: root, trust: OURS, env: {} });
    expect(mounts.map(({ path }) => path)).toEqual([
      "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
      BUNDLE,
      ADDITION,
    ]);
  });

  test("finds the roots that the box itself trusts where its image has none", () => {
    const { mounts } = trustIn({ rootfs: image({ "bin/app": "" }), trust: OURS, env: {} });
    const { [BUNDLE]: bundle = "" } = contents(mounts);
    expect(bundle.match(/BEGIN CERTIFICATE/g)).toHaveLength(rootCertificates.length + 1);
    expect(bundle.endsWith(`\n${OURS}`)).toBe(true);
  });

  test("is told where they are by every usual variable, unless the Manifest sets it", () => {
    const { env } = trustIn({ rootfs: image({}), trust: OURS, env: { A: "1", PIP_CERT: "/own", SSL_CERT_FILE: "" } });
    expect(env).toEqual({
      A: "1",
      SSL_CERT_FILE: "",
      REQUESTS_CA_BUNDLE: BUNDLE,
      CURL_CA_BUNDLE: BUNDLE,
      GIT_SSL_CAINFO: BUNDLE,
      AWS_CA_BUNDLE: BUNDLE,
      PIP_CERT: "/own",
      NIX_SSL_CERT_FILE: BUNDLE,
      NODE_EXTRA_CA_CERTS: ADDITION,
      DENO_CERT: ADDITION,
    });
  });

  test("gets them into an image that has no mount point for them", () => {
    const spec = specFor(image({ "etc/ssl/cert.pem": THEIRS, "etc/passwd": "" }), { trust: OURS });
    const { rebuilt, mounts } = layOut(spec.rootfs, [...standardMounts(spec), ...trustIn(spec).mounts]);
    expect(rebuilt.map(({ path }) => path)).toEqual(["/", "/etc"]);
    expect(mounts.map(({ path }) => path)).toEqual(expect.arrayContaining([BUNDLE, ADDITION, "/etc/ssl/cert.pem"]));
  });
});

test("an application that is to trust nobody else finds its image and environment as they are", () => {
  const env = { A: "1" };
  const rootfs = image({ "etc/ssl/cert.pem": THEIRS });
  expect(trustIn({ rootfs, trust: null, env })).toEqual({ mounts: [], env });
});

test("a store of more than 4 MiB is refused before it is read", () => {
  const rootfs = image({ "etc/ssl/cert.pem": "" });
  truncateSync(join(rootfs, "etc/ssl/cert.pem"), 4 * 1024 * 1024 + 1);
  expect(() => trustIn({ rootfs, trust: OURS, env: {} })).toThrow(/^rootfs-unusable: .* 4 MiB/);
});
