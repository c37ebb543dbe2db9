import { createHash } from "node:crypto";
import { apiKeyDigest, isApiKey } from "@blindbox/manifest";
import { describe, expect, it } from "vitest";

const KEY = `bb_${"Ab0-_".repeat(9).slice(0, 43)}`;

describe("API keys", () => {
  it("are bb_ and 43 base64url characters", () => {
    expect(isApiKey(KEY)).toBe(true);
    for (const text of [
      "",
      "bb_",
      KEY.slice(1),
      `${KEY}a`,
      KEY.slice(0, -1),
      `${KEY.slice(0, -1)}=`,
      `${KEY}\n`,
      KEY.toUpperCase(),
    ]) {
      expect(isApiKey(text), text).toBe(false);
    }
  });

  it("are known by the lower-case hex SHA-256 of the whole key", async () => {
    expect(await apiKeyDigest(KEY)).toBe(`sha256:${createHash("sha256").update(KEY, "ascii").digest("hex")}`);
  });

  it("are not shown where one is refused", async () => {
    const wrong = `${KEY}x`;
    await expect(apiKeyDigest(wrong)).rejects.toThrow(TypeError);
    await expect(apiKeyDigest(wrong)).rejects.not.toThrow(wrong);
  });
});
