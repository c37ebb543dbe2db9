/** Explanations of what is compared before there is a document, and of what ties the document to its connection. */
import type { Explanations } from "./types.ts";

const http = "RFC 9112";
const tls = "RFC 8446";

export const connectionExplanations: Explanations = {
  "answer-head": ["A web server that is no box is told apart before anything of it is read.", `${http}, section 2`],
  "answer-head-size": ["A peer that never ends its head cannot fill this machine's memory.", http],
  "answer-status": ["Only an answer that calls itself one is read as Evidence.", "RFC 9110, section 15"],
  "answer-media-type": ["An error page or another service's answer is not read as Evidence.", "RFC 9110, section 8.3"],
  "answer-length": ["A peer cannot announce more than this machine is willing to read.", `${http}, section 6.2`],
  "answer-coding": [
    "One answer has one reading: nothing is decoded or put together before it is verified.",
    `${http}, section 6.1`,
  ],
  "answer-persistence": [
    "What was attested is the connection that is used: one that ends proves nothing of the next.",
    `${http}, section 9`,
  ],
  "answer-trailing-bytes": [
    "Bytes behind the answer would pass for the answer to your first request.",
    `${http}, section 6`,
  ],
  "tls-version": ["Older versions of TLS have no exporter that names one handshake.", tls],
  "tls-application-protocol": ["The exchange is bound as carefully in HTTP/1.1 only.", "RFC 7301"],
  "tls-full-handshake": ["A resumed session proves who was there before, not who is there now.", `${tls}, section 2.2`],
  "tls-certificate": ["Without a key the peer proved possession of nothing.", `${tls}, section 4.4.2`],
  "tls-exporter": [
    "Without it the connection has no name that only its two ends know.",
    "RFC 9266, RFC 8446 section 7.5",
  ],
  "tls-key": [
    "Whoever ends TLS in between, a proxy or a thief of names, has another key than the one that the hardware vouches for.",
    `${tls}, section 4.4.3`,
  ],
  challenge: [
    "A recording of older Evidence does not hold your nonce, and Evidence relayed from another connection not your exporter: both are refused even where the box's key was stolen.",
    "RFC 9334, section 10; RFC 9266; RFC 6962, section 2.1.1",
  ],
  "binding-level": ["A tie to the nonce alone lets whoever has the box's key relay genuine Evidence.", "RFC 9266"],
  clock: [
    "The box judges tokens, certificates and its upstreams by its clock, which is its host's. It also bounds the age of the Statement.",
    "RFC 9334, section 10.1",
  ],
};
