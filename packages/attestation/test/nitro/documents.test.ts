/** Real documents: read as cborg reads them, and accepted or refused at the time for which they were made. */
import { readFileSync } from "node:fs";
import { decode } from "cborg";
import { describe, expect, test } from "vitest";
import { nitro, parseNitroDocument } from "@blindbox/attestation";
import { skipLine, vectorFiles } from "../../../../conformance/vectors.ts";
import { policyWith, refusalsOf } from "./appraise.ts";

const files = vectorFiles([".cose"]).filter((file) => file.includes("/nitro/"));
if (files.length === 0) console.log(skipLine("real documents of Nitro"));
const named = files.map((file) => [file.split("/").at(-1) ?? file, file] as const);

function open(file: string): Uint8Array {
  return new Uint8Array(readFileSync(file));
}

describe.skipIf(files.length === 0).each(named)("%s", (name, file) => {
  test("has the members that cborg reads", () => {
    const document = parseNitroDocument(open(file));
    const [, , payload, signature] = decode(open(file), { useMaps: true }) as readonly Uint8Array[];
    const members = decode(payload ?? new Uint8Array(), { useMaps: true }) as ReadonlyMap<string, unknown>;
    expect(document).toMatchObject({
      moduleId: members.get("module_id"),
      timestamp: members.get("timestamp"),
      pcrs: members.get("pcrs"),
      certificate: members.get("certificate"),
      cabundle: members.get("cabundle"),
      publicKey: members.get("public_key"),
      userData: members.get("user_data"),
      nonce: members.get("nonce"),
      signature,
    });
    expect(document.signed).toEqual(sigStructure(open(file), payload ?? new Uint8Array()));
  });

  test("gets the verdict that its name says, just after it was made", async () => {
    const document = parseNitroDocument(open(file));
    const question = {
      tee: nitro(),
      endorsements: {},
      policy: policyWith({}),
      now: Math.ceil(document.timestamp / 1000),
    };
    const own = [
      ...(document.nonce === null ? [] : ["document-nonce: nonce-mismatch"]),
      ...(document.publicKey === null ? [] : ["document-public-key: public-key-mismatch"]),
    ];
    const found = await refusalsOf(open(file), question);
    const [wrong] = found.filter((each) => !own.includes(each));
    expect(wrong).toBe(verdictOf(name));
  });
});

function verdictOf(name: string): string | undefined {
  if (name.startsWith("DEBUG")) return "debug: debug-enabled";
  if (name === "NEG-marlin-custom-root.cose") return "pinned-root: untrusted-root";
  return name === "NEG-veracruz-bad-sig.cose" ? "evidence-signature: bad-signature" : undefined;
}

/** Written by hand: the header is always `{1: -35}`, and the payloads take more than 255 bytes. */
function sigStructure(document: Uint8Array, payload: Uint8Array): Uint8Array {
  const start = Buffer.from("846a5369676e61747572653144a101382240590000", "hex");
  start.writeUInt16BE(payload.length, start.length - 2);
  expect(document[0]).toBe(0x84);
  return new Uint8Array(Buffer.concat([start, payload]));
}
