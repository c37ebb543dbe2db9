/** What it costs the box to know a caller, by each kind of credential, and whether that grows with the number of callers. */
import { readPresented } from "../packages/enclave/src/gateway/credentials/presented.ts";
import {
  type Callers,
  type ClientCertificate,
  clientCertificateOf,
} from "../packages/enclave/src/gateway/credentials/index.ts";
import { readHead } from "../packages/enclave/src/gateway/head.ts";
import {
  type AccessScene,
  type Crowd,
  crowdOf,
  type CrowdKind,
  openScene,
  tokenKinds,
  tokensPerRound,
} from "./access-scene.ts";
import { bounded } from "./bounded.ts";
import { median, medianRatio } from "./statistics.ts";
import { printResults, type Result, type Row, times } from "./table.ts";

const rounds = 7;
const cachedPerRound = 40_000;
const asksPerRound = 20_000;

/** One thing that is measured: `once` for each of so many. */
interface Work {
  readonly count: number;
  /** Makes ready, outside of what is measured. */
  readonly prepare: () => (at: number) => unknown;
}

/** Microseconds of user and system time for each, in whichever threads of this process. */
async function measureOnce({ count, prepare }: Work): Promise<number> {
  const once = prepare();
  const before = process.cpuUsage();
  for (let at = 0; at < count; at += 1) {
    const result = once(at);
    if (result instanceof Promise) await result;
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

/** One list of costs for each work, a value a round; all works in turn, after a round that does not count. */
async function measureInTurn(works: readonly Work[]): Promise<readonly (readonly number[])[]> {
  const costs = works.map((): number[] => []);
  for (let round = -1; round < rounds; round += 1) {
    for (const [at, work] of works.entries()) {
      const cost = await measureOnce(work);
      if (round >= 0) costs[at]?.push(cost);
    }
  }
  return costs;
}

/** As a request arrives: from its header lines to who asks. Throws where that is nobody, which would be another path. */
function identify(callers: Callers, lines: readonly string[], certificate: ClientCertificate): unknown {
  const presented = readPresented(readHead(lines), callers.takesTokens);
  if (typeof presented === "string") throw new Error(presented);
  const identity = callers.identify(presented, certificate);
  return identity instanceof Promise ? identity.then(demandKnown) : demandKnown(identity);
}

function demandKnown({ known }: { readonly known: boolean }): void {
  if (!known) throw new Error("the caller is not known");
}

const plain = ["host", "box.example", "accept", "*/*", "user-agent", "benchmark", "content-type", "application/json"];

function linesWith(name: string, ...values: readonly string[]): readonly string[] {
  return [...plain, name, values.map((value) => `Bearer ${value}`).join(", ")];
}

interface Named extends Work {
  readonly name: string;
}

/** Known again and again, by the credentials that `linesOf` writes. */
function cached(
  name: string,
  callers: Callers,
  all: readonly (readonly string[])[],
  certificate: ClientCertificate,
): Named {
  return {
    name,
    count: cachedPerRound,
    prepare: () => (at) => identify(callers, all[at % all.length] ?? plain, certificate),
  };
}

async function principalWorks(scene: AccessScene): Promise<readonly Named[]> {
  const { tokens, socket } = scene;
  const certificate = clientCertificateOf(socket);
  const known = scene.fresh();
  const linesOf = (values: readonly string[]) => values.map((value) => linesWith("x-blindbox-authorization", value));
  for (const kind of tokenKinds) {
    for (const lines of linesOf(tokens[kind])) await identify(known, lines, null);
  }
  const combined = tokens.ES256.map((each) => linesWith("x-blindbox-authorization", scene.combinedKey, each));
  const first = tokenKinds.map((kind): Named => {
    const lines = linesOf(tokens[kind]);
    const prepare = (): ((at: number) => unknown) => {
      const fresh = scene.fresh();
      return (at) => identify(fresh, lines[at] ?? plain, null);
    };
    return { name: `token ${kind}, first`, count: tokensPerRound, prepare };
  });
  return [
    cached("nobody (anonymous)", known, [plain], null),
    cached("API key, each time", known, [linesWith("authorization", scene.apiKey)], null),
    ...first,
    ...tokenKinds.map((kind) => cached(`token ${kind}, again`, known, linesOf(tokens[kind]), null)),
    {
      name: "certificate, first of a connection",
      count: tokensPerRound,
      prepare: () => () => identify(known, plain, clientCertificateOf(socket)),
    },
    cached("certificate, again", known, [plain], certificate),
    cached("key, token and certificate, again", known, combined, certificate),
  ];
}

async function principalRows(): Promise<readonly Row[]> {
  await using scene = await openScene();
  const works = await principalWorks(scene);
  const costs = await measureInTurn(works);
  const [nobody = []] = costs;
  return works.map(({ name }, at) => {
    const own = costs[at] ?? [];
    const added = own.map((cost, round) => cost - (nobody[round] ?? 0));
    return at === 0
      ? { measured: name, result: micros(median(own)) }
      : { measured: name, result: `${micros(median(own))}, so ${micros(median(added))} added` };
  });
}

/** The same walk through callers for each size: spread over all of them, in no order that memory likes. */
function asking(crowd: Crowd, isAllowed: boolean): Work {
  const perTenant = crowd.callers / crowd.tenants;
  const prepare = (): ((at: number) => unknown) => (at) => {
    const caller = (at * 7919) % crowd.callers;
    const tenant = (Math.floor(caller / perTenant) + (isAllowed ? 0 : 1)) % crowd.tenants;
    if (crowd.ask(caller, tenant) !== isAllowed) throw new Error("the decider has decided otherwise");
    return null;
  };
  return { count: asksPerRound, prepare };
}

const crowds: readonly (readonly [CrowdKind, string])[] = [
  ["keys", "API keys"],
  ["tokens", "tokens of one issuer, known by a claim"],
];

async function lookUpRows(): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const [kind, name] of crowds) {
    const [few, some, many] = [
      await crowdOf(kind, 10, 10),
      await crowdOf(kind, 1000, 100),
      await crowdOf(kind, 10_000, 1000),
    ];
    const works = [asking(few, true), asking(some, true), asking(many, true), asking(few, false), asking(many, false)];
    const [ten = [], thousand = [], all = [], tenRefused = [], allRefused = []] = await measureInTurn(works);
    const row = (measured: string, costs: readonly number[], baseline: readonly number[]): Row => {
      return {
        measured,
        result: micros(median(costs)),
        ratio: `${times(medianRatio(costs, baseline))} ten`,
        target: "flat",
      };
    };
    rows.push(
      { measured: `10 ${name}, 10 rules`, result: micros(median(ten)) },
      row(`1000 ${name}, 100 rules`, thousand, ten),
      row(`10,000 ${name}, 1000 rules`, all, ten),
      row("the same, refused by every rule", allRefused, tenRefused),
    );
  }
  return rows;
}

export async function measureAccess(): Promise<Result> {
  return {
    name: "access",
    method: `${rounds} rounds of each in turn, warm; user and system time of one process, from header lines to who asks: ${tokensPerRound} tokens that were never seen or certificates, ${cachedPerRound} requests of known callers; look-up: who asks and which rule decides, ${asksPerRound} requests all over the callers`,
    rows: [...(await principalRows()), ...(await lookUpRows())],
  };
}

function micros(cost: number): string {
  return `${cost < 10 ? cost.toFixed(1) : cost.toFixed(0)} µs`;
}

if (import.meta.main) printResults([await bounded(measureAccess)]);
