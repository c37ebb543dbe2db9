/** No verdict depends on the machine's clock, its network, its randomness, its locale or its time zone. */
import { afterEach, expect, test, vi } from "vitest";
import { packCases } from "./suite/pack.ts";
import { answersText, runSuite } from "./suite/suite.ts";
import { skipLine, vectorsFolder } from "./vectors.ts";

const folder = vectorsFolder();
if (folder === null) console.log(skipLine("verdicts without clock, network and randomness"));

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

function forbidden(what: string): () => never {
  return () => {
    throw new Error(`the verify path used ${what}`);
  };
}

/** A Date that knows every moment but now. */
class NoClock extends Date {
  constructor(...given: readonly [] | readonly [number | string]) {
    if (given.length === 0) forbidden("the clock")();
    super(given[0] ?? 0);
  }

  static override now(): number {
    return forbidden("the clock")();
  }
}

test.skipIf(folder === null)("the same verdicts where clock, network and randomness are forbidden", async () => {
  const pack = packCases(folder ?? "");
  vi.stubGlobal("fetch", forbidden("the network"));
  vi.stubGlobal("performance", { now: forbidden("the clock") });
  vi.spyOn(Math, "random").mockImplementation(forbidden("randomness"));
  vi.spyOn(crypto, "getRandomValues").mockImplementation(forbidden("randomness"));
  for (const method of [
    "toLocaleString",
    "toLocaleDateString",
    "toLocaleTimeString",
    "getTimezoneOffset",
    "getHours",
  ] as const)
    vi.spyOn(Date.prototype, method).mockImplementation(forbidden("locale or time zone"));
  vi.stubGlobal("Date", NoClock);
  // First, while nothing is in memory: what is remembered is not read again.
  const actual = await runSuite(pack);
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  expect(answersText(actual)).toBe(answersText(await runSuite(pack)));
});
