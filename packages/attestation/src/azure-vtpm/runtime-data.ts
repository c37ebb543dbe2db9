/** Parse: the runtime data of an HCL report, where the paravisor names the keys of its virtual TPM. JSON that others wrote. */
import {
  EncodingError,
  fromBase64url,
  fromUtf8,
  jsonArray,
  jsonString,
  parseForeignJson,
  type JsonValue,
} from "@blindbox/encoding";
import { readAs } from "../evidence-error.ts";
import { jsonMembers } from "../json.ts";
import { rsaPublicKey, type RsaPublicKey } from "../x509/index.ts";

/** What is needed of the runtime data. Members that are not known here are no mistake: the paravisor's releases add some. */
export interface RuntimeData {
  /** What signs quotes. */
  readonly attestationKey: RsaPublicKey;
  /** What the paravisor says that the key is for: `sign` alone, or it is none that quotes are believed of. */
  readonly keyOperations: readonly string[];
  /** 64 bytes in lower-case hex that the machine chose; `null` where an old paravisor has no place for them. */
  readonly userData: string | null;
  /** What a paravisor does not say is `null`, and no policy that demands something is content with that. */
  readonly secureBoot: boolean | null;
  readonly consoleEnabled: boolean | null;
  /** All that it says of the machine. */
  readonly configuration: Members;
}

type Members = { readonly [name: string]: JsonValue };

const attestationKeyId = "HCLAkPub";

/** A paravisor names 2 keys, an old one 1. */
const maxKeys = 8;
const maxOperations = 8;
const userDataDigits = 128;

/**
 * Reads runtime data: keys, configuration, user data.
 *
 * @throws EncodingError for what is not JSON or names a member twice, and where not exactly one key is the attestation key;
 * EvidenceError `unsupported-key-type` where that is no RSA key of 2048 to 4096 bits with the exponent 65537.
 */
export function parseRuntimeData(bytes: Uint8Array): RuntimeData {
  const { value } = parseForeignJson(fromUtf8(bytes, "runtimeData"), "runtimeData", { maxDepth: 6 });
  const members = jsonMembers(value, "runtimeData");
  const key = attestationKeyIn(members["keys"]);
  const configuration = jsonMembers(members["vm-configuration"], "runtimeData.vm-configuration");
  return {
    attestationKey: rsaKeyOf(key),
    keyOperations: operationsOf(key["key_ops"]),
    userData: userDataOf(members["user-data"]),
    secureBoot: switchIn(configuration, "secure-boot"),
    consoleEnabled: switchIn(configuration, "console-enabled"),
    configuration,
  };
}

/** Of two keys with one name a careless reader takes one and a careful one the other. */
function attestationKeyIn(value: JsonValue | undefined): Members {
  const keys = jsonArray(value, "runtimeData.keys", maxKeys).map((key, at) =>
    jsonMembers(key, `runtimeData.keys[${at}]`),
  );
  const named = keys.filter((key, at) => jsonString(key["kid"], `runtimeData.keys[${at}].kid`) === attestationKeyId);
  const [key] = named;
  if (key !== undefined && named.length === 1) return key;
  throw new EncodingError("bad-encoding", "runtimeData.keys", `one key ${attestationKeyId}`, `${named.length}`);
}

function rsaKeyOf(key: Members): RsaPublicKey {
  const field = `runtimeData.${attestationKeyId}`;
  return readAs("unsupported-key-type", () => {
    const kind = jsonString(key["kty"], `${field}.kty`);
    if (kind !== "RSA") throw new EncodingError("bad-encoding", `${field}.kty`, "RSA", "another kind");
    const part = (name: string): Uint8Array =>
      fromBase64url(jsonString(key[name], `${field}.${name}`), `${field}.${name}`);
    return rsaPublicKey(part("n"), part("e"), field);
  });
}

function operationsOf(value: JsonValue | undefined): readonly string[] {
  const field = `runtimeData.${attestationKeyId}.key_ops`;
  return jsonArray(value, field, maxOperations).map((operation, at) => jsonString(operation, `${field}[${at}]`));
}

function userDataOf(value: JsonValue | undefined): string | null {
  if (value === undefined) return null;
  const text = jsonString(value, "runtimeData.user-data").toLowerCase();
  if (text.length === userDataDigits && /^[0-9a-f]*$/.test(text)) return text;
  throw new EncodingError("bad-encoding", "runtimeData.user-data", "64 bytes in hex", "something else");
}

function switchIn(configuration: Members, name: string): boolean | null {
  const value = configuration[name];
  if (value === undefined || typeof value === "boolean") return value ?? null;
  throw new EncodingError("bad-encoding", `runtimeData.vm-configuration.${name}`, "true or false", "something else");
}
