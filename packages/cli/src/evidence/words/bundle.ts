/** A bundle in words: one exchange that somebody saved. */
import { toHex } from "@blindbox/encoding";
import type { Bundle } from "../../exchange/bundle.ts";
import type { Facts, Inspection, SectionWords } from "../inspection.ts";
import { sectionsOf } from "../inspection.ts";
import { abridged, instant, line, plain } from "./values.ts";

/** What stands beside the document in a bundle; the document is `inside`. */
export function inspectBundle(bundle: Bundle, inside: readonly Inspection[]): Inspection {
  const sections = sectionsOf(factsOf(bundle), [bundleWords]);
  return {
    kind: "bundle",
    title: "a saved exchange: everything in this part is the word of whoever saved it",
    sections,
    inside,
  };
}

function factsOf({ url, time, exchange, releases, manifest }: Bundle): Facts {
  const { nonce, channel, peerKey } = exchange;
  return {
    url,
    time,
    nonce: nonce === null ? null : toHex(nonce),
    exporter: channel.binding === "tls-exporter" ? toHex(channel.exporter) : null,
    tls: peerKey === null ? null : toHex(peerKey.tlsSpki),
    manifest,
    releases: releases.length,
  };
}

const bundleWords: SectionWords = {
  title: "the exchange",
  rows: [
    ["url", "box", "Where the box was."],
    ["time", "saved at", "By the clock of whoever saved it.", instant("s")],
    ["nonce", "nonce", "What was asked with."],
    ["exporter", "TLS exporter", "By which the connection is known at both of its ends (RFC 9266)."],
    ["tls", "TLS key", "The key at which the connection ended.", abridged],
    ["manifest", "Manifest", "Digest that was required then."],
    ["releases", "releases", "How many were accepted then.", (value) => [line(plain(value))]],
  ],
};
