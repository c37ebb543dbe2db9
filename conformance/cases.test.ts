/** Every verification case of the shared vectors: the verdict, the code and the claims that its file expects. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openCase, type Judge } from "./case.ts";
import { compareVerdict } from "./compare.ts";
import { judges } from "./tees/index.ts";
import { skipLine, vectorsFolder } from "./vectors.ts";

const folder = vectorsFolder();
if (folder === null) console.log(skipLine("conformance cases"));

function filesOf(tee: string): string[] {
  const cases = folder === null ? null : join(folder, "cases", tee);
  if (cases === null || !existsSync(cases)) return [];
  return readdirSync(cases)
    .sort()
    .map((file) => join(cases, file));
}

for (const [tee, judgeCase] of Object.entries<Judge>(judges)) {
  test.skipIf(folder === null)(`there are cases for ${tee}`, () => {
    expect(filesOf(tee).length).toBeGreaterThan(10);
  });
  test.skipIf(folder === null).each(filesOf(tee).map((file) => [file.split("/").at(-1) ?? file, file] as const))(
    `${tee}/%s`,
    async (_name, file) => {
      const opened = openCase(file);
      expect(compareVerdict(opened.expect, await judgeCase(opened))).toEqual([]);
    },
  );
}
