/** A Nitro attestation document in words (AWS Nitro Enclaves guide, "Verifying the root of trust"). */
import { nitro, parseNitroDocument, type NitroDocument } from "@blindbox/attestation";
import { toHex } from "@blindbox/encoding";
import type { Facts, Inspection, Section, SectionWords, Show } from "../inspection.ts";
import { sectionsOf } from "../inspection.ts";
import { certificateSection } from "./certificate.ts";
import { instant, isZero, line, textOf, plain } from "./values.ts";

/** Everything that a document says, and the chain in it. @throws EncodingError where it is none. */
export function inspectNitroDocument(bytes: Uint8Array): Inspection {
  const document = parseNitroDocument(bytes);
  const chain = [document.certificate, ...document.cabundle.toReversed()];
  const { facts: read, debug } = nitro().parseEvidence(bytes);
  const { pcrs: _pcrs, ...facts } = read;
  return {
    kind: "nitro-document",
    title: `AWS Nitro Enclaves attestation document${debug ? ", of an enclave in debug mode" : ""}`,
    sections: [
      ...sectionsOf(facts, [documentWords]),
      registers(document),
      certificateSection("the certificates in the document, the module's first", chain),
    ],
    inside: [],
  };
}

const enclave: Show = (value) => {
  const [instance = "", id = ""] = plain(value).split("-enc");
  return [line(plain(value)), ...(id === "" ? [] : [line(`instance ${instance}, enclave ${id}`)])];
};

const given: Show = (value) => (value === null ? [line("the enclave gave none")] : textOf(value));

const documentWords: SectionWords = {
  title: "the document",
  rows: [
    ["moduleId", "module_id", "The parent instance and the enclave on it, as the hypervisor names them.", enclave],
    ["timestamp", "timestamp", "When it was made, by the hypervisor's clock.", instant("ms")],
    ["digest", "digest", "The hash of the PCRs: the format knows no other."],
    ["pcrCount", "PCRs", "How many registers the document has. Those that are not named below are all zero."],
    [
      "userData",
      "user_data",
      "Bytes of whatever asked inside the enclave. In a box: SHA-512 of the Statement, 64 bytes.",
      given,
    ],
    ["nonce", "nonce", "Bytes of whatever asked; a box gives none, since its challenge is in the Statement.", given],
    ["publicKey", "public_key", "A key of whatever asked, to encrypt to; a box gives none.", given],
  ],
};

const meanings: Readonly<Record<string, readonly [label: string, means: string]>> = {
  "0": ["PCR0, the image", "SHA-384 over kernel, command line and all ramdisks of the enclave image file."],
  "1": ["PCR1, kernel", "SHA-384 over kernel, command line and the first ramdisk."],
  "2": ["PCR2, application", "SHA-384 over the other ramdisks: the application."],
  "3": ["PCR3, IAM role", "SHA-384 of the parent instance's IAM role: who may start this, not what runs."],
  "4": ["PCR4, instance", "SHA-384 of the parent instance's id: one machine."],
  "8": ["PCR8, image signer", "SHA-384 of the certificate that signed the image."],
};

const unmeasured: Show = (value) =>
  isZero(value)
    ? [line("all zero, as in debug mode: its host reads its console, and nothing of the code is measured", "bad")]
    : textOf(value);

/** Any of the code's three registers that is all zero counts as debug mode, as it does to the verifier. */
function registers({ pcrs }: NitroDocument): Section {
  const facts: Facts = Object.fromEntries([...pcrs].map(([index, pcr]) => [String(index), toHex(pcr)]));
  const rows = Object.keys(facts).flatMap((index) => {
    const isCode = Number(index) < 3;
    if (!isCode && isZero(facts[index] ?? "")) return [];
    const [label, means] = meanings[index] ?? [`PCR${index}`, "Extended by the application itself while it ran."];
    return [[index, label, means, isCode ? unmeasured : textOf] as const];
  });
  const title = "what was started";
  return (
    sectionsOf(Object.fromEntries(rows.map(([index]) => [index, facts[index] ?? ""])), [{ title, rows }])[0] ?? {
      title,
      fields: [],
    }
  );
}
