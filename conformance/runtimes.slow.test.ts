/** The same cases in every runtime: each must say of every case exactly what the pinned Node says. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { packCases } from "./suite/pack.ts";
import { isInstalled, makeWorkplace, runtimes, type Workplace } from "./suite/runtimes.ts";
import { answersText, runSuite, type Answer } from "./suite/suite.ts";
import { skipLine, vectorsFolder } from "./vectors.ts";

const folder = vectorsFolder();
if (folder === null) console.log(skipLine("the suite in other runtimes"));

let workplace: Workplace | null = null;
let expected = "";

beforeAll(async () => {
  if (folder === null) return;
  const pack = packCases(folder);
  workplace = await makeWorkplace(JSON.stringify(pack));
  expected = answersText(await runSuite(pack));
});

afterAll(() => workplace?.remove());

test.skipIf(folder === null)("the pinned Node says of every case what its file expects", () => {
  const answers = JSON.parse(expected) as readonly Answer[];
  expect(answers.length).toBeGreaterThan(200);
  expect(answers.filter(({ differences }) => differences.length > 0)).toEqual([]);
});

for (const runtime of runtimes) {
  const installed = isInstalled(runtime);
  if (!installed) console.log(`skipped the suite in ${runtime.name}: not installed; ./test installs it`);
  const missing = folder === null || !installed;
  test.skipIf(missing)(`${runtime.name} says the same`, { timeout: 180_000 }, async () => {
    if (workplace === null) throw new Error("no workplace");
    expect(await runtime.answer(workplace)).toBe(expected);
  });
}
