/**
 * Media types of the sealed messages of DESIGN section 6, in the chunked form that streamed answers need.
 * In this version every Statement's `channel` is null: no box has a key to seal to, and nothing may send these types.
 */
export const SEALED_REQUEST_MEDIA_TYPE = "message/ohttp-chunked-req";

/** The answer's counterpart of `SEALED_REQUEST_MEDIA_TYPE`. */
export const SEALED_RESPONSE_MEDIA_TYPE = "message/ohttp-chunked-res";
