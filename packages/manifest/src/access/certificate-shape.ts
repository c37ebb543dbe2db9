import { digestShape } from "../fields.ts";
import {
  described,
  isMap,
  kindOf,
  list,
  mapped,
  nullable,
  object,
  optional,
  type Shape,
  text,
  variant,
  word,
} from "../shape/index.ts";
import type { AlternativeName, CertificateTerms, NameAttribute, NameAttributeType } from "./principal.ts";

const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";

const dns = text({
  expected: "a DNS name in lower case, without wildcard",
  pattern: `^${LABEL}(?:\\.${LABEL})*$`,
  max: 253,
  show: true,
});

const uri = text({ expected: "a URI", pattern: "^[a-z][a-z0-9+.-]{0,31}:[!-~]+$", max: 512 });

const email = text({ expected: "an e-mail address", pattern: "^[!-?A-~]+@[A-Za-z0-9.-]+$", max: 254 });

const san: Shape<AlternativeName> = variant<AlternativeName>(
  {
    dns: object<{ readonly dns: string }>({ dns }),
    uri: object<{ readonly uri: string }>({ uri }),
    email: object<{ readonly email: string }>({ email }),
  },
  "a map with dns, uri or email",
  (value) => Object.keys(value)[0],
);

const ATTRIBUTES: readonly NameAttributeType[] = ["C", "ST", "L", "O", "OU", "CN", "serialNumber", "UID", "DC"];

/** Deepest that names nest in practice is half of this. */
const MAX_ATTRIBUTES = 16;

const attributeValue = text({
  expected: "1 to 128 characters without control characters",
  pattern: "^[^\\u0000-\\u001f\\u007f\\ud800-\\udfff]+$",
  max: 128,
});

const attribute: Shape<NameAttribute> = object<NameAttribute>({ type: word(ATTRIBUTES), value: attributeValue });

/** `CN: host-1`, say. */
const writtenAttribute: Shape<NameAttribute> = variant<NameAttribute>(
  Object.fromEntries(ATTRIBUTES.map((type) => [type, oneAttribute(type)])),
  `a map with one attribute: ${ATTRIBUTES.join(", ")}`,
  (value) => (Object.keys(value).length === 1 ? Object.keys(value)[0] : undefined),
);

function oneAttribute(type: NameAttributeType): Shape<NameAttribute> {
  const named = object<Record<string, string>>({ [type]: attributeValue });
  return mapped(named, (read) => ({ type, value: read[type] ?? "" }));
}

function subjectOf(each: Shape<NameAttribute>): Shape<CertificateTerms["subject"]> {
  const whole = list(each, { min: 1, max: MAX_ATTRIBUTES });
  return {
    schema: { anyOf: [{ const: "any" }, whole.schema] },
    read: (value, at) => (value === "any" ? "any" : whole.read(value, at)),
  };
}

/** The terms of a client certificate in the resolved form. */
export const certificateShape: Shape<CertificateTerms> = object<CertificateTerms>({
  issuer: digestShape,
  subject: subjectOf(attribute),
  san: nullable(san),
});

/** The terms of a client certificate as they are written: `subject`, `san` or both. */
export interface CertificateSource extends Pick<CertificateTerms, "issuer"> {
  readonly subject?: CertificateTerms["subject"];
  readonly san?: AlternativeName;
}

const written: Shape<CertificateTerms> = mapped(
  object<CertificateSource>({
    issuer: described(digestShape, "SHA-256 of the public key (SPKI) that signs the callers' certificates."),
    subject: optional(described(subjectOf(writtenAttribute), "The whole subject in its order, or any.")),
    san: optional(described(san, "One of the certificate's alternative names.")),
  }),
  (terms) => ({ subject: "any", san: null, ...terms }),
);

/** The terms of a client certificate as written. Whose certificates of an issuer are meant has to be said. */
export const certificateSourceShape: Shape<CertificateTerms> = {
  schema: {
    ...written.schema,
    anyOf: ["subject", "san"].map((name) => ({ properties: { [name]: {} }, required: [name] })),
  },
  read(value, at) {
    if (!isMap(value) || Object.hasOwn(value, "subject") || Object.hasOwn(value, "san")) return written.read(value, at);
    written.read(value, at);
    return at.problem(
      "subject, san, or both",
      kindOf(undefined),
      "write subject: any where everybody with a certificate of that issuer is this caller",
    );
  },
};
