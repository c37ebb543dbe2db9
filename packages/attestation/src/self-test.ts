/** The Sandbox's self-test as it travels: which probes there are, and the text whose digest is in the Statement. */
import { canonicalJson, jsonObject, jsonString, parseCanonicalJson } from "@blindbox/encoding";

/** Every way out that the box tries from inside the Sandbox before it starts. Closed: each must be there, and denied. */
export const SELF_TEST_PROBES: readonly string[] = Object.freeze([
  "dns-resolver",
  "dns-tunnel",
  "ip-literal",
  "other-ports",
  "ipv6",
  "udp",
  "metadata-address",
  "vsock",
  "io-uring",
  "raw-socket",
  "packet-socket",
  "netlink-other",
  "evidence-devices",
  "unix-sockets",
  "new-namespaces",
  "network-settings",
  "ptrace",
  "write-rootfs",
  "inherited-descriptors",
  "host-processes",
  "capabilities",
  "kernel-interfaces",
]);

/** What became of one probe. */
export type ProbeOutcome = "denied" | "allowed";

/** Longest text that is read: 22 probes need 600 bytes, and the list may grow tenfold. */
const maxTextBytes = 4096;

/**
 * Reads the self-test's text: canonical JSON with exactly the members `probes`, each `"denied"` or `"allowed"`.
 *
 * @throws EncodingError where a probe is missing, one more is there, or the text is not canonical.
 */
export function parseSelfTest(text: string, probes: readonly string[]): Readonly<Record<string, ProbeOutcome>> {
  const members = jsonObject(parseCanonicalJson(text, { maxBytes: maxTextBytes, maxDepth: 1 }), "selfTest", probes);
  return Object.fromEntries(probes.map((probe) => [probe, outcome(jsonString(members[probe], probe))]));
}

// Whatever is not the word "denied" counts as allowed: there is no third state to be lenient with.
function outcome(word: string): ProbeOutcome {
  return word === "denied" ? "denied" : "allowed";
}

/** The one text of a self-test's result. */
export function formatSelfTest(outcomes: Readonly<Record<string, ProbeOutcome>>): string {
  return canonicalJson({ ...outcomes });
}
