/** Length of functions and files: no function over 60 lines, 95 % under 40, no file over 400, but for the excused. */
import { functionsOf, listFiles, readText, type Problem } from "./sources.ts";

/** Files that may be longer than 400 lines, each with its reason. Tables only. */
export const excusedFiles: Readonly<Record<string, string>> = {};

const maxFileLines = 400;
const maxFunctionLines = 60;
const usualFunctionLines = 40;
const usualShare = 0.95;

function longFiles(root: string, files: readonly string[]): Problem[] {
  return files.flatMap((file) => {
    const lines = readText(root, file).split("\n").length - 1;
    if (lines <= maxFileLines || file in excusedFiles) return [];
    return [{ file, message: `${lines} lines; at most ${maxFileLines}` }];
  });
}

function staleExcuses(files: readonly string[]): Problem[] {
  return Object.keys(excusedFiles)
    .filter((file) => !files.includes(file))
    .map((file) => ({ file, message: "excused from the length rule but not there: remove the excuse" }));
}

/** All breaches of the length rules below `root`. */
export function checkLength(root: string): Problem[] {
  const folders = ["packages", "scripts", "conformance", "benchmarks", "examples"];
  const files = folders.flatMap((folder) => listFiles(root, folder, [".ts"])).filter((file) => !file.endsWith(".d.ts"));
  if (files.length === 0) return [{ file: ".", message: "no source file found: nothing was checked" }];
  const shipped = files.filter((file) => file.includes("/src/"));
  if (shipped.length === 0) return [{ file: "packages", message: "no shipped source found: nothing was checked" }];
  const spans = shipped.flatMap((file) => functionsOf(root, file).map((span) => ({ file, span })));
  const long = spans.filter(({ span }) => span.lines > maxFunctionLines);
  const usual = spans.filter(({ span }) => span.lines <= usualFunctionLines).length / spans.length;
  return [
    ...longFiles(root, files),
    ...staleExcuses(files),
    ...long.map(({ file, span }) => ({
      file: `${file}:${span.line}`,
      message: `function ${span.name} has ${span.lines} lines; at most ${maxFunctionLines}`,
    })),
    ...(spans.length > 0 && usual < usualShare
      ? [{ file: "packages", message: `only ${Math.round(usual * 100)} % of functions are under 40 lines` }]
      : []),
  ];
}
