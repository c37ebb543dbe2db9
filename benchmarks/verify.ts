/** How long a verification takes, against the bare signature checks and against other verifiers, in one run. */
import { nitro, sevSnp, tdx } from "@blindbox/attestation";
import { nitroPolicy } from "../conformance/tees/nitro.ts";
import { sevSnpEndorsements, sevSnpPolicy } from "../conformance/tees/sev-snp.ts";
import { tdxEndorsements, tdxPolicy } from "../conformance/tees/tdx.ts";
import { median, medianRatio } from "./statistics.ts";
import { printResults, type Result, type Row, times } from "./table.ts";
import { type ColdSample, measureCold } from "./verify/cold.ts";
import { nitroFloor, snpFloor, tdxFloor } from "./verify/floor.ts";
import { nitroParts } from "./verify/nitro-parts.ts";
import { type Sample, verifyOnce } from "./verify/ours.ts";
import { demandPeers, evervault, phala, sequence, tinfoil } from "./verify/peers.ts";
import { readSamples } from "./verify/samples.ts";
import { measureSizes } from "./verify/sizes.ts";

const rounds = 15;
const perRound = 10;

/** One contender: a name and one verification. */
interface Contender {
  readonly name: string;
  readonly pass: () => unknown;
}

/** Milliseconds a verification, one value a round; contenders take turns, so that a slow moment is everybody's. */
async function compete(contenders: readonly Contender[]): Promise<ReadonlyMap<string, readonly number[]>> {
  const samples = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (const { pass } of contenders) for (let at = 0; at < perRound; at += 1) await pass();
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, pass } of contenders) {
      const start = performance.now();
      for (let at = 0; at < perRound; at += 1) await pass();
      samples.get(name)?.push((performance.now() - start) / perRound);
    }
  }
  return samples;
}

const firstSeen = "endorsements never seen";
const known = "endorsements known";
const floorName = "floor";

function own(sample: Sample, setAside: readonly string[]): readonly Contender[] {
  const warm = sample.fresh();
  return [
    { name: firstSeen, pass: () => verifyOnce(sample, sample.fresh(), setAside) },
    { name: known, pass: () => verifyOnce(sample, warm, setAside) },
  ];
}

async function rowsOf(
  tee: string,
  contenders: readonly Contender[],
  targets: Readonly<Record<string, string>>,
): Promise<Row[]> {
  const samples = await compete(contenders);
  const floor = samples.get(floorName) ?? [];
  return contenders.map(({ name }) => {
    const values = samples.get(name) ?? [];
    const result = `${median(values).toFixed(3)} ms`;
    const ratio = name === floorName ? {} : { ratio: `${times(medianRatio(values, floor))} floor` };
    const target = targets[name] === undefined ? {} : { target: targets[name] };
    return { measured: `${tee}, ${name}`, result, ...ratio, ...target };
  });
}

const { snp, tdx: quote, nitro: document } = readSamples();

const samples = {
  snp: {
    factory: "sevSnp",
    fresh: () => sevSnp(),
    evidence: snp.bytes(snp.evidence["file"] ?? ""),
    endorsements: sevSnpEndorsements(snp.endorsements, snp.bytes),
    policy: sevSnpPolicy(snp.policy),
    now: snp.now,
  },
  tdx: {
    factory: "tdx",
    fresh: () => tdx(),
    evidence: quote.bytes(quote.evidence["file"] ?? ""),
    endorsements: tdxEndorsements(quote.endorsements, quote.bytes),
    policy: tdxPolicy(quote.policy),
    now: quote.now,
  },
  nitro: {
    factory: "nitro",
    fresh: () => nitro(),
    evidence: document.bytes(document.evidence["file"] ?? ""),
    endorsements: {},
    policy: nitroPolicy(document.policy),
    now: document.now,
  },
} satisfies Readonly<Record<string, ColdSample>>;

async function measureSnp(): Promise<Row[]> {
  const contenders = [
    { name: floorName, pass: snpFloor(snp) },
    ...own(samples.snp, ["crl-presence"]),
    { name: "@tinfoilsh/verifier", pass: await tinfoil(snp) },
  ];
  return rowsOf("SNP", contenders, { [firstSeen]: "≤ 1.25x floor" });
}

async function measureTdx(): Promise<Row[]> {
  const contenders = [
    { name: floorName, pass: tdxFloor(quote) },
    ...own(samples.tdx, []),
    { name: "@phala/dcap-qvl", pass: phala(quote) },
  ];
  return rowsOf("TDX", contenders, { [firstSeen]: "≤ 1.6x floor" });
}

async function measureNitro(): Promise<Row[]> {
  const contenders = [
    { name: floorName, pass: nitroFloor(nitroParts(document)) },
    ...own(samples.nitro, nitroSetAside),
    { name: "@0xsequence/tee-verifier", pass: await sequence(document) },
  ];
  const rows = await rowsOf("Nitro", contenders, { [firstSeen]: "≤ 1.1x floor", [known]: "≤ 0.2x Evervault" });
  const others = evervault(rounds * perRound);
  if (others === null) return rows;
  const result = `${median(others).toFixed(3)} ms`;
  return [...rows, { measured: "Nitro, @evervault/attestation-bindings, its own process", result }];
}

/** Fields that a document of others may have and a box's may not. */
const nitroSetAside = ["document-nonce", "document-public-key"];

demandPeers();
const result: Result = {
  name: "verification",
  method: `${rounds} rounds of ${perRound}, contenders in turn; medians, ratios within each round; Node ${process.version}`,
  rows: [...(await measureSnp()), ...(await measureTdx()), ...(await measureNitro())],
};
printResults([result, await measureCold(Object.values(samples)), await measureSizes()]);
