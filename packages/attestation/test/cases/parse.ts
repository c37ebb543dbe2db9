/** What cannot be read (step 1). */
import { NotAnEnclaveError } from "@blindbox/attestation";
import { base64url, random } from "../vendor.ts";
import { changedBody, changedStatement, otherDigest, refusals, type Refusal } from "./refusals.ts";

export const parseRefusals: readonly Refusal[] = [
  refusals("parse", NotAnEnclaveError, ["document-form"], {
    "an empty body": { body: () => "" },
    "a page of HTML": { body: () => "<!doctype html>" },
    "another JSON": { body: () => "{}" },
    "a document with white space": { body: (text) => `${text}\n` },
    "a document behind a byte order mark": { body: (text) => `\uFEFF${text}` },
    "a document with one member more": changedBody((all) => ({ ...all, more: 1 })),
    "a document of the next version": changedBody((all) => ({ ...all, type: "blindbox-evidence/2" })),
    "a document of an unknown TEE": changedBody((all) => ({ ...all, tee: "sgx" })),
    "a document without Manifest": changedBody((all) => ({ ...all, manifest: undefined })),
    "a document above 5 MiB": changedBody((all) => ({ ...all, manifest: "x".repeat(5 * 1024 * 1024) })),
    "a document with a path of 13 nodes": changedBody((all) => ({
      ...all,
      proof: { index: 0, path: Array(13).fill(base64url(random(32))), size: 4096 },
    })),
  }),
  refusals("parse", NotAnEnclaveError, ["evidence-form"], {
    "a report with a byte behind it": { evidence: (bytes) => Buffer.concat([bytes, Buffer.of(0)]) },
    "a report without its last byte": { evidence: (bytes) => bytes.subarray(0, -1) },
    "no report": { evidence: () => new Uint8Array() },
  }),
  refusals("parse", NotAnEnclaveError, ["statement-form", "statement-binding"], {
    "a re-serialised Statement": {
      document: (all) => ({ ...all, statement: JSON.stringify(JSON.parse(all.statement), null, 1) }),
    },
  }),
  refusals("parse", NotAnEnclaveError, ["statement-form"], {
    "a signed Statement with white space": { statementText: (text) => ` ${text}` },
    "a signed Statement with one member more": changedStatement((all) => ({ ...all, more: null })),
    "a signed Statement with one member fewer": changedStatement((all) => ({ ...all, audit: undefined })),
    "a signed Statement of the next version": changedStatement((all) => ({ ...all, type: "blindbox-statement/2" })),
    "a signed Statement with a fraction": {
      statementText: (text) => text.replace(/"time":\d+/, '"time":1800000000.5'),
    },
    "a signed Statement whose member stands twice": {
      statementText: (text) => text.replace('"audit":null', '"audit":null,"audit":null'),
    },
    "a signed Statement with a challenge of 31 bytes": changedStatement((all) => ({
      ...all,
      challenge: base64url(random(31)),
    })),
    "a signed Statement with a digest in upper case": changedStatement((all) => ({
      ...all,
      tls: otherDigest.toUpperCase().replace("SHA", "sha"),
    })),
  }),
  refusals("parse", NotAnEnclaveError, ["statement-tee"], {
    "a Statement of another kind of TEE": { statement: { tee: "tdx" } },
  }),
].flat();
