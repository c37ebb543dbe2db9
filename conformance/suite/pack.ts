/** Packs cases and the files that they name into one value, so that a runtime without files can judge them. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { openCase } from "../case.ts";
import { judges } from "../tees/index.ts";
import type { Pack, PackedCase } from "./suite.ts";

/** Every case of every kind of TEE that there is a judge for, below the vectors' folder. */
export function packCases(vectors: string): Pack {
  const files = Object.keys(judges).flatMap((tee) => {
    const folder = join(vectors, "cases", tee);
    return readdirSync(folder)
      .filter((file) => file.endsWith(".json"))
      .sort()
      .map((file) => join(folder, file));
  });
  return { cases: files.map(packCase) };
}

function packCase(file: string): PackedCase {
  const { bytes, now: _now, ...opened } = openCase(file);
  const { collateral, crls = [], ek, issuers = [] } = opened.endorsements;
  const paths = [
    ...Object.values(opened.evidence),
    ...Object.values(collateral ?? {}),
    ...crls,
    ...issuers,
    ...(ek === undefined ? [] : [ek]),
  ];
  return {
    ...opened,
    files: Object.fromEntries(paths.map((path) => [path, Buffer.from(bytes(path)).toString("base64")])),
  };
}
