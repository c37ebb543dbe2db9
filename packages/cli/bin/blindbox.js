#!/usr/bin/env node
// Plain JavaScript that old versions of Node can parse, so that they get a sentence instead of a syntax error.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(`error: Node: expected 22.19 or later, got ${process.versions.node}\n`);
  process.stderr.write(
    "hint: install a current Node, or in a checkout run node_modules/.bin/node packages/cli/bin/blindbox.js\n",
  );
  process.exit(2);
}
const { main } = await import("../dist/main.js").catch((error) => {
  if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
  process.stderr.write(
    "error: blindbox: expected its built program, got a checkout that was not built, or not whole\n",
  );
  process.stderr.write("hint: run `./demo`, or `npm ci` and `npm run build`, in the checkout\n");
  process.exit(2);
});
process.exitCode = await main(process.argv.slice(2));
