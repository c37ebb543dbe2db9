/** Raw ECDSA signatures on P-384 and every way in which one can be wrong. */
import { integer, sequence } from "./der.ts";

/** The order of P-384. */
const order = Buffer.from(
  "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
  "hex",
);
const zero = new Uint8Array(48);
const highest = new Uint8Array(48).fill(0xff);

function halves(signature: Uint8Array): readonly [Uint8Array, Uint8Array] {
  return [signature.subarray(0, 48), signature.subarray(48)];
}

const joined = (r: Uint8Array, s: Uint8Array): Uint8Array => new Uint8Array(Buffer.concat([r, s]));
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

export const p384 = {
  /** The Ecdsa-Sig-Value of a raw signature. */
  der: (signature: Uint8Array): Uint8Array => {
    const [r, s] = halves(signature);
    return sequence(integer(hex(r)), integer(hex(s)));
  },
  /** (r, n - s), which verifies as well. */
  negated: (signature: Uint8Array): Uint8Array => {
    const [r, s] = halves(signature);
    const other = (BigInt(`0x${hex(order)}`) - BigInt(`0x${hex(s)}`)).toString(16).padStart(96, "0");
    return joined(r, Buffer.from(other, "hex"));
  },
} as const;

/** Raw signatures of the right length that are wrong ones. */
export const wrongSignatures: Readonly<Record<string, (signature: Uint8Array) => Uint8Array>> = {
  "r zero": (signature) => joined(zero, halves(signature)[1]),
  "s zero": (signature) => joined(halves(signature)[0], zero),
  "both zero": () => joined(zero, zero),
  "r equal to the order": (signature) => joined(order, halves(signature)[1]),
  "s equal to the order": (signature) => joined(halves(signature)[0], order),
  "r above the order": (signature) => joined(highest, halves(signature)[1]),
  "s above the order": (signature) => joined(halves(signature)[0], highest),
  "r and s swapped": (signature) => joined(halves(signature)[1], halves(signature)[0]),
  "r and s little-endian": (signature) => joined(...mapped(signature)),
  "all of it reversed": (signature) => signature.toReversed(),
};

function mapped(signature: Uint8Array): [Uint8Array, Uint8Array] {
  const [r, s] = halves(signature);
  return [r.toReversed(), s.toReversed()];
}
