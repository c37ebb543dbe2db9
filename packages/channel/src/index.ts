export { SEALED_REQUEST_MEDIA_TYPE, SEALED_RESPONSE_MEDIA_TYPE } from "./media-types.ts";
