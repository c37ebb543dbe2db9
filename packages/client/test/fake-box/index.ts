export { type Attempt, attempt, attemptOn, leaks, secret } from "./attempt.ts";
export { type Asked, type ConnectionLog, type FakeBox, sendEvidence, startFakeBox } from "./box.ts";
export { evidenceFor, type Lies } from "./evidence.ts";
export { type Honest, startHonest, startHonestBox } from "./honest.ts";
export { makeIdentity, type TlsIdentity } from "./identity.ts";
export { startRelay } from "./relay.ts";
export { makeVendor } from "./vendor.ts";
export { apiKey, makeRelease, makeWorld, optionsFor, sha256, type World } from "./world.ts";
