/** What the application may do beyond what everybody may: exactly what it was granted. */
import { constants } from "node:os";
import { capabilitySets, isAmong, secureBits } from "../kernel/capabilities.ts";
import { type Capability, CAPABILITY_BYTES, CAPABILITY_HEADER, PRCTL } from "../kernel/constants.ts";
import { buffer, bytes } from "../program/steps.ts";
import { type Attempt, call, look, REPLY_BYTES } from "./attempts.ts";

/** CAP_CHECKPOINT_RESTORE; a kernel that knows fewer refuses to be asked (EINVAL). */
const LAST_CAPABILITY = 40;
/** PR_CAP_AMBIENT_IS_SET */
const IS_AMBIENT = 1;

export function hasMoreThan(granted: readonly Capability[]): Attempt[] {
  const all = Array.from({ length: LAST_CAPABILITY + 1 }, (_, capability) => capability);
  const is =
    (...values: number[]) =>
    (result: number) =>
      values.includes(result);
  const none = is(0, -constants.errno.EINVAL);
  const sets = buffer(REPLY_BYTES);
  const expected = capabilitySets(granted);
  return [
    ...all.map((capability) => [
      look("prctl", [PRCTL.readBoundingSet, capability, 0, 0, 0], isAmong(granted, capability) ? is(1) : none),
    ]),
    ...all.map((capability) => [look("prctl", [PRCTL.ambientCapabilities, IS_AMBIENT, capability, 0, 0], none)]),
    [look("prctl", [PRCTL.noNewPrivilegesSet, 0, 0, 0, 0], is(1))],
    [look("prctl", [PRCTL.readSecureBits, 0, 0, 0, 0], is(secureBits(granted)))],
    [
      look(
        "capget",
        [bytes(CAPABILITY_HEADER), sets],
        (result, reply) => result === 0 && Buffer.compare(reply.subarray(0, CAPABILITY_BYTES), expected) === 0,
        sets,
      ),
    ],
    // Needs CAP_SETPCAP, which nobody is granted.
    [call("prctl", [PRCTL.dropFromBoundingSet, 0, 0, 0, 0], "EPERM")],
  ];
}
