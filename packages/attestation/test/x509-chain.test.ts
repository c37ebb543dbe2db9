/** The chain walk on its own: it serves every TEE, also with longer chains and on P-256. */
import { expect, test } from "vitest";
import {
  ecdsaP256,
  ecdsaP384,
  parseCertificate,
  parseCrl,
  rememberSignatures,
  verifyChain,
  verifyDerSignature,
  type Link,
} from "../src/x509/index.ts";
import { name } from "./der.ts";
import {
  basicConstraints,
  caUsage,
  certificate,
  crl,
  curveKeys,
  leafUsage,
  mintVendor,
  NOW,
  type Issuer,
  type Vendor,
} from "./vendor.ts";

const rules = {
  now: NOW,
  verifySignature: verifyDerSignature,
  algorithms: [ecdsaP256, ecdsaP384],
  knownExtensions: [],
};

function checkedBy(der: Uint8Array | null): Link["revocation"] {
  return { crl: der === null ? null : parseCrl(der, "crl"), kind: "simulatedCrl", maxAge: 86_400, minNumber: 0 };
}

function linksOf(vendor: Vendor): readonly Link[] {
  const parsed = (field: string, der: Uint8Array): Link["certificate"] => parseCertificate(der, field);
  return [
    {
      name: "device",
      certificate: parsed("device", vendor.device.der),
      revocation: checkedBy(vendor.intermediateCrl),
    },
    {
      name: "intermediate",
      certificate: parsed("intermediate", vendor.intermediate.der),
      revocation: checkedBy(vendor.rootCrl),
    },
  ];
}

async function failedIn(links: readonly Link[], root: Uint8Array): Promise<string[]> {
  const findings = await verifyChain({ links, root: parseCertificate(root, "root"), ...rules });
  expect(findings.length).toBeGreaterThan(links.length * 8);
  return findings.filter((finding) => finding.status !== "passed").map((finding) => finding.check);
}

test("a chain on P-256 with SHA-256 is verified", async () => {
  const vendor = mintVendor({}, "P-256");
  expect(await failedIn(linksOf(vendor), vendor.root.der)).toEqual([]);
});

test("a chain on P-256 does not end at a root on P-384", async () => {
  const vendor = mintVendor({}, "P-256");
  const failed = await failedIn(linksOf(vendor), mintVendor().root.der);
  expect(failed).toEqual(["certificate-signature", "crl-signature"]);
});

/** root (path length as given) → `between` CAs (unlimited) → leaf */
function longChain(rootPathLength: number | undefined, between: number): { links: Link[]; root: Uint8Array } {
  const root = { subject: name("Root"), keys: curveKeys("P-384") };
  const rootDer = certificate({ ...root, issuer: root, extensions: [basicConstraints(true, rootPathLength), caUsage] });
  const links: Link[] = [];
  let issuer: Issuer = root;
  for (let at = 0; at <= between; at += 1) {
    const own = { subject: name(`Level ${at}`), keys: curveKeys("P-384") };
    const extensions = at === between ? [basicConstraints(false), leafUsage] : [basicConstraints(true), caUsage];
    const der = certificate({ ...own, issuer, extensions });
    const revocation = checkedBy(crl({ issuer }));
    links.unshift({ name: `level ${at}`, certificate: parseCertificate(der, "certificate"), revocation });
    issuer = own;
  }
  return { links, root: rootDer };
}

test("the path length counts the CAs below, at every level", async () => {
  const fits = longChain(3, 3);
  expect(await failedIn(fits.links, fits.root)).toEqual([]);
  const unlimited = longChain(undefined, 3);
  expect(await failedIn(unlimited.links, unlimited.root)).toEqual([]);
  const tooLong = longChain(2, 3);
  expect(await failedIn(tooLong.links, tooLong.root)).toEqual(["certificate-authority"]);
});

test("a leaf right under the root needs no CA between", async () => {
  const direct = longChain(0, 0);
  expect(await failedIn(direct.links, direct.root)).toEqual([]);
});

test("each certificate without a CRL is told", async () => {
  const vendor = mintVendor();
  const links = linksOf(vendor).map((link) => ({ ...link, revocation: checkedBy(null) }));
  const findings = await verifyChain({ links, root: parseCertificate(vendor.root.der, "root"), ...rules });
  expect(findings.filter((finding) => finding.status === "failed").map((finding) => finding.check)).toEqual([
    "crl-presence",
    "crl-presence",
  ]);
});

test("a chain seen before is refused all the same once it expired or its CRL grew old", async () => {
  const vendor = mintVendor();
  const links = linksOf(vendor);
  const root = parseCertificate(vendor.root.der, "root");
  const known = { ...rules, links, root, verifySignature: rememberSignatures() };
  const failed = async (now: number): Promise<string[]> =>
    (await verifyChain({ ...known, now })).filter(({ status }) => status === "failed").map(({ check }) => check);
  expect(await failed(NOW)).toEqual([]);
  expect(await failed(NOW + 100 * 365 * 86_400)).toContain("certificate-validity");
  expect(await failed(NOW + 100 * 365 * 86_400)).toContain("endorsement-age");
  expect(await failed(NOW)).toEqual([]);
});
