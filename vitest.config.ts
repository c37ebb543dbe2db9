import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { conditions: ["blindbox-source", "node", "import", "module", "default"] },
  ssr: { resolve: { conditions: ["blindbox-source", "node", "import", "module", "default"] } },
  test: {
    include: [
      "packages/*/test/**/*.test.ts",
      "scripts/**/*.test.ts",
      "conformance/**/*.test.ts",
      "examples/**/*.test.ts",
    ],
    exclude: ["**/node_modules/**", "**/dist/**"],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    pool: "forks",
    maxWorkers: 2,
  },
});
