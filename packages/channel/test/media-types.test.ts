import { SEALED_REQUEST_MEDIA_TYPE, SEALED_RESPONSE_MEDIA_TYPE } from "@blindbox/channel";
import { expect, it } from "vitest";

it("names the chunked media types of Oblivious HTTP", () => {
  expect([SEALED_REQUEST_MEDIA_TYPE, SEALED_RESPONSE_MEDIA_TYPE]).toEqual([
    "message/ohttp-chunked-req",
    "message/ohttp-chunked-res",
  ]);
});
