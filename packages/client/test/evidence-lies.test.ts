/** A box that answers in form, and lies in one thing: refused under the right name, and nothing was sent to it. */
import {
  AttestationError,
  ChannelBindingError,
  DebugModeError,
  InvalidEnclaveCode,
  leafHash,
  NotAnEnclaveError,
  OutdatedPlatformError,
  SecurityPolicyError,
  StaleEvidenceError,
} from "@blindbox/attestation";
import { toBase64url } from "@blindbox/encoding";
import { beforeAll, describe, expect, test } from "vitest";
import {
  type Asked,
  type Attempt,
  attempt,
  attemptOn,
  evidenceFor,
  leaks,
  type Lies,
  makeIdentity,
  makeVendor,
  makeWorld,
  optionsFor,
  secret,
  sendEvidence,
  startFakeBox,
  type World,
} from "./fake-box/index.ts";

let world: World;

beforeAll(async () => {
  world = await makeWorld();
});

function lie(lies: Lies): Promise<Attempt> {
  return attempt(world, { answer: async (asked) => sendEvidence(asked.socket, await evidenceFor(world, asked, lies)) });
}

type ErrorClass = new (...parameters: never[]) => AttestationError;

function expectRefused(outcome: Attempt, errorClass: ErrorClass, check: string): void {
  expect(outcome.error).toBeInstanceOf(errorClass);
  expect(outcome.failed).toContain(check);
  expect(outcome.received).toBe("");
  expect(outcome.asked.some(leaks)).toBe(false);
}

const random = (): Uint8Array => crypto.getRandomValues(new Uint8Array(32));

test("an honest box receives what was sent, so that the silence of the others means something", async () => {
  const outcome = await lie({});
  expect(outcome.error).toBeNull();
  expect(outcome.received).toContain(secret);
  expect(leaks(outcome.received)).toBe(true);
});

describe("a box is refused, and receives nothing, that answers", () => {
  test("for another nonce", async () => {
    expectRefused(await lie({ asked: (asked) => ({ ...asked, nonce: random() }) }), ChannelBindingError, "challenge");
  });

  test("for another connection's exporter", async () => {
    expectRefused(
      await lie({ asked: (asked) => ({ ...asked, exporter: random() }) }),
      ChannelBindingError,
      "challenge",
    );
  });

  test("with a leaf of the mode that binds to no connection", async () => {
    const leaf = ({ nonce }: Asked): Promise<Uint8Array> => leafHash("none", nonce, undefined);
    expectRefused(await lie({ leaf }), ChannelBindingError, "challenge");
  });

  test("with Evidence that it gave on an earlier connection", async () => {
    let first: string | undefined;
    const answer = async (asked: Asked): Promise<void> => {
      first ??= await evidenceFor(world, asked);
      sendEvidence(asked.socket, first);
    };
    await using box = await startFakeBox({ identity: world.identity, answer });
    expect((await attemptOn(box, box.url, optionsFor(world))).error).toBeNull();
    const before = box.received();
    const replayed = await attemptOn(box, box.url, optionsFor(world));
    expect(replayed.error).toBeInstanceOf(ChannelBindingError);
    expect(replayed.failed).toEqual(["challenge"]);
    expect(replayed.received).toBe(before);
  });

  test("with no proof at all", async () => {
    expectRefused(await lie({ proof: () => null }), ChannelBindingError, "challenge");
  });

  test("with a path that has one wrong node", async () => {
    const proof: Lies["proof"] = (truth) => ({ ...truth, path: [random(), ...truth.path.slice(1)] });
    expectRefused(await lie({ proof }), ChannelBindingError, "challenge");
  });

  test("with a path that is one node too long", async () => {
    const proof: Lies["proof"] = (truth) => ({ ...truth, path: [...truth.path, random()] });
    expectRefused(await lie({ proof }), ChannelBindingError, "challenge");
  });

  test("with a path that is one node too short", async () => {
    const proof: Lies["proof"] = (truth) => ({ ...truth, path: truth.path.slice(1) });
    expectRefused(await lie({ proof }), ChannelBindingError, "challenge");
  });

  test("with the path of another index", async () => {
    expectRefused(await lie({ proof: (truth) => ({ ...truth, index: 0 }) }), ChannelBindingError, "challenge");
  });

  test("with an index beyond the size", async () => {
    expectRefused(await lie({ proof: (truth) => ({ ...truth, index: 5 }) }), ChannelBindingError, "challenge");
  });

  test("with a challenge that is the leaf itself and a proof of size 1 for a tree of 4", async () => {
    const proof: Lies["proof"] = () => ({ index: 0, size: 1, path: [] });
    expectRefused(await lie({ proof }), ChannelBindingError, "challenge");
  });

  test("with a path of 13 nodes", async () => {
    const text: Lies["text"] = (truth) => {
      const node = JSON.stringify(toBase64url(random()));
      return truth.replace(/"path":\[[^\]]*\]/, `"path":[${Array.from({ length: 13 }, () => node).join(",")}]`);
    };
    expectRefused(await lie({ text }), NotAnEnclaveError, "document-form");
  });

  test("with a Statement for another TLS key", async () => {
    const { spkiDigest } = await makeIdentity();
    const statement: Lies["statement"] = (truth) => ({ ...truth, tls: spkiDigest });
    expectRefused(await lie({ statement }), ChannelBindingError, "tls-key");
  });

  test("with a Statement that the TEE did not sign", async () => {
    const document: Lies["document"] = (truth) => ({
      ...truth,
      statement: truth.statement.replace("rooted", "unprivileged"),
    });
    expectRefused(await lie({ document }), ChannelBindingError, "statement-binding");
  });

  test("with a Statement that was written anew after it was signed", async () => {
    const document: Lies["document"] = (truth) => ({
      ...truth,
      statement: JSON.stringify(JSON.parse(truth.statement), null, 1),
    });
    expectRefused(await lie({ document }), NotAnEnclaveError, "statement-form");
  });

  test("with a Statement in another order than the canonical one, although the TEE signed it", async () => {
    const statementText: Lies["statementText"] = (truth) =>
      JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(truth) as object).reverse()));
    expectRefused(await lie({ statementText }), NotAnEnclaveError, "statement-form");
  });

  test.each([
    ["a member twice", (truth: string) => truth.replace("{", '{"audit":null,')],
    ["an unknown member", (truth: string) => truth.replace('"type"', '"spare":1,"type"')],
    ["a member missing", (truth: string) => truth.replace('"ledger":null,', "")],
    ["an unknown version", (truth: string) => truth.replace("blindbox-statement/1", "blindbox-statement/2")],
    ["a lone surrogate", (truth: string) => truth.replace('"rooted"', '"rooted\\ud800"')],
    ["a fraction", (truth: string) => truth.replace(/"time":(\d+)/, '"time":$1.5')],
  ])("with a signed Statement that has %s", async (_, statementText) => {
    expectRefused(await lie({ statementText }), NotAnEnclaveError, "statement-form");
  });

  test.each([
    ["a member twice", (truth: string) => truth.replace("{", '{"endorsements":null,')],
    ["an unknown member", (truth: string) => truth.replace('"type"', '"spare":1,"type"')],
    ["__proto__", (truth: string) => truth.replace("{", '{"__proto__":null,')],
    ["an unknown version", (truth: string) => truth.replace("blindbox-evidence/1", "blindbox-evidence/2")],
    ["an unknown TEE", (truth: string) => truth.replaceAll('"tee":"simulated"', '"tee":"magic"')],
    ["white space", (truth: string) => truth.replace("{", "{ ")],
    ["a byte order mark", (truth: string) => `\ufeff${truth}`],
    ["its last byte missing", (truth: string) => truth.slice(0, -1)],
    ["an array around it", (truth: string) => `[${truth}]`],
  ])("with a document that has %s", async (_, text) => {
    expectRefused(await lie({ text }), NotAnEnclaveError, "document-form");
  });

  test.each([
    ["an empty document", ""],
    ["null", "null"],
    ["HTML under the right media type", "<!doctype html><p>Hello"],
    ["a megabyte of brackets", "[".repeat(1024 * 1024)],
  ])("with %s", async (_, text) => {
    expectRefused(await lie({ text: () => text }), NotAnEnclaveError, "document-form");
  });

  test.each([-301, 301, -86_400 * 365])("with a clock that is %i s off", async (offset) => {
    const statement: Lies["statement"] = (truth) => ({ ...truth, time: truth.time + offset });
    expectRefused(await lie({ statement }), StaleEvidenceError, "clock");
  });

  test("with another Manifest's text than the one in force", async () => {
    const document: Lies["document"] = (truth) => ({
      ...truth,
      manifest: truth.manifest.replace("transcriber", "other"),
    });
    expectRefused(await lie({ document }), SecurityPolicyError, "manifest-digest");
  });

  test("with another Manifest in force than the Release's", async () => {
    const manifest = `sha256:${"0".repeat(64)}`;
    const outcome = await lie({ statement: (truth) => ({ ...truth, manifest }) });
    expectRefused(outcome, InvalidEnclaveCode, "statement-manifest");
    expect(outcome.failed).toContain("manifest-required");
  });

  test("with another runtime than the Release's", async () => {
    const statement: Lies["statement"] = (truth) => ({ ...truth, runtime: `sha256:${"0".repeat(64)}` });
    expectRefused(await lie({ statement }), InvalidEnclaveCode, "statement-runtime");
  });

  test("from genuine hardware with another measurement", async () => {
    const report: Lies["report"] = (truth) => ({ ...truth, measurement: new Uint8Array(48).fill(8) });
    expectRefused(await lie({ report }), InvalidEnclaveCode, "reference-values");
  });

  test("with the debug bit set", async () => {
    expectRefused(await lie({ report: (truth) => ({ ...truth, debug: true }) }), DebugModeError, "debug");
  });

  test("with a TCB version below the floor", async () => {
    expectRefused(await lie({ report: (truth) => ({ ...truth, tcb: 0n }) }), OutdatedPlatformError, "tcb");
  });

  test("with a report whose signature has one bit flipped", async () => {
    const document: Lies["document"] = (truth) => {
      const evidence = Uint8Array.from(truth.evidence);
      evidence[287] = (evidence[287] ?? 0) ^ 1;
      return { ...truth, evidence };
    };
    expectRefused(await lie({ document }), NotAnEnclaveError, "evidence-signature");
  });

  test("with Evidence of a vendor whose root is not pinned", async () => {
    const other = { ...world, vendor: await makeVendor() };
    const outcome = await attempt(world, {
      answer: async (asked) => sendEvidence(asked.socket, await evidenceFor(other, asked)),
    });
    expectRefused(outcome, NotAnEnclaveError, "certificate-signature");
  });

  test("with a self-test that found a way out", async () => {
    const document: Lies["document"] = (truth) => ({ ...truth, selfTest: truth.selfTest.replace("denied", "allowed") });
    expectRefused(await lie({ document }), SecurityPolicyError, "self-test");
  });
});
