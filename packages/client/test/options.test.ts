/** What a caller must say, may say and must not say: every mistake is a TypeError, before any connection is opened. */
import { simulated, strictPolicy } from "@blindbox/attestation";
import { formatRelease } from "@blindbox/release";
import { beforeAll, describe, expect, test } from "vitest";
import { SecureSession, type SessionOptions, verifyBox } from "../src/index.ts";
import {
  apiKey,
  makeWorld,
  optionsFor,
  startFakeBox,
  startHonestBox,
  type FakeBox,
  type World,
} from "./fake-box/index.ts";

let world: World;
let options: SessionOptions;

beforeAll(async () => {
  world = await makeWorld();
  options = optionsFor(world);
});

/** Opens sessions to a box that must not see a connection. */
async function refusal(changed: unknown, url?: unknown): Promise<unknown> {
  await using box: FakeBox = await startFakeBox({ identity: world.identity, answer: () => {} });
  const connecting = SecureSession.connect((url ?? box.url) as string, changed as SessionOptions);
  const error: unknown = await connecting.catch((reason: unknown) => reason);
  expect(box.connections).toEqual([]);
  return error;
}

async function expectTypeError(changed: unknown, message: RegExp): Promise<void> {
  const error = await refusal(changed);
  expect(error).toBeInstanceOf(TypeError);
  expect(String(error)).toMatch(message);
  expect(String(error)).not.toContain(apiKey);
}

describe("options", () => {
  test.each([undefined, null, 1, "x", []])("that are %j are refused", async (value) => {
    await expectTypeError(value, /options/);
  });

  test.each(["release", "tees", "require", "credentials"])("without %s are refused by that name", async (name) => {
    const { [name as keyof SessionOptions]: _, ...rest } = options;
    await expectTypeError(rest, new RegExp(`options\\.${name} is missing`));
    await expectTypeError({ ...rest, [name]: undefined }, new RegExp(`options\\.${name} is missing`));
  });

  test.each(["manifest", "Release", "verify", "dispatcher", "rejectUnauthorized", "insecure"])(
    "with the unknown member %s are refused by that name",
    async (name) => {
      await expectTypeError({ ...options, [name]: true }, new RegExp(`options\\.${name} is unknown`));
    },
  );

  test.each<[string, object, RegExp]>([
    ["no Release in the list", { release: [] }, /options\.release/],
    ["null for a Release", { release: null }, /options\.release/],
    ["a number for a Release", { release: [1] }, /options\.release/],
    ["a path for a Release", { release: "./blindbox.release.json" }, /options\.release/],
    ["an empty object for a Release", { release: {} }, /options\.release/],
    ["no TEE", { tees: [] }, /options\.tees/],
    ["a TEE outside a list", { tees: {} }, /options\.tees/],
    ["no requirement", { require: {} }, /options\.require is empty/],
    [
      "a digest and a part of a meaning",
      { require: { manifest: `sha256:${"0".repeat(64)}`, logs: "none" } },
      /options\.require\.logs stands beside options\.require\.manifest/,
    ],
    ["an unknown requirement", { require: { digest: "x" } }, /options\.require\.digest is unknown/],
    ["a requirement that is a digest", { require: `sha256:${"0".repeat(64)}` }, /options\.require must be an object/],
    ["a digest in upper case", { require: { manifest: `sha256:${"A".repeat(64)}` } }, /options\.require\.manifest/],
    ["a digest without its algorithm", { require: { manifest: "0".repeat(64) } }, /options\.require\.manifest/],
    ["a null digest", { require: { manifest: null } }, /options\.require\.manifest/],
    ["no credential", { credentials: {} }, /options\.credentials/],
    ["two credentials", { credentials: { apiKey, anonymous: true } }, /options\.credentials/],
    ["anonymous: false", { credentials: { anonymous: false } }, /options\.credentials\.anonymous/],
    ["an unknown credential", { credentials: { apiKey, jwt: "x" } }, /options\.credentials\.jwt/],
    ["a malformed API key", { credentials: { apiKey: "bb_secret" } }, /options\.credentials\.apiKey/],
    ["an API key with a line break", { credentials: { apiKey: `${apiKey}\r\n` } }, /options\.credentials\.apiKey/],
    ["a binding for later", { binding: "tls-key" }, /options\.binding "tls-key" is not supported yet/],
    ["no binding", { binding: "none" }, /options\.binding/],
    ["an unknown warning", { accept: ["simulated-tee"] }, /options\.accept/],
    ["all warnings", { accept: true }, /options\.accept/],
    ["an unlimited age", { maxEvidenceAge: Number.POSITIVE_INFINITY }, /options\.maxEvidenceAge/],
    ["an age of 0", { maxEvidenceAge: 0 }, /options\.maxEvidenceAge/],
    ["an age in words", { maxEvidenceAge: "1h" }, /options\.maxEvidenceAge/],
    ["no connection at all", { maxConnections: 0 }, /options\.maxConnections/],
    ["a null time limit", { timeouts: { connect: null } }, /options\.timeouts\.connect/],
    ["an unknown time limit", { timeouts: { request: 1 } }, /options\.timeouts\.request/],
    ["a time limit of 0", { timeouts: { body: 0 } }, /options\.timeouts\.body/],
    ["a clock that is a time", { now: new Date() }, /options\.now/],
    ["a policy with a member missing", { policy: { debug: "refuse" } }, /policy/],
    ["a policy with a member too many", { policy: { ...strictPolicy, unsafe: true } }, /policy/],
    ["a null policy", { policy: null }, /policy/],
  ])("with %s are refused", async (_, change, message) => {
    await expectTypeError({ ...options, ...change }, message);
  });

  test("with a Release whose registers are not complete are refused", async () => {
    const registers = [{}, { measurement: "" }, { other: "00" }, { measurement: "00" }];
    for (const incomplete of registers) {
      const release = { ...world.release, referenceValues: [{ tee: "simulated", registers: incomplete }] };
      expect(await refusal({ ...options, release })).toBeInstanceOf(TypeError);
    }
    expect(await refusal({ ...options, release: { ...world.release, referenceValues: [] } })).toBeInstanceOf(TypeError);
  });

  test("with a simulator beside hardware are refused", async () => {
    const hardware = { ...simulated({ root: world.vendor.rootPem }), kind: "sev-snp" };
    await expectTypeError({ ...options, tees: [...options.tees, hardware] }, /simulator/);
  });

  test("of verifyBox take no credential", async () => {
    await expect(verifyBox("https://box.example", options as never)).rejects.toThrow(/options\.credentials is unknown/);
  });

  test.each(["http://127.0.0.1:1/", "https://user:word@127.0.0.1:1/", "https://127.0.0.1:1/path", "", undefined])(
    "beside the URL %j are refused",
    async (url) => {
      await expect(SecureSession.connect(url as string, options)).rejects.toBeInstanceOf(TypeError);
    },
  );
});

describe("a Release", () => {
  test.each([
    ["an object", () => world.release],
    ["its text", () => formatRelease(world.release)],
    ["a list of both", () => [formatRelease({ ...world.release, version: "0.9.0" }), world.release]],
  ])("may be given as %s", async (_, release) => {
    await using box = await startHonestBox(world, (_request, response) => response.end("hello"));
    const session = await SecureSession.connect(box.url, { ...options, release: release() });
    expect(await (await session.get("/")).text()).toBe("hello");
    await session.close();
  });

  test("is refused as text that is not canonical", async () => {
    await expectTypeError(
      { ...options, release: JSON.stringify(world.release, null, 2) },
      /options\.release is no Release/,
    );
  });
});
