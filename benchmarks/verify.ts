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

const { snp, tdx: quote, nitro: document, keyed } = readSamples();

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
  keyed: {
    factory: "nitro",
    fresh: () => nitro(),
    evidence: keyed.bytes(keyed.evidence["file"] ?? ""),
    endorsements: {},
    policy: nitroPolicy(keyed.policy),
    now: keyed.now,
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
  return [...(await rowsOf("Nitro", contenders, { [firstSeen]: "≤ 1.1x floor" })), ...(await measureKeyed())];
}

/** Evervault judges by the machine's clock, so in a process of its own, and only documents that name a key: both read the same one. */
async function measureKeyed(): Promise<Row[]> {
  const others = evervault(rounds * perRound);
  if (others === null) return [];
  const theirs = median(others);
  const ours = own(samples.keyed, [...nitroSetAside, "debug"]);
  const rows: Row[] = [{ measured: "Nitro, keyed, @evervault (own process)", result: `${theirs.toFixed(3)} ms` }];
  for (const [name, values] of await compete(ours)) {
    const row = { measured: `Nitro, keyed, ${name}`, result: `${median(values).toFixed(3)} ms` };
    const ratio = `${times(median(values) / theirs)} Evervault`;
    rows.push({ ...row, ratio, ...(name === known ? { target: "≤ 0.2x Evervault" } : {}) });
  }
  return rows;
}

/** Fields that a document of others may have and a box's may not. */
const nitroSetAside = ["document-nonce", "document-public-key"];

demandPeers();
const result: Result = {
  name: "verification",
  method: `${rounds} rounds of ${perRound}, contenders in turn; medians, ratios within each round; Node ${process.version}`,
  rows: [...(await measureSnp()), ...(await measureTdx()), ...(await measureNitro())],
};
printResults([result, await measureCold([samples.snp, samples.tdx, samples.nitro]), await measureSizes()]);
