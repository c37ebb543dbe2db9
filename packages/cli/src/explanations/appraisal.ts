/** Explanations of what is compared whatever the hardware is: form, code, binding, Manifest, sandbox, release. */
import type { Explanations } from "./types.ts";

const json = "RFC 8785";
const reference = "RFC 9334, section 8.3";
const required = "It is compared with what you require, part by part: what cannot be decided counts as too wide.";

export const appraisalExplanations: Explanations = {
  "document-form": ["What could be read in two ways would be verified in one and used in the other.", json],
  "statement-form": ["The text that is hashed is the only text that means this: no second reading of it exists.", json],
  "statement-tee": ["A Statement of one kind of TEE must not be shown with the Evidence of another.", null],
  "evidence-form": ["Only bytes that are wholly understood are believed, reserved ones included.", null],
  "evidence-signature": ["The hardware's own key signed these very bytes: one changed bit and it did not.", null],
  "tee-kind": [
    "Only kinds of hardware that you accept count; a simulator never does by itself.",
    "RFC 9334, section 8.4",
  ],
  "simulated-tee": ["There is no hardware: whoever runs the simulator can read and change everything in it.", null],
  debug: [
    "In debug mode the host can look in (its memory, or its console with nothing measured): nothing is protected.",
    null,
  ],
  tcb: ["Firmware with known holes signs as well as any: the floor says from which version on it is believed.", null],
  "reference-values": [
    "The code that runs is, register by register, the code of one release that you accept; registers of several never mix.",
    reference,
  ],
  "statement-manifest": ["The Manifest in force is the one that belongs to that very release.", reference],
  "statement-runtime": ["What runs beside the application is what belongs to that very release.", reference],
  "statement-binding": [
    "The hardware signed the hash of this Statement; without that, keys, Manifest and challenge in it are anybody's words.",
    "RFC 9334, section 8.1; FIPS 180-4",
  ],
  "manifest-digest": ["The text that you were shown is the one that the box enforces.", "FIPS 180-4"],
  "manifest-required": ["The box enforces the Manifest that you read and accepted, and no other.", "docs/manifest.md"],
  "manifest-meaning": [required, "docs/manifest.md"],
  "principals-required": [`Who may call. ${required}`, "docs/manifest.md"],
  "egress-required": [`Where data may go. ${required}`, "docs/manifest.md"],
  "logs-required": [`What the application's output becomes. ${required}`, "docs/manifest.md"],
  "audit-required": [`Who reads what is recorded. ${required}`, "docs/manifest.md"],
  "image-required": [`Which image runs. ${required}`, "docs/manifest.md"],
  "operations-required": [`What the operator sees. ${required}`, "docs/manifest.md"],
  "recorded-required": [`What is recorded. ${required}`, "docs/manifest.md"],
  "sandbox-required": [`What holds the application. ${required}`, "docs/manifest.md"],
  "websocket-required": [`Which requests may become two-way streams. ${required}`, "docs/manifest.md"],
  "sandbox-driver": [
    "The application may be hostile: this is what keeps it from everything but its port.",
    "SECURITY.md",
  ],
  "self-test-digest": ["The result shown is the result that the box vouches for.", null],
  "self-test": [
    "From inside the sandbox the box tried every known way out before it started; each was shut.",
    "SECURITY.md",
  ],
  "release-accepted": ["What runs is one of the releases that you accept.", reference],
  "release-unsigned": ["Nothing but the file that you hold says that this release is its vendor's.", null],
};
