import { digestShape } from "../fields.ts";
import type { Egress, HttpEgress, PassthroughEgress, TcpEgress, VerifiedEgress } from "../manifest.ts";
import {
  flag,
  isMap,
  list,
  mapped,
  nullable,
  object,
  oneOfWords,
  optional,
  type Shape,
  shown,
  variant,
  word,
} from "../shape/index.ts";
import { portsShape, type RequestShapes, requestShapes, requestSourceShapes, trustsShape } from "./fields.ts";
import { hostShape, type HostRules } from "./host-shape.ts";
import { egressListShape } from "./overlaps.ts";
import { rootsShape, rootsSourceShape } from "./roots.ts";

const MAX_PINS = 16;

type Form = HostRules["form"];

const passthrough = (form: Form): Shape<Egress> =>
  object<PassthroughEgress>({
    mode: word(["passthrough"]),
    host: hostShape({ addresses: false, form }),
    ports: portsShape,
  });

const http = (form: Form, requests: RequestShapes): Shape<Egress> =>
  object<HttpEgress>({
    mode: word(["http"]),
    host: hostShape({ addresses: false, form }),
    ports: portsShape,
    ...requests,
    trusts: trustsShape,
  });

const tcp = (form: Form): Shape<Egress> =>
  object<TcpEgress>({
    mode: word(["tcp"]),
    host: hostShape({ addresses: true, form }),
    ports: portsShape,
    trusts: trustsShape,
  });

const verified: Shape<Egress> = object<VerifiedEgress>({
  mode: word(["verified"]),
  host: hostShape({ addresses: false, form: "normal" }),
  ports: portsShape,
  ...requestShapes,
  websocket: flag,
  pins: list(digestShape, { min: 0, max: MAX_PINS, unique: true }),
  roots: nullable(rootsShape),
});

/** Every mode, the strongest first. */
export const MODES: readonly Egress["mode"][] = ["verified", "passthrough", "http", "tcp"];

/** One way out, as it is written. */
export type EgressSource = VerifiedEgressSource | PassthroughEgress | HttpEgress | TcpEgress;

/** A way out in the mode `verified`, as it is written. */
export interface VerifiedEgressSource extends Pick<VerifiedEgress, "host" | "ports" | "methods" | "paths"> {
  /** Left out: `verified`. */
  readonly mode?: "verified";
  /** Left out: false. */
  readonly websocket?: boolean;
  /** Left out: none is demanded. */
  readonly pins?: readonly string[];
  /** PEM text of certificates. Left out: the measured root store. */
  readonly roots?: string;
}

type ReadSource = Omit<VerifiedEgressSource, "roots"> & { readonly roots?: readonly string[] };

const verifiedSource: Shape<Egress> = mapped(
  object<ReadSource>({
    mode: optional(word(["verified"])),
    host: hostShape({ addresses: false, form: "written" }),
    ports: portsShape,
    ...requestSourceShapes,
    websocket: optional(flag),
    pins: optional(list(digestShape, { min: 1, max: MAX_PINS, unique: true })),
    roots: optional(rootsSourceShape),
  }),
  (rule): VerifiedEgress => ({ websocket: false, pins: [], roots: null, ...rule, mode: "verified" }),
);

/** One way out in the resolved form. */
export const egressShape: Shape<Egress> = byMode(
  { verified, passthrough: passthrough("normal"), http: http("normal", requestShapes), tcp: tcp("normal") },
  (rule) => rule["mode"],
);

/** One way out as written: the mode may be left out, and is then the strongest one. */
export const egressSourceShape: Shape<Egress> = byMode(
  {
    verified: verifiedSource,
    passthrough: passthrough("written"),
    http: http("written", requestSourceShapes),
    tcp: tcp("written"),
  },
  (rule) => (Object.hasOwn(rule, "mode") ? rule["mode"] : "verified"),
);

/** All ways out in the resolved form. */
export const egressesShape: Shape<readonly Egress[]> = egressListShape(egressShape);

/** All ways out as written. */
export const egressesSourceShape: Shape<readonly Egress[]> = egressListShape(egressSourceShape);

type ModeOf = (rule: Readonly<Record<string, unknown>>) => unknown;

function byMode(shapes: Readonly<Record<Egress["mode"], Shape<Egress>>>, modeOf: ModeOf): Shape<Egress> {
  const rule = variant<Egress>(shapes, "a map with host, ports and mode", modeOf);
  const modes: readonly unknown[] = Object.keys(shapes);
  return {
    schema: rule.schema,
    read(value, at) {
      if (!isMap(value) || modes.includes(modeOf(value))) return rule.read(value, at);
      return at.member("mode").problem(oneOfWords(Object.keys(shapes)), shown(modeOf(value)));
    },
  };
}
