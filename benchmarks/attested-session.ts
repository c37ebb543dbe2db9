/** What attesting costs a client: the first request of a session, and the next new connection of one that is known. */
import { Agent, request } from "node:https";
import { SecureSession } from "@blindbox/client";
import { bounded } from "./bounded.ts";
import { type Setup, sessionOptions, startSetup } from "./box.ts";
import { body } from "./body.ts";
import { median, medianRatio } from "./statistics.ts";
import { printResults, type Result, times } from "./table.ts";
import { secureContext } from "./tls.ts";

const warmUps = 20;
const rounds = 200;

/** One way of sending one request over a new connection; resolves with the body. */
type Way = () => Promise<string>;

interface Ways {
  /** node:https to a plain server in the box's process. */
  readonly plain: Way;
  /** The same client to the gateway: its data path without attestation. */
  readonly gateway: Way;
  readonly first: Way;
  readonly known: Way;
}

export async function measureAttestedSession(): Promise<Result> {
  await using setup = await startSetup();
  await using session = await openKnown(setup);
  const { port, plainPort, apiKey } = setup.box.ready;
  const samples = await measureRounds({
    plain: () => getPlain(plainPort, {}),
    gateway: () => getPlain(port, { authorization: `Bearer ${apiKey}` }),
    first: () => getFirst(setup),
    known: session.get,
  });
  return {
    name: "attested session",
    method: `${rounds} rounds of all four in turn, warm, a new connection each; medians, and medians of each round's ratios`,
    rows: rowsOf(samples),
  };
}

function getPlain(port: number, headers: Readonly<Record<string, string>>): Promise<string> {
  const agent = new Agent({ keepAlive: true, maxCachedSessions: 0, secureContext, rejectUnauthorized: false });
  const answered = Promise.withResolvers<string>();
  const sent = request({ host: "127.0.0.1", port, path: "/", agent, headers });
  sent.once("error", answered.reject).once("response", (response) => {
    let text = "";
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => (text += chunk)).once("end", () => answered.resolve(text));
  });
  sent.end();
  return answered.promise.finally(() => agent.destroy());
}

async function getFirst({ box: { ready } }: Setup): Promise<string> {
  const session = await SecureSession.connect(`https://127.0.0.1:${ready.port}`, sessionOptions(ready));
  const response = await session.get("/");
  const text = await response.text();
  await session.close();
  return text;
}

interface KnownSession extends AsyncDisposable {
  readonly get: Way;
}

/** A session that has to open, and attest, a new connection for every request: its clock makes the last one too old. */
async function openKnown({ box: { ready } }: Setup): Promise<KnownSession> {
  let aheadMs = 0;
  const now = (): Date => new Date(Date.now() + aheadMs);
  const options = { ...sessionOptions(ready), maxEvidenceAge: 1, now };
  const session = await SecureSession.connect(`https://127.0.0.1:${ready.port}`, options);
  return {
    async get() {
      // Too old by two seconds, or from two seconds in the future: neither is used again.
      aheadMs = 2000 - aheadMs;
      const before = session.attestation;
      const text = await (await session.get("/")).text();
      if (session.attestation === before) throw new Error("the connection was not a new one");
      return text;
    },
    [Symbol.asyncDispose]: () => session.close(),
  };
}

type Samples = Readonly<Record<keyof Ways, number[]>>;

async function measureRounds(ways: Ways): Promise<Samples> {
  const samples: Samples = { plain: [], gateway: [], first: [], known: [] };
  const names = Object.keys(samples) as (keyof Ways)[];
  for (let round = -warmUps; round < rounds; round += 1) {
    for (let turn = 0; turn < names.length; turn += 1) {
      // Another order each round, so that none always follows the same one.
      const name = names[(Math.abs(round) + turn) % names.length] ?? "plain";
      const started = performance.now();
      const text = await ways[name]();
      const taken = performance.now() - started;
      if (text !== body) throw new Error(`${name}: not the application's answer`);
      if (round >= 0) samples[name].push(taken);
    }
  }
  return samples;
}

function rowsOf({ plain, gateway, first, known }: Samples): Result["rows"] {
  const ms = (values: readonly number[]): string => `${median(values).toFixed(2)} ms`;
  const against = (values: readonly number[]): string =>
    `${times(medianRatio(values, plain))} plain, ${times(medianRatio(values, gateway))} through the gateway`;
  return [
    { measured: "plain TLS 1.3 + GET", result: ms(plain) },
    {
      measured: "the same through the gateway",
      result: ms(gateway),
      ratio: `${times(medianRatio(gateway, plain))} plain`,
    },
    { measured: "attested, first request", result: ms(first), ratio: against(first), target: "≤ 1.8x plain" },
    { measured: "attested, evidence known", result: ms(known), ratio: against(known), target: "≤ 1.15x plain" },
  ];
}

if (import.meta.main) printResults([await bounded(measureAttestedSession)]);
