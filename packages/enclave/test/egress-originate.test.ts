import { X509Certificate } from "node:crypto";
import { connect as connectPlain, type Socket } from "node:net";
import { rootCertificates } from "node:tls";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { EgressError } from "../src/egress/errors.ts";
import { createTrustOf, originate, type Originated } from "../src/egress/tls/originate.ts";
import { isPinned } from "../src/egress/tls/pins.ts";
import { certify, certifyRoot, certifySite, type Identity, newKeys } from "./fixtures-egress/certificates.ts";
import { type Site, startTcpSite, startTlsSite } from "./fixtures-egress/sites.ts";

let root: Identity;
let otherRoot: Identity;
let honest: Identity;
const trustOf = createTrustOf();
const open: { close(): unknown }[] = [];

beforeAll(async () => {
  [root, otherRoot] = await Promise.all([certifyRoot("root"), certifyRoot("other root")]);
  honest = await certifySite(root, "api.test", "*.wild.test");
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

async function kept<T extends { close(): unknown }>(site: Promise<T>): Promise<T> {
  const started = await site;
  open.push(started);
  return started;
}

interface Attempt {
  readonly name?: string;
  readonly roots?: readonly string[] | null;
  readonly pins?: readonly string[];
  readonly ms?: number;
}

async function reach(
  site: Site,
  { name = "api.test", roots = [root.der], pins = [], ms = 5_000 }: Attempt = {},
): Promise<Originated> {
  const socket = await dialled(site.port);
  const originated = await originate(socket, name, trustOf({ roots, pins }), ms);
  open.push({ close: () => originated.socket.destroy() });
  return originated;
}

async function dialled(port: number): Promise<Socket> {
  const socket = connectPlain(port, "127.0.0.1");
  await new Promise<void>((resolve) => void socket.once("connect", () => resolve()));
  return socket;
}

describe("TLS to the host itself", () => {
  it("reaches an honest host, and knows its certificate", async () => {
    const site = await kept(startTlsSite(honest));
    const { socket, peer } = await reach(site);
    expect([peer, socket.authorized, socket.servername]).toEqual([honest.fingerprint, true, "api.test"]);
  });

  it("reaches a host of a wildcard certificate", async () => {
    const site = await kept(startTlsSite(honest));
    expect((await reach(site, { name: "a.wild.test" })).peer).toBe(honest.fingerprint);
  });

  it("asks for the host by name, and offers HTTP/1.1 alone", async () => {
    const seen: unknown[] = [];
    const ALPNCallback = ({ servername, protocols }: { servername: string; protocols: string[] }): string => {
      seen.push(servername, protocols);
      return "http/1.1";
    };
    const site = await kept(startTlsSite(honest, undefined, { ALPNCallback }));
    expect((await reach(site)).socket.alpnProtocol).toBe("http/1.1");
    expect(seen).toEqual(["api.test", ["http/1.1"]]);
  });

  it.each(["TLSv1.2", "TLSv1.3"] as const)("never resumes a session with %s, nor offers to", async (maxVersion) => {
    const reused: boolean[] = [];
    const site = await kept(
      startTlsSite(honest, (socket) => reused.push((socket as Originated["socket"]).isSessionReused()), { maxVersion }),
    );
    const trust = trustOf({ roots: [root.der], pins: [] });
    for (let at = 0; at < 3; at += 1) {
      const { socket } = await originate(await dialled(site.port), "api.test", trust, 5_000);
      socket.write("x");
      await new Promise((resolve) => setTimeout(resolve, 20));
      socket.destroy();
    }
    expect(reused).toEqual([false, false, false]);
  });

  it("trusts the root store of Node where the rule names no roots, and nothing that was added to it", () => {
    const trust = trustOf({ roots: null, pins: [] });
    expect(trust.roots().map((root) => root.raw)).toEqual(rootCertificates.map((pem) => new X509Certificate(pem).raw));
  });

  it("reads roots once, however many rules have them, and mixes up none", () => {
    const world = trustOf({ roots: null, pins: [] });
    expect(trustOf({ roots: null, pins: ["sha256:0"] }).context).toBe(world.context);
    const own = trustOf({ roots: [root.der], pins: [] });
    expect(trustOf({ roots: [root.der], pins: [] }).context).toBe(own.context);
    expect(new Set([world, own, trustOf({ roots: [otherRoot.der], pins: [] })].map((each) => each.context)).size).toBe(
      3,
    );
  });
});

describe("an impostor is refused, by a verdict of its own,", () => {
  type Make = () => Promise<Identity>;
  const yesterday = new Date(Date.now() - 86_400_000);
  const tomorrow = new Date(Date.now() + 86_400_000);
  const impostors: readonly (readonly [string, Make, Attempt, string])[] = [
    ["that signed itself", () => certify({ subject: "api.test", names: ["api.test"] }), {}, "self-signed"],
    ["that is another valid site", () => certifySite(root, "other.test"), {}, "name"],
    ["whose wildcard is one label too high", () => certifySite(root, "*.test"), { name: "a.api.test" }, "name"],
    ["whose name stands only in the subject", () => certify({ subject: "api.test", issuer: root }), {}, "name"],
    [
      "whose certificate is over",
      () =>
        certify({
          subject: "api.test",
          issuer: root,
          names: ["api.test"],
          notBefore: new Date(0),
          notAfter: yesterday,
        }),
      {},
      "expired",
    ],
    [
      "whose certificate has not begun",
      () => certify({ subject: "api.test", issuer: root, names: ["api.test"], notBefore: tomorrow }),
      {},
      "expired",
    ],
    ["of another authority", () => certifySite(otherRoot, "api.test"), {}, "untrusted"],
    ["of another authority than the world's", () => certifySite(root, "api.test"), { roots: null }, "untrusted"],
    [
      "of an authority that copied the name of the trusted one",
      async () => certifySite(await certifyRoot("root"), "api.test"),
      {},
      "untrusted",
    ],
    [
      "with a valid certificate, but without the pinned key",
      () => certifySite(root, "api.test"),
      { pins: [`sha256:${"0".repeat(64)}`] },
      "pin",
    ],
  ];

  it.each(impostors)("%s", async (_, make, attempt, verdict) => {
    const identity = await make();
    const site = await kept(startTlsSite(identity));
    await expect(reach(site, attempt)).rejects.toMatchObject({
      code: `refused-certificate-${verdict}`,
      peer: identity.fingerprint,
    });
    expect(site.heard()).toBe("");
  });

  it("that a mere site's certificate signed", async () => {
    const identity = await certifySite(honest, "api.test");
    const site = await kept(
      startTlsSite({ ...identity, certificate: `${identity.certificate}\n${honest.certificate}` }),
    );
    await expect(reach(site)).rejects.toBeInstanceOf(EgressError);
    expect(site.heard()).toBe("");
  });
});

describe("a handshake fails", () => {
  it("with a host that speaks no TLS", async () => {
    const site = await kept(startTcpSite((socket) => void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")));
    await expect(reach(site)).rejects.toMatchObject({ code: "refused-tls-upstream", peer: null });
  });

  it("with a host that hangs up", async () => {
    const site = await kept(startTcpSite((socket) => void socket.destroy()));
    await expect(reach(site)).rejects.toMatchObject({ code: "refused-tls-upstream" });
  });

  it("with a host that says nothing", async () => {
    const site = await kept(startTcpSite((socket) => void socket.resume()));
    await expect(reach(site, { ms: 200 })).rejects.toMatchObject({ code: "refused-upstream-timeout" });
  });

  it("with a host that speaks no TLS above 1.1", async () => {
    const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
    const site = await kept(startTlsSite(honest, undefined, old));
    await expect(reach(site)).rejects.toMatchObject({ code: "refused-tls-upstream" });
  });

  it("with a host that speaks only HTTP/2", async () => {
    const site = await kept(startTlsSite(honest, undefined, { ALPNProtocols: ["h2"] }));
    await expect(reach(site)).rejects.toMatchObject({ code: "refused-tls-upstream" });
  });
});

describe("a pin", () => {
  it("may be the key of the host, of its issuer, or of the root", async () => {
    const issuer = await certify({ subject: "issuer", issuer: root, isAuthority: true });
    const identity = await certifySite(issuer, "api.test");
    const site = await kept(
      startTlsSite({ ...identity, certificate: `${identity.certificate}\n${issuer.certificate}` }),
    );
    for (const { pin } of [identity, issuer, root]) {
      expect((await reach(site, { pins: [`sha256:${"0".repeat(64)}`, pin] })).peer).toBe(identity.fingerprint);
    }
  });

  it("may be that of a certificate that the rule trusts directly", async () => {
    const alone = await certify({ subject: "api.test", names: ["api.test"] });
    const site = await kept(startTlsSite(alone));
    expect((await reach(site, { roots: [alone.der], pins: [alone.pin] })).peer).toBe(alone.fingerprint);
  });

  it("is not held by whoever merely shows a certificate with the pinned key", async () => {
    const pinned = await certify({ subject: "issuer", issuer: root, isAuthority: true });
    const issuer = await certify({ subject: "issuer", issuer: root, isAuthority: true });
    const identity = await certifySite(issuer, "api.test");
    // Names alone would link the leaf to the pinned certificate: it has the subject of the true issuer. OpenSSL passes
    // over it since its time is over, and takes the true one.
    const shown = await certify({
      subject: "issuer",
      issuer: root,
      isAuthority: true,
      keys: pinned.keys,
      notBefore: new Date(0),
      notAfter: new Date(1e12),
    });
    const certificate = [identity, shown, issuer].map((each) => each.certificate).join("\n");
    const site = await kept(startTlsSite({ ...identity, certificate }));
    expect((await reach(site)).peer).toBe(identity.fingerprint);
    await expect(reach(site, { pins: [pinned.pin] })).rejects.toMatchObject({ code: "refused-certificate-pin" });
    expect(site.heard()).toBe("");
  });

  const read = ({ certificate }: Identity): X509Certificate => new X509Certificate(certificate);
  const held = (chain: Identity[], roots: Identity[], pin: Identity): boolean =>
    isPinned(chain.map(read), roots.map(read), new Set([pin.pin]), Date.now());

  it("counts only on a path that ends in a trusted root", async () => {
    const issuer = await certify({ subject: "issuer", issuer: root, isAuthority: true });
    const identity = await certifySite(issuer, "api.test");
    expect(held([identity, issuer], [root], issuer)).toBe(true);
    expect(held([identity, issuer], [otherRoot], issuer)).toBe(false);
    expect(held([identity, issuer], [otherRoot], identity)).toBe(false);
    expect(held([], [root], root)).toBe(false);
  });

  it("does not count on a certificate that has the issuer's name and signed nothing", async () => {
    const [issuer, pinned] = await Promise.all([
      certify({ subject: "issuer", issuer: root, isAuthority: true }),
      certify({ subject: "issuer", issuer: root, isAuthority: true }),
    ]);
    const identity = await certifySite(issuer, "api.test");
    expect(held([identity, pinned, issuer], [root], pinned)).toBe(false);
    expect(held([identity, pinned, issuer], [root], issuer)).toBe(true);
  });

  it("counts on either of two paths", async () => {
    const keys = newKeys();
    const ofRoot = await certify({ subject: "issuer", issuer: root, isAuthority: true, keys });
    const ofOther = await certify({ subject: "issuer", issuer: otherRoot, isAuthority: true, keys });
    const identity = await certifySite(ofRoot, "api.test");
    expect(held([identity, ofOther, ofRoot], [root, otherRoot], otherRoot)).toBe(true);
    expect(held([identity, ofOther, ofRoot], [root], otherRoot)).toBe(false);
  });

  it("does not count through a certificate that is no authority, or whose time is over", async () => {
    const site = await certifySite(root, "evil.test");
    expect(held([await certifySite(site, "api.test"), site], [root], root)).toBe(false);
    const old = { notBefore: new Date(0), notAfter: new Date(1e12) };
    const issuer = await certify({ subject: "issuer", issuer: root, isAuthority: true, ...old });
    expect(held([await certifySite(issuer, "api.test"), issuer], [root], root)).toBe(false);
  });

  it("is looked for in bounded time, however many certificates claim to have issued each other", async () => {
    const keys = newKeys();
    const circle = await Promise.all(
      Array.from({ length: 9 }, () => certify({ subject: "circle", keys, isAuthority: true })),
    );
    const identity = await certify({ subject: "api.test", names: ["api.test"], issuer: circle[0] ?? root });
    expect(held([identity, ...circle], [root], root)).toBe(false);
  });
});
