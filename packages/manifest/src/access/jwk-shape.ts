import { list, object, optional, type Shape, text, variant, word } from "../shape/index.ts";
import type { InlineKeys, Jwk } from "./principal.ts";

const plain = text({ expected: "1 to 512 visible ASCII characters", pattern: "^[!-~]+$", max: 512 });
const chain = text({ expected: "base64", pattern: "^[A-Za-z0-9+/]+={0,2}$", max: 16_384 });
const base64url = text({ expected: "base64url without padding", pattern: "^[A-Za-z0-9_-]+$", max: 2048 });

/** One number of a key, in exactly as many characters as its curve gives it (RFC 7518, section 6.2.1.2). */
function coordinate(characters: number): Shape<string> {
  const expected = `${characters} base64url characters`;
  return text({ expected, pattern: `^[A-Za-z0-9_-]{${characters}}$`, max: characters });
}

// 342 characters are 2048 bits, below which RS256 and PS256 are not safe (RFC 7518, section 3.3); 1366 are 8192.
const modulus = text({
  expected: "a modulus of 2048 to 8192 bits, in base64url without padding",
  pattern: "^[A-Za-z0-9_-]{342,1366}$",
  max: 1366,
});

const about = {
  kid: optional(plain),
  alg: optional(plain),
  use: optional(word(["sig"])),
  key_ops: optional(list(word(["verify"]), { min: 1, max: 1 })),
  x5c: optional(list(chain, { min: 1, max: 8 })),
  x5t: optional(base64url),
  "x5t#S256": optional(base64url),
};

function onCurve(crv: string, characters: number): Shape<Jwk> {
  const point = { x: coordinate(characters), y: coordinate(characters) };
  return object({ kty: word(["EC"]), crv: word([crv]), ...point, ...about });
}

const exponent = word(["AQAB"]);

/** One public key. Members like `d`, `p` and `k` are unknown here, since the Manifest is shown to every client. */
export const jwkShape: Shape<Jwk> = variant<Jwk>(
  {
    "P-256": onCurve("P-256", 43),
    "P-384": onCurve("P-384", 64),
    "P-521": onCurve("P-521", 88),
    OKP: object({ kty: word(["OKP"]), crv: word(["Ed25519"]), x: coordinate(43), ...about }),
    RSA: object({ kty: word(["RSA"]), n: modulus, e: exponent, ...about }),
  },
  "a public key with kty EC and crv P-256, P-384 or P-521, or with kty OKP or RSA",
  (jwk) => (jwk.kty === "EC" ? jwk.crv : jwk.kty),
);

/** A set of public keys. */
export const inlineKeysShape: Shape<InlineKeys> = object<InlineKeys>({ keys: list(jwkShape, { min: 1, max: 16 }) });
