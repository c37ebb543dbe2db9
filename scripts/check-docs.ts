/** Compiles every `ts` block of the documentation against the built packages; a page that does not compile fails. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { listFiles } from "./guards/sources.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = join(root, ".cache/docs");

/** One fenced block of a page. `line` counts from 1. */
export interface CodeBlock {
  readonly page: string;
  readonly language: string;
  readonly line: number;
  readonly code: string;
}

/** The fenced blocks of one Markdown text. */
export function codeBlocks(page: string, text: string): CodeBlock[] {
  return [...text.matchAll(/^```(\w+)[^\n]*\n([\s\S]*?)^```$/gm)].map((match) => ({
    page,
    language: match[1] ?? "",
    line: text.slice(0, match.index).split("\n").length,
    code: match[2] ?? "",
  }));
}

/** Every page of the documentation, relative to the repository. */
export function pages(): string[] {
  const top = listFiles(root, ".", [".md"]).filter((file) => !file.includes("/"));
  return [...top, ...listFiles(root, "docs", [".md"]), ...listFiles(root, "examples", [".md"])];
}

function writeBlocks(): number {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const blocks = pages()
    .flatMap((page) => codeBlocks(page, readFileSync(join(root, page), "utf8")))
    .filter((block) => block.language === "ts");
  for (const block of blocks) {
    const name = `${block.page.replace(/[^A-Za-z0-9]+/g, "-")}-line-${block.line}.ts`;
    writeFileSync(join(folder, name), `${block.code}\nexport {};\n`);
  }
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      extends: "../../tsconfig.node.json",
      compilerOptions: {
        noEmit: true,
        composite: false,
        declaration: false,
        declarationMap: false,
        isolatedDeclarations: false,
      },
      include: ["*.ts"],
    }),
  );
  return blocks.length;
}

if (import.meta.main) {
  const count = writeBlocks();
  const { status, stdout } = spawnSync("tsc", ["-p", folder], { encoding: "utf8" });
  console.log(status === 0 ? `${count} blocks compile` : stdout);
  process.exit(status === 0 && count > 0 ? 0 : 1);
}
