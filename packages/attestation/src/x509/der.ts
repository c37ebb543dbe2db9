/** Reading the elements of one SEQUENCE in order; whatever is left over, or out of place, is refused. */
import { DER_TAG, derChildren, derExpect, EncodingError, type DerElement } from "@blindbox/encoding";

/** Identifier octets of the constructed context tags [0] and [3]. */
export const CONTEXT_0 = 0xa0;
export const CONTEXT_3 = 0xa3;

/** The elements of a SEQUENCE, taken one after another. */
export interface Sequence {
  /** The next element, `undefined` behind the last: every reader of a value refuses that, as it does another tag. */
  take(): DerElement | undefined;
  /** The next element where it has that tag, else `null`. */
  takeIf(tag: number): DerElement | null;
  /** Whatever is left. */
  rest(): readonly DerElement[];
  /** Refuses whatever is left. */
  end(): void;
}

/** Opens an element whose tag must be `tag`. */
export function openSequence(element: DerElement | undefined, field: string, tag: number = DER_TAG.sequence): Sequence {
  const elements = derChildren(derExpect(element, tag, field), field);
  let at = 0;
  const take = (): DerElement | undefined => elements[at++];
  return {
    take,
    takeIf: (wanted) => (elements[at]?.tag === wanted ? (take() ?? null) : null),
    rest: () => elements.slice(at),
    end: () => {
      if (at < elements.length)
        throw new EncodingError("trailing-bytes", field, `${at} elements`, `${elements.length}`);
    },
  };
}

/** The raw DER of a SEQUENCE that is compared or verified as a whole. */
export function rawSequence(element: DerElement | undefined, field: string): Uint8Array {
  return derExpect(element, DER_TAG.sequence, field).raw;
}
