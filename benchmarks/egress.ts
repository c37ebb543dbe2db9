/** The price of the way out: the same program inside the sandbox, outside of it, and behind squid. */
import { whyNot } from "../packages/enclave/test/fixtures-sandbox/availability.ts";
import { bounded } from "./bounded.ts";
import { cpuOf } from "./cpu.ts";
import { startWorld, type Way, type World } from "./egress-world.ts";
import { mebibytes, memoryOf } from "./memory.ts";
import { median, medianRatio } from "./statistics.ts";
import { printResults, type Result, type Row, times } from "./table.ts";

const rounds = 5;

const loads = {
  connections: { what: "connections", count: 200, atOnce: 16 },
  requests: { what: "requests", count: 1600, atOnce: 16 },
  down: { what: "down", count: 64e6, atOnce: 1 },
  up: { what: "up", count: 64e6, atOnce: 1 },
} as const;

type LoadName = keyof typeof loads;

const name = "egress";

/** One value a round; CPU in microseconds for one connection, request, or megabyte of the process in between. */
interface Samples {
  readonly perSecond: number[];
  readonly cpu: number[];
}

interface Measured {
  readonly name: string;
  readonly way: Way;
  readonly samples: Readonly<Record<LoadName, Samples>>;
}

export async function measureEgress(): Promise<Result> {
  const missing = whyNot("rooted");
  if (missing !== null) return { name, method: `skipped: ${missing}`, rows: [] };
  await using world = await startWorld();
  const measured = waysOf(world);
  await warmUp(measured);
  for (let round = 0; round < rounds; round += 1) await measureRound(measured, round);
  return {
    name,
    method: `${rounds} rounds of all ways in turn, driver rooted: ${loads.connections.count} new TLS connections with one GET each, ${loads.connections.atOnce} at once, their names looked up each time; ${loads.requests.count} GETs of 200 bytes over ${loads.requests.atOnce} kept ones; ${loads.down.count / 1e6} MB in one answer, then in one request`,
    rows: [
      ...(Object.keys(loads) as LoadName[]).flatMap((load) => rowsOf(load, measured)),
      ...(await memoryRows(world)),
    ],
  };
}

function waysOf({ direct, squid, passthrough, verified }: World): Measured[] {
  const ways = { direct, ...(squid && { squid }), passthrough, verified };
  return Object.entries(ways).map(([name, way]) => {
    const samples = { connections: empty(), requests: empty(), down: empty(), up: empty() };
    return { name, way, samples };
  });
}

function empty(): Samples {
  return { perSecond: [], cpu: [] };
}

async function warmUp(measured: readonly Measured[]): Promise<void> {
  for (const { way } of measured) {
    for (const load of Object.values(loads)) await way.send({ ...load, count: load.count / 2 });
  }
}

async function measureRound(measured: readonly Measured[], round: number): Promise<void> {
  for (const load of Object.keys(loads) as LoadName[]) {
    for (let turn = 0; turn < measured.length; turn += 1) {
      const { way, samples } = measured[(round + turn) % measured.length] ?? {};
      if (way && samples) await measureOnce(way, load, samples[load]);
    }
  }
}

async function measureOnce(way: Way, name: LoadName, samples: Samples): Promise<void> {
  const load = loads[name];
  const amount = load.count / unitOf(name);
  const spent = () => (way.between === null ? 0 : cpuOf(way.between));
  const before = await spent();
  const taken = await way.send(load);
  samples.cpu.push(((await spent()) - before) / amount);
  samples.perSecond.push((1000 * amount) / taken);
}

/** What one of the load's results counts: a connection, a request, or a megabyte. */
function unitOf(name: LoadName): number {
  return name === "down" || name === "up" ? 1e6 : 1;
}

const titles: Readonly<Record<LoadName, readonly [string, string]>> = {
  connections: ["new connections", "connection"],
  requests: ["requests", "request"],
  down: ["bytes down", "MB"],
  up: ["bytes up", "MB"],
};

function rowsOf(load: LoadName, measured: readonly Measured[]): Row[] {
  const [title, unit] = titles[load];
  const samplesOf = (name: string): Samples | undefined => measured.find((each) => each.name === name)?.samples[load];
  const [direct, squid] = [samplesOf("direct"), samplesOf("squid")];
  const rows = measured.map(({ name, way, samples }): Row => {
    const { perSecond, cpu } = samples[load];
    const spent = way.between === null ? "" : `, ${median(cpu).toFixed(0)} µs CPU/${unit}`;
    const result = `${median(perSecond).toFixed(0)} ${unit === "MB" ? "MB" : `${unit}s`}/s${spent}`;
    const ratios = [
      ...(direct && name !== "direct" ? [`${times(medianRatio(perSecond, direct.perSecond))} direct`] : []),
      ...(squid && name !== "direct" && name !== "squid"
        ? [`${times(medianRatio(perSecond, squid.perSecond))} squid, CPU ${times(medianRatio(cpu, squid.cpu))}`]
        : []),
    ];
    return { measured: `${title}, ${name}`, result, ...(ratios.length > 0 && { ratio: ratios.join(", ") }) };
  });
  return squid ? rows : [...rows, { measured: `${title}, squid`, result: "skipped: squid is not installed" }];
}

async function memoryRows({ passthrough, squid }: World): Promise<Row[]> {
  const row = async (measured: string, pid: number | null | undefined): Promise<Row[]> =>
    pid ? [{ measured: `own memory after it all, ${measured}`, result: mebibytes((await memoryOf(pid)).own) }] : [];
  return [...(await row("squid", squid?.between)), ...(await row("box", passthrough.between))];
}

if (import.meta.main) printResults([await bounded(measureEgress)]);
