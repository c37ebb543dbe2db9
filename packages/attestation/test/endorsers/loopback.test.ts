/** The same over a real socket: the runtime's own fetch against a server on this machine, in the vendors' place. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { createEndorser, memoryCache, type VendorFetch } from "@blindbox/attestation/endorsers";
import { NOW, pem } from "../vendor.ts";
import { refusal } from "./surroundings.ts";
import {
  amdCrl,
  ark,
  ask,
  intelEndorsements,
  milan,
  milanEndorsements,
  milanUrls,
  none,
  platform,
  vcek,
} from "./vendors.ts";

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

type Respond = (request: IncomingMessage, response: ServerResponse) => void;

/** A fetch that asks the server in the place of every vendor; the path stays as it is. */
async function vendorsAt(
  respond: Respond,
): Promise<{ readonly fetch: VendorFetch; readonly paths: readonly string[] }> {
  const paths: string[] = [];
  const server = createServer((request, response) => {
    paths.push(request.url ?? "");
    respond(request, response);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { paths, fetch: (url, init) => fetch(url.replace(/^https?:\/\/[^/]+/, `http://127.0.0.1:${port}`), init) };
}

function endorserAt(vendorFetch: VendorFetch) {
  return createEndorser({
    fetch: vendorFetch,
    now: () => NOW,
    sleep: (milliseconds, signal) =>
      setTimeout(Math.min(milliseconds, milliseconds < 14_000 ? 5 : milliseconds), undefined, { signal }),
    random: Math.random,
    cache: memoryCache(),
    amdSource: "kds",
    intelUpdate: "default",
  });
}

const answers: Readonly<Record<string, Uint8Array | string>> = {
  [new URL(milanUrls.ek).pathname]: vcek,
  [new URL(milanUrls.issuers).pathname]: pem(ask.der) + pem(ark.der),
  [new URL(milanUrls.crls).pathname]: amdCrl,
};

const milanServer: Respond = ({ url = "" }, response) => response.end(answers[url.split("?")[0] ?? ""]);

test("AMD's parts come whole, in pieces and compressed alike", async () => {
  const { fetch: vendorFetch, paths } = await vendorsAt((request, response) => {
    const content = Buffer.from(answers[(request.url ?? "").split("?")[0] ?? ""] ?? "");
    response.write(content.subarray(0, 100));
    setImmediate(() => response.end(content.subarray(100)));
  });
  expect((await endorserAt(vendorFetch).fetch(milan, none)).endorsements).toEqual(milanEndorsements);
  expect([...paths].sort()).toEqual(
    [milanUrls.ek, milanUrls.issuers, milanUrls.crls].map((url) => url.replace("https://kdsintf.amd.com", "")).sort(),
  );
});

test("Intel's chains come out of headers in lower case", async () => {
  const chain = (text: string): string => encodeURIComponent(text);
  const { fetch: vendorFetch } = await vendorsAt(({ url = "" }, response) => {
    if (url.includes("/tcb")) {
      response
        .setHeader("tcb-info-issuer-chain", chain(intelEndorsements.tcbInfoIssuerChain))
        .end(intelEndorsements.tcbInfo);
    } else if (url.includes("/qe/")) {
      response
        .setHeader("sgx-enclave-identity-issuer-chain", chain(intelEndorsements.qeIdentityIssuerChain))
        .end(intelEndorsements.qeIdentity);
    } else if (url.includes("/pckcrl")) {
      response
        .setHeader("sgx-pck-crl-issuer-chain", chain(intelEndorsements.pckCrlIssuerChain))
        .end(Buffer.from(intelEndorsements.pckCrl, "base64url"));
    } else response.end(Buffer.from(intelEndorsements.rootCaCrl, "base64url"));
  });
  expect((await endorserAt(vendorFetch).fetch(platform, none)).endorsements).toEqual(intelEndorsements);
});

test("a redirect is not followed", async () => {
  const { fetch: vendorFetch, paths } = await vendorsAt((request, response) => {
    if (!(request.url ?? "").endsWith("/crl")) return milanServer(request, response);
    response.writeHead(302, { location: "/elsewhere" }).end();
  });
  expect(await refusal(endorserAt(vendorFetch).fetch(milan, none))).toMatchObject({
    code: "redirected",
    missing: ["crls"],
  });
  expect(paths).not.toContain("/elsewhere");
});

test("an answer without end is cut, and the connection with it", async () => {
  let closed = (): void => undefined;
  const isClosed = new Promise<void>((resolve) => {
    closed = resolve;
  });
  const { fetch: vendorFetch } = await vendorsAt((request, response) => {
    if (!(request.url ?? "").endsWith("/crl")) return milanServer(request, response);
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536)));
    };
    response.on("drain", more).on("close", closed);
    more();
  });
  expect(await refusal(endorserAt(vendorFetch).fetch(milan, none))).toMatchObject({ code: "too-large", field: "crls" });
  await isClosed;
});

test("a connection that is cut again and again is unreachable, and one that is mended serves", async () => {
  let cuts = 0;
  const { fetch: vendorFetch } = await vendorsAt((request, response) => {
    if (!(request.url ?? "").endsWith("/crl") || cuts >= 2) return milanServer(request, response);
    cuts += 1;
    response.writeHead(200, { "content-length": 9999 });
    response.write("x");
    setImmediate(() => response.destroy());
  });
  expect((await endorserAt(vendorFetch).fetch(milan, none)).endorsements).toEqual(milanEndorsements);
  const dead: VendorFetch = (_url, init) => fetch("http://127.0.0.1:1/", init);
  expect(await refusal(endorserAt(dead).fetch(milan, none))).toMatchObject({
    code: "unreachable",
    missing: ["ek", "issuers", "crls"],
  });
});
