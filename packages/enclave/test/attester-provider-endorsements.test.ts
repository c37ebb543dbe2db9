/** What a box staples: from where, for how long, and what it does while a vendor is down. */
import {
  createEndorser,
  type Endorser,
  EndorserError,
  type EndorsementSubject,
  type FetchedEndorsements,
  formatEndorsementsDocument,
  type Given,
  memoryCache,
  parseEndorsementsDocument,
  sevSnpSubject,
  type VendorFetch,
} from "@blindbox/attestation/endorsers";
import { describe, expect, it } from "vitest";
import { endorserWith, fakeVendors, virtualTime } from "../../attestation/test/endorsers/surroundings.ts";
import {
  asvk,
  ek,
  milan,
  milanEndorsements,
  milanRoutes,
  milanUrls,
  milanVlek,
} from "../../attestation/test/endorsers/vendors.ts";
import { NOW } from "../../attestation/test/vendor.ts";
import { NOTHING_GIVEN, type TeeDevice } from "../src/attester/providers/device.ts";
import { createEndorsementSource } from "../src/attester/providers/endorsement-source.ts";
import { createHardwareProvider } from "../src/attester/providers/provider.ts";
import { MILAN_NOW, milanVendor } from "./fixtures-attester/milan-vendor.ts";
import { noVectors, recorded } from "./fixtures-attester/recorded.ts";

const nitro: EndorsementSubject = { tee: "nitro" };
const hour = 3600;
const day = 24 * hour;
const down = new EndorserError({ code: "unreachable", field: "crls", expected: "an answer", actual: "none" });

/** Answers with a number that counts the fetches; `plan` says which of them fail, and when what came expires. */
function scene(
  plan: { readonly fails?: (fetch: number) => boolean; readonly expires?: number; readonly kept?: boolean } = {},
) {
  const state = {
    now: 1_000_000,
    fetches: 0,
    failures: [] as string[],
    failing: false,
    hold: null as Promise<void> | null,
    expires: plan.expires ?? 2_000_000,
  };
  const fetched = (value: string): FetchedEndorsements => ({
    subject: nitro,
    endorsements: value,
    parts: [],
    dated: [{ name: "crls[0]", issued: 0, expires: state.expires, number: null }],
  });
  const endorser: Pick<Endorser, "fetch" | "recall"> = {
    async fetch() {
      state.fetches += 1;
      const number = state.fetches;
      await state.hold;
      if (state.failing || plan.fails?.(number) === true) throw down;
      return fetched(`fetch ${number}`);
    },
    async recall() {
      if (plan.kept !== true || state.now >= state.expires) throw down;
      return fetched("kept");
    },
  };
  const onFailure = (error: Error): void => void state.failures.push(error.message);
  const source = createEndorsementSource({ endorser, now: () => state.now, onFailure });
  const endorse = (subject = nitro, given: Given = NOTHING_GIVEN) => source.endorse(subject, given);
  return { state, endorse };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("the Endorsements that a box staples", () => {
  it("are fetched once, for all who ask at the same time", async () => {
    const { state, endorse } = scene();
    expect(await Promise.all([endorse(), endorse(), endorse()])).toEqual(["fetch 1", "fetch 1", "fetch 1"]);
    state.now += hour - 1;
    expect(await endorse()).toBe("fetch 1");
    expect(state.fetches).toBe(1);
  });

  it("are looked after once an hour, and nobody waits for that", async () => {
    const { state, endorse } = scene();
    await endorse();
    state.now += hour;
    const held = Promise.withResolvers<void>();
    state.hold = held.promise;
    expect(await endorse()).toBe("fetch 1");
    expect(await endorse()).toBe("fetch 1");
    held.resolve();
    await settled();
    expect(await endorse()).toBe("fetch 2");
    expect(state.fetches).toBe(2);
  });

  it("are looked after before they are given where nobody asked for a day, or the clock went back", async () => {
    for (const step of [day, -1]) {
      const { state, endorse } = scene();
      await endorse();
      state.now += step;
      expect(await endorse()).toBe("fetch 2");
    }
  });

  it("stay as they are while the vendor is down and they are valid, with the reason told", async () => {
    const { state, endorse } = scene({ expires: 1_000_000 + 3 * day });
    await endorse();
    state.failing = true;
    state.now += day;
    expect(await endorse()).toBe("fetch 1");
    expect(state.failures).toEqual([expect.stringMatching(/unreachable/)]);
    state.now += day;
    expect(await endorse()).toBe("fetch 1");
    state.now += day;
    await expect(endorse()).rejects.toBe(down);
    state.failing = false;
    state.expires += 3 * day;
    state.now += 60;
    await expect(endorse()).resolves.toMatch(/^fetch/);
  });

  it("are not asked for again within a minute of a failure", async () => {
    const { state, endorse } = scene({ fails: (fetch) => fetch === 1 });
    await expect(endorse()).rejects.toBe(down);
    state.now += 59;
    await expect(endorse()).rejects.toBe(down);
    expect(state.fetches).toBe(1);
    state.now += 1;
    expect(await endorse()).toBe("fetch 2");
  });

  it("are never what a vendor gives past its date, and such a vendor is left alone for a minute", async () => {
    const { state, endorse } = scene({ expires: 1_000_000 });
    const refused = { name: "EndorserError", code: "missing", field: "crls[0]" };
    await expect(endorse()).rejects.toMatchObject(refused);
    state.now += 59;
    await expect(endorse()).rejects.toMatchObject(refused);
    expect(state.fetches).toBe(1);
    expect(state.failures).toEqual([expect.stringMatching(/crls\[0\]: .*expired/)]);
    state.now += 1;
    await expect(endorse()).rejects.toMatchObject(refused);
    expect(state.fetches).toBe(2);
  });

  it("are taken from what was imported at once, and newer ones as soon as they come", async () => {
    const { state, endorse } = scene({ kept: true });
    expect(await endorse()).toBe("kept");
    await settled();
    expect(await endorse()).toBe("fetch 1");
    expect(state.fetches).toBe(1);
  });

  it("of a machine without a network are what was imported, until that expires", async () => {
    const { state, endorse } = scene({ kept: true, fails: () => true, expires: 1_000_000 + 30 * day });
    for (let passed = 0; passed < 30; passed += 1) {
      expect(await endorse()).toBe("kept");
      await settled();
      state.now += day;
    }
    await expect(endorse()).rejects.toBe(down);
  });

  it("of one machine are never given for another, or for another certificate of the host", async () => {
    const { endorse } = scene();
    expect(await endorse()).toBe("fetch 1");
    expect(await endorse({ tee: "tdx", fmspc: "00806f050000", ca: "platform" })).toBe("fetch 2");
    expect(await endorse(nitro, { ek: Uint8Array.of(1), uvm: null })).toBe("fetch 3");
    expect(await endorse()).toBe("fetch 4");
  });
});

describe("a provider", () => {
  const device = (tee: TeeDevice["tee"]): TeeDevice => ({
    tee,
    read: async (binding) => ({ evidence: binding, subject: { tee: "nitro" }, given: NOTHING_GIVEN }),
  });
  const source = { endorse: async () => ({ crls: [] }) };

  it("gives the device's Evidence with its Endorsements, those of the hardware below a virtual TPM in a place of their own", async () => {
    const binding = new Uint8Array(64);
    expect(await createHardwareProvider(device("sev-snp"), source).getEvidence(binding)).toEqual({
      evidence: binding,
      endorsements: { crls: [] },
    });
    const azure = createHardwareProvider(device("azure-vtpm"), source);
    expect(azure.tee).toBe("azure-vtpm");
    expect((await azure.getEvidence(binding)).endorsements).toEqual({ hardware: { crls: [] } });
  });

  it("gives nothing where one of the two is missing", async () => {
    const failing = { endorse: () => Promise.reject(down) };
    await expect(createHardwareProvider(device("nitro"), failing).getEvidence(new Uint8Array(64))).rejects.toBe(down);
  });
});

describe("a certificate of the host that has expired", () => {
  const now = NOW + 11 * day;
  const given: Given = { ek: ek({ days: 10 }), uvm: null };

  function source(routes: Parameters<typeof fakeVendors>[0]) {
    const vendors = fakeVendors(routes);
    const endorser = endorserWith(vendors, virtualTime(), { now: () => now });
    const made = createEndorsementSource({ endorser, now: () => now, onFailure: () => undefined });
    const endorse = (subject: EndorsementSubject, handedOver: Given) => made.endorse(subject, handedOver);
    return { asked: vendors.asked, endorser, endorse };
  }

  it("is passed over, and AMD is asked, once", async () => {
    const { asked, endorse } = source(milanRoutes);
    expect(await endorse(milan, given)).toEqual(milanEndorsements);
    expect(await endorse(milan, given)).toEqual(milanEndorsements);
    expect(asked.map(({ url }) => url).toSorted()).toEqual(
      [milanUrls.crls, milanUrls.ek, milanUrls.issuers].toSorted(),
    );
  });

  it("is passed over for that of an imported document, with nobody reached", async () => {
    const { asked, endorse, endorser } = source({});
    await endorser.keep({ subject: milan, endorsements: milanEndorsements });
    expect(await endorse(milan, given)).toEqual(milanEndorsements);
    expect(asked.map(({ url }) => url)).not.toContain(milanUrls.ek);
  });

  it("is no box's where it is a VLEK: AMD gives none", async () => {
    const { endorse } = source(milanRoutes);
    const expired: Given = { ek: ek({ hwid: null, issuer: asvk, days: 10 }), uvm: null };
    await expect(endorse(milanVlek, expired)).rejects.toMatchObject({ code: "missing", field: "ek" });
  });
});

describe.skipIf(noVectors)("Endorsements of a real machine", () => {
  const file = (name: string): Uint8Array => recorded(name);

  function realEndorser(fetch: VendorFetch): Endorser {
    return createEndorser({
      fetch,
      now: () => MILAN_NOW,
      sleep: () => new Promise(() => undefined),
      random: () => 0,
      cache: memoryCache(),
      amdSource: "kds",
      intelUpdate: "default",
    });
  }

  const subject = () => sevSnpSubject(file("snp/milan-v5-gcp-reportdata.report.bin"), null);
  const vcek = () => Buffer.from(file("snp/milan-v5-gcp-reportdata.vcek.der")).toString("base64url");
  const sourceOf = (endorser: Endorser) =>
    createEndorsementSource({ endorser, now: () => MILAN_NOW, onFailure: () => undefined });

  it("take the host's certificate first, and ask AMD for the rest", async () => {
    const { fetch, asked } = milanVendor();
    const given = { ek: file("snp/milan-v5-gcp-reportdata.vcek.der"), uvm: null };
    expect(await sourceOf(realEndorser(fetch)).endorse(subject(), given)).toMatchObject({ ek: vcek(), uvm: null });
    expect(asked.toSorted()).toEqual(["cert_chain", "crl"]);
  });

  it.each([
    ["of another chip", "snp/milan-v2-virtee.vcek.der"],
    ["of another product", "snp/siena-v5.vcek.der"],
    ["that is none", "nitro/prod-base-2024.cose"],
  ])("come from AMD where the host hands over a certificate %s", async (_, name) => {
    const { fetch, asked } = milanVendor();
    const endorsements = await sourceOf(realEndorser(fetch)).endorse(subject(), { ek: file(name), uvm: null });
    expect(endorsements).toMatchObject({ ek: vcek() });
    expect(asked).toContain("vcek");
  });

  it("are the host's where it has another certificate of the same chip and TCB: AMD dates each anew", async () => {
    const { fetch, asked } = milanVendor();
    const ek = file("snp/milan-v5-gcp-x25519.vcek.der");
    const endorsements = await sourceOf(realEndorser(fetch)).endorse(subject(), { ek, uvm: null });
    expect(endorsements).toMatchObject({ ek: Buffer.from(ek).toString("base64url") });
    expect(asked).not.toContain("vcek");
  });

  it("come from an imported document, with nobody reached", async () => {
    const { fetch } = milanVendor();
    const { endorsements } = await realEndorser(fetch).fetch(subject(), NOTHING_GIVEN);
    const offline = realEndorser(() => Promise.reject(new TypeError("no network")));
    await offline.keep(parseEndorsementsDocument(formatEndorsementsDocument(subject(), endorsements)));
    expect(await sourceOf(offline).endorse(subject(), NOTHING_GIVEN)).toEqual(endorsements);
  });
});
