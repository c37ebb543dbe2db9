/** Another key, another Manifest, another Sandbox than the one vouched for (steps 7 to 9). */
import { ChannelBindingError, SecurityPolicyError, SELF_TEST_PROBES } from "@blindbox/attestation";
import { manifest, selfTest, selfTestText } from "../box.ts";
import { random, sha256Text } from "../vendor.ts";
import { changedInput, otherDigest, refusals, selfTested, type Refusal } from "./refusals.ts";

export const boxRefusals: readonly Refusal[] = [
  refusals("channel", ChannelBindingError, ["tls-key"], {
    "another TLS key on this connection": changedInput({ peerKey: { tlsSpki: random(91) } }),
    "a Statement for another TLS key": { statement: { tls: otherDigest } },
  }),
  refusals("manifest", SecurityPolicyError, ["manifest-digest"], {
    "a swapped Manifest": { document: (all) => ({ ...all, manifest: manifest.replace("transcriber", "translator") }) },
    "a Manifest of the same meaning in other bytes": { document: (all) => ({ ...all, manifest: `${manifest} ` }) },
    "no Manifest": { document: (all) => ({ ...all, manifest: "" }) },
  }),
  refusals("sandbox", SecurityPolicyError, ["sandbox-driver"], {
    "a driver that the policy does not accept": { policy: { sandboxDrivers: ["unprivileged"] } },
    "a driver of no known name": { statement: { sandbox: { driver: "none", selfTest: sha256Text(selfTest) } } },
  }),
  refusals("sandbox", SecurityPolicyError, ["self-test-digest", "self-test"], {
    "a self-test's text that was changed": { document: (all) => ({ ...all, selfTest: selfTestText("allowed") }) },
  }),
  refusals("sandbox", SecurityPolicyError, ["self-test-digest"], {
    "a better self-test's text than the box's own": {
      ...selfTested(selfTestText("allowed")),
      document: (all) => ({ ...all, selfTest }),
    },
  }),
  refusals("sandbox", SecurityPolicyError, ["self-test"], {
    "no self-test": selfTested("{}"),
    "a self-test with one probe more": selfTested(selfTestText("denied", { "zz-more": "denied" })),
    "a self-test that is not canonical": selfTested(`${selfTest} `),
    "a probe with another word": selfTested(selfTestText("denied", { udp: "DENIED" })),
  }),
  ...SELF_TEST_PROBES.map((probe) =>
    refusals("sandbox", SecurityPolicyError, ["self-test"], {
      [`the probe ${probe} not denied`]: selfTested(selfTestText("denied", { [probe]: "allowed" })),
      [`the probe ${probe} left out`]: selfTested(
        JSON.stringify({ ...(JSON.parse(selfTest) as object), [probe]: undefined }),
      ),
    }),
  ),
].flat();
