/** What was made for another nonce, connection or time (step 6). */
import { ChannelBindingError, StaleEvidenceError, strictPolicy } from "@blindbox/attestation";
import { NOW, random } from "../vendor.ts";
import { changedInput, changedProof, refusals, type Refusal } from "./refusals.ts";

export const freshnessRefusals: readonly Refusal[] = [
  refusals("freshness", ChannelBindingError, ["challenge"], {
    "another nonce": changedInput({ nonce: random(32) }),
    "the exporter of another connection": changedInput({ channel: { binding: "tls-exporter", exporter: random(32) } }),
    "no proof": { document: (all) => ({ ...all, proof: null }) },
    "a proof at another index": changedProof((proof) => ({ ...proof, index: 3 })),
    "a proof with an index beyond its size": changedProof((proof) => ({ ...proof, index: 4 })),
    "a proof of a size that is no power of two": changedProof((proof) => ({ ...proof, size: 3 })),
    "a proof of another size": changedProof((proof) => ({ ...proof, size: 8 })),
    "a proof one node too short": changedProof((proof) => ({ ...proof, path: proof.path.slice(0, -1) })),
    "a proof one node too long": changedProof((proof) => ({ ...proof, path: [...proof.path, random(32)] })),
    "a proof with another node": changedProof((proof) => ({ ...proof, path: [random(32), ...proof.path.slice(1)] })),
    "a proof with its nodes in the other order": changedProof((proof) => ({ ...proof, path: proof.path.toReversed() })),
    "a box that bound mode none for an asker with an exporter": {
      mode: "none",
      ...changedInput({ channel: { binding: "tls-exporter", exporter: random(32) } }),
    },
    "an asker in mode none of a box that bound the exporter": {
      policy: { minimumBinding: "none" },
      ...changedInput({ channel: { binding: "none" } }),
    },
  }),
  refusals("freshness", ChannelBindingError, ["binding-level"], {
    "mode none under a policy that demands the exporter": { mode: "none" },
  }),
  refusals("freshness", StaleEvidenceError, ["clock"], {
    "a clock that is one second too slow": { statement: { time: NOW - strictPolicy.maxClockSkew - 1 } },
    "a clock that is one second too fast": { statement: { time: NOW + strictPolicy.maxClockSkew + 1 } },
    "a clock that stands at zero": { statement: { time: 0 } },
  }),
].flat();
