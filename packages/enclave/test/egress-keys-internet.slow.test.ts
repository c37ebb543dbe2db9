/** The box's own request beside the fake internet: resolver, judgement of addresses, dialer and TLS are the real ones. */
import { parseLedger } from "@blindbox/attestation";
import type { Egress } from "@blindbox/manifest";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Internet, startInternet } from "./fixtures-internet/internet.ts";
import { SITES } from "./fixtures-internet/names.ts";
import { type IsolatedBox, startIsolated } from "./fixtures-internet/start-box.ts";
import { DRIVERS, isRoot } from "./fixtures-sandbox/availability.ts";
import { removeTemporary } from "./fixtures-sandbox/rootfs.ts";

const [first] = DRIVERS.filter(({ skip }) => !skip);
const rootNote = isRoot ? "" : " (skipped: needs root for networks of its own)";
const url = "https://api.allowed.test/keys";

function ruleOf(root: string): Egress {
  return {
    mode: "verified",
    host: "api.allowed.test",
    ports: [443],
    methods: ["GET"],
    paths: ["/keys"],
    websocket: false,
    pins: [],
    roots: [root],
  };
}

describe.skipIf(first === undefined || !isRoot)(`the keys of an issuer, beside the internet${rootNote}`, () => {
  let internet: Internet;
  let box: IsolatedBox;

  beforeAll(async () => {
    internet = await startInternet();
    box = await startIsolated(internet, first?.driver ?? "rooted", [ruleOf(internet.root)]);
    await internet.seen();
  }, 120_000);
  afterAll(async () => {
    await box?.kill();
    await internet?.close();
    removeTemporary();
  });

  /** What becomes of the wish, and which requests arrived anywhere. */
  async function wish(
    asked = url,
  ): Promise<{ outcome: string; requests: readonly string[]; kinds: ReadonlySet<string> }> {
    const outcome = await box.order<string>("readKeys", asked).catch((error: unknown) => String(error));
    const seen = await internet.seen();
    const requests = seen.filter(({ kind }) => kind === "http").map(({ what }) => what);
    return { outcome, requests, kinds: new Set(seen.map(({ kind }) => kind)) };
  }

  async function pointTo(address: string): Promise<void> {
    await internet.resolve("api.allowed.test", [address]);
    // Longer than the shortest time for which an answer is kept.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
  }

  test("come from the host that is verified, in one request", async () => {
    const { outcome, requests } = await wish();
    expect(outcome).toBe("this is allowed, 0 bytes\n");
    expect(requests).toEqual(["GET api.allowed.test /keys"]);
  });

  test("are not asked for where no rule allows it, and nothing leaves the box", async () => {
    for (const other of [
      "https://api.allowed.test/other",
      "https://forbidden.test/keys",
      "https://api.allowed.test:8443/keys",
    ]) {
      const { outcome, kinds } = await wish(other);
      expect(outcome).toMatch(/^Error: EgressError: refused-/);
      expect(kinds).toEqual(new Set());
    }
  });

  test.each(["selfSigned", "untrusted", "expired", "forbidden"] as const)(
    "are not asked for where DNS leads to the host %s",
    async (site) => {
      await pointTo(SITES[site]);
      const { outcome, requests } = await wish();
      expect(outcome).toMatch(/EgressError: refused-certificate-/);
      expect(requests).toEqual([]);
    },
  );

  test.each(["10.0.0.5", "127.0.0.1", "169.254.169.254"])(
    "are not asked for where DNS leads to %s",
    async (address) => {
      await pointTo(address);
      const { outcome, kinds } = await wish();
      expect(outcome).toContain("refused-address-not-public");
      expect([...kinds].filter((kind) => kind !== "dns")).toEqual([]);
    },
  );

  test("stand in the ledger, each of them", async () => {
    const { records } = parseLedger(JSON.stringify(await box.order("ledger")));
    const verdicts = records.map(({ verdict }) => verdict);
    expect(verdicts.slice(0, 3)).toEqual(["keys-requested", "connected", "closed"]);
    expect(verdicts.filter((verdict) => verdict === "keys-requested")).toHaveLength(8);
    expect(verdicts.filter((verdict) => verdict === "connected")).toHaveLength(1);
    expect(verdicts.filter((verdict) => verdict.startsWith("refused-"))).toHaveLength(10);
  });
});
