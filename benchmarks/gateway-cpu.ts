/** What the gateway costs the box for each request, beside what the application costs anyway. */
import { bounded } from "./bounded.ts";
import { type Setup, startSetup } from "./box.ts";
import { type Load, openLoad } from "./keep-alive-load.ts";
import { isNginxInstalled, startNginx } from "./nginx.ts";
import { median, medianRatio } from "./statistics.ts";
import { printResults, type Result, type Row, times } from "./table.ts";

const connections = 64;
const rounds = 5;
const warmUp = 4000;
const requestsPerRound = 4000;

/** Microseconds of CPU for each request, one value a round. */
type Costs = readonly number[];

/** The CPU of one process while one data path is under load. */
interface Meter {
  readonly of: { cpu(): Promise<number> };
  readonly costs: number[];
}

/** One way to the application's answer, and the processes that it takes. */
interface DataPath {
  readonly load: Load;
  readonly meters: readonly Meter[];
}

export async function measureGatewayCpu(): Promise<Result> {
  await using setup = await startSetup();
  await using started = new AsyncDisposableStack();
  const { app, box } = setup;
  const [appAlone, gateway, boxedApp] = [meter(app), meter(box), meter(app)];
  const alone = { load: started.use(await openAppLoad(setup)), meters: [appAlone] };
  const boxed = { load: started.use(await openTlsLoad(setup, box.ready.port)), meters: [gateway, boxedApp] };
  const proxied = isNginxInstalled() ? await openNginx(setup, started) : [];
  await measureRounds([alone, boxed, ...proxied]);
  return {
    name: "gateway CPU",
    method: `${rounds} rounds of ${requestsPerRound} GETs of 200 bytes of JSON in turn, ${connections} kept connections, warm; user and system time of each process`,
    rows: [
      ...rowsOf(appAlone.costs, gateway.costs, boxedApp.costs),
      nginxRow(gateway.costs, proxied[0]?.meters[0]?.costs),
    ],
  };
}

function meter(of: Meter["of"]): Meter {
  return { of, costs: [] };
}

function openAppLoad({ app }: Setup): Promise<Load> {
  return openLoad({ port: app.ready.port, tls: false, connections, headers: [] });
}

function openTlsLoad({ box: { ready } }: Setup, port: number): Promise<Load> {
  return openLoad({ port, tls: true, connections, headers: [`authorization: Bearer ${ready.apiKey}`] });
}

async function openNginx(setup: Setup, started: AsyncDisposableStack): Promise<DataPath[]> {
  const nginx = started.use(await startNginx(setup.app.ready.port));
  return [{ load: started.use(await openTlsLoad(setup, nginx.port)), meters: [meter(nginx)] }];
}

async function measureRounds(paths: readonly DataPath[]): Promise<void> {
  for (const { load } of paths) await load.send(warmUp);
  for (let round = 0; round < rounds; round += 1) {
    for (const path of paths) await measureOnce(path);
  }
}

async function measureOnce({ load, meters }: DataPath): Promise<void> {
  // Brings back what fell asleep while another path was measured: connections that were closed for want of use.
  await load.send(10 * connections);
  const before = await Promise.all(meters.map((each) => each.of.cpu()));
  await load.send(requestsPerRound);
  const after = await Promise.all(meters.map((each) => each.of.cpu()));
  meters.forEach(({ costs }, at) => costs.push(((after[at] ?? 0) - (before[at] ?? 0)) / requestsPerRound));
}

function rowsOf(alone: Costs, gateway: Costs, boxedApp: Costs): Row[] {
  const together = gateway.map((cost, at) => cost + (boxedApp[at] ?? 0));
  const row = (measured: string, costs: Costs): Row => {
    return { measured, result: micros(costs), ratio: `${times(medianRatio(costs, alone))} app alone` };
  };
  return [
    { measured: "app alone, plain HTTP", result: micros(alone) },
    row("gateway process", gateway),
    row("gateway and app together", together),
  ];
}

function nginxRow(gateway: Costs, nginx: Costs | undefined): Row {
  const measured = "nginx as TLS proxy";
  if (nginx === undefined) return { measured, result: "skipped: nginx is not installed" };
  const ratio = `the gateway is ${times(medianRatio(gateway, nginx))} nginx`;
  return { measured, result: micros(nginx), ratio, target: "≤ 2x nginx" };
}

function micros(costs: Costs): string {
  return `${median(costs).toFixed(0)} µs/request`;
}

if (import.meta.main) printResults([await bounded(measureGatewayCpu)]);
