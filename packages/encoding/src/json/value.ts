/** What JSON can say. Ours holds only safe integers; {@link parseCanonicalJson} sees to it. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [member: string]: JsonValue };
