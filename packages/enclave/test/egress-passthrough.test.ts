import { connect, type Socket } from "node:net";
import type { TlsOptions } from "node:tls";
import type { PassthroughEgress } from "@blindbox/manifest";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { servePassthrough } from "../src/egress/modes/passthrough.ts";
import { openPlain, openTls, readAll, receive, say } from "./fixtures-egress/app.ts";
import { certifyRoot, certifySite, type Identity } from "./fixtures-egress/certificates.ts";
import {
  helloFor,
  helloMessage,
  record,
  records,
  retryRandom,
  serverHelloMessage,
  serverName,
} from "./fixtures-egress/hello.ts";
import { type Site, startTcpSite, startTlsSite } from "./fixtures-egress/sites.ts";
import { startWayOut, type WayOut, type WayOutOptions } from "./fixtures-egress/way-out.ts";

const rule: PassthroughEgress = { mode: "passthrough", host: "db.test", ports: [5432] };
const open: { close(): Promise<void> }[] = [];
let root: Identity;

beforeAll(async () => {
  root = await certifyRoot("root");
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

async function wayTo(site: Promise<Site>, limits: WayOutOptions["limits"] = {}): Promise<{ site: Site; way: WayOut }> {
  const started = await site;
  const way = await startWayOut({
    mode: servePassthrough,
    egress: [rule],
    name: "db.test",
    site: started.port,
    limits,
  });
  open.push(started, way);
  return { site: started, way };
}

const tlsRequest = Buffer.from("0000000804d2162f", "hex").toString("latin1");
const gssRequest = Buffer.from("0000000804d21630", "hex").toString("latin1");
const startup = Buffer.from("00000012000300007573657200626f620000", "hex").toString("latin1");
/** A server that says `bytes` as soon as it hears anything. */
const answering = (bytes: Buffer | string): Promise<Site> =>
  startTcpSite((socket) => void socket.once("data", () => socket.write(bytes)).once("end", () => socket.end()));
const silent = (): Promise<Site> => startTcpSite((socket) => void socket.resume().once("end", () => socket.end()));

describe("TLS that the box does not look into", () => {
  it("reaches the host, whose certificate the application sees", async () => {
    const identity = await certifySite(root, "db.test");
    const { way } = await wayTo(
      startTlsSite(identity, (socket) => void socket.once("data", () => socket.end("answer"))),
    );
    const socket = await openTls(way.port, root.certificate, { servername: "db.test", ALPNProtocols: ["h2", "x"] });
    expect((await say(socket, "question")).text).toBe("answer");
    const closed = await way.recorded("closed");
    expect(closed).toMatchObject({ host: "db.test", port: 5432, mode: "passthrough", peer: null });
    expect(Math.min(closed.sent, closed.received)).toBeGreaterThan(100);
  });

  it("reaches the host byte for byte, in however many records and pieces it comes", async () => {
    const { site, way } = await wayTo(answering(record(serverHelloMessage())));
    const bytes = Buffer.concat([
      records(helloMessage({ extensions: [serverName([0, "DB.test"])] }), [1, 2, 30]),
      Buffer.from("behind"),
    ]);
    const socket = (await openPlain(way.port)).setNoDelay(true);
    for (const byte of bytes) {
      socket.write(Buffer.from([byte]));
      await new Promise(setImmediate);
    }
    socket.destroySoon();
    await way.recorded("closed");
    expect(site.heard()).toBe(bytes.toString("latin1"));
  });

  it.each<[string, Buffer | string, string]>([
    ["another name", helloFor("other.test"), "refused-server-name"],
    [
      "two names",
      record(helloMessage({ extensions: [serverName([0, "db.test"], [0, "other.test"])] })),
      "refused-server-name",
    ],
    ["no name", record(helloMessage({})), "refused-server-name"],
    ["an address", helloFor("203.0.113.5"), "refused-server-name"],
    [
      "ECH",
      record(helloMessage({ extensions: [serverName([0, "db.test"]), [0xfe0d, Buffer.alloc(9)]] })),
      "refused-encrypted-hello",
    ],
    ["HTTP", "GET / HTTP/1.1\r\nHost: db.test\r\n\r\n", "refused-hello"],
    ["SSH", "SSH-2.0-x\r\n", "refused-hello"],
    ["PostgreSQL without TLS", startup, "refused-hello"],
    ["PostgreSQL's request to cancel", Buffer.from("0000001004d2162e0000000100000001", "hex"), "refused-hello"],
    ["a request for TLS with something behind it", `${tlsRequest}secret`, "refused-hello"],
    ["a request for GSSAPI with something behind it", `${gssRequest}${tlsRequest}`, "refused-hello"],
    ["nothing but zeros", "\0".repeat(100), "refused-hello"],
  ])("reaches nobody where it begins with %s", async (_, bytes, verdict) => {
    const { site, way } = await wayTo(silent());
    const socket = await openPlain(way.port);
    const ending = readAll(socket);
    socket.write(bytes, "latin1");
    expect(await ending).toEqual({ text: "", how: "reset" });
    expect(site.connections()).toBe(0);
    expect(way.records).toMatchObject([{ verdict, rule: 0, host: "db.test", sent: 0 }]);
  });

  it.each([
    ["nothing", ""],
    ["half a ClientHello", helloFor("db.test").subarray(0, 60).toString("latin1")],
    ["half a request for TLS", tlsRequest.slice(0, 4)],
  ])("reaches nobody where %s comes in time", async (_, text) => {
    const { site, way } = await wayTo(silent(), { hello: 150 });
    expect(await say(await openPlain(way.port), text)).toEqual({ text: "", how: "reset" });
    expect(site.connections()).toBe(0);
    expect(way.verdicts()).toEqual(["refused-hello"]);
  });
});

describe("a server that asks for another ClientHello", () => {
  const retry = record(serverHelloMessage(retryRandom), 22, 0x0303);
  const changeCipherSpec = record(Buffer.from([1]), 20, 0x0303);

  /** A true server of TLS that takes only what no client offers first, behind one that hears every byte. */
  async function demanding(options: TlsOptions): Promise<Site> {
    const identity = await certifySite(root, "db.test");
    const tls = await startTlsSite(identity, (socket) => void socket.once("data", () => socket.end("answer")), options);
    open.push(tls);
    return startTcpSite((socket) => {
      const behind = connect(tls.port, "127.0.0.1").on("error", () => socket.destroy());
      socket.pipe(behind).pipe(socket);
    });
  }

  const hellosIn = (heard: string): number => heard.split("db.test").length - 1;

  it.each<[string, TlsOptions, number]>([
    ["gets it, by TLS 1.3", { ecdhCurve: "P-384", minVersion: "TLSv1.3" }, 2],
    ["does not by TLS 1.2, where there is no such thing", { maxVersion: "TLSv1.2" }, 1],
    ["does not where it takes the first", {}, 1],
  ])("%s", async (_, options, hellos) => {
    const { site, way } = await wayTo(demanding(options));
    const socket = await openTls(way.port, root.certificate, {
      servername: "db.test",
      ecdhCurve: "X25519:P-384:P-256",
    });
    expect((await say(socket, "question")).text).toBe("answer");
    expect(hellosIn(site.heard())).toBe(hellos);
    await way.recorded("closed");
    expect(way.verdicts()).toEqual(["connected", "closed"]);
  });

  it("never hears another name in it", async () => {
    const { site, way } = await wayTo(demanding({ ecdhCurve: "P-384", minVersion: "TLSv1.3" }));
    let hellos = 0;
    const liar = await startTcpSite((socket) => {
      const through = connect(way.port, "127.0.0.1").on("error", () => socket.destroy());
      socket.on("data", (chunk: Buffer) => {
        const text = chunk.toString("latin1");
        const isSecond = text.includes("db.test") && (hellos += 1) === 2;
        through.write(isSecond ? text.replace("db.test", "no.test") : text, "latin1");
      });
      through.pipe(socket);
    });
    open.push(liar);
    const options = { servername: "db.test", ecdhCurve: "X25519:P-384" };
    await expect(openTls(liar.port, root.certificate, options)).rejects.toThrow();
    expect((await way.recorded("refused-server-name")).host).toBe("db.test");
    expect(site.heard()).toContain("db.test");
    expect(site.heard()).not.toContain("no.test");
    expect((await way.recorded("closed")).sent).toBe(site.heard().length);
  });

  it.each<[string, readonly Buffer[], string]>([
    ["another name", [helloFor("no.test")], "refused-server-name"],
    ["another name behind a change of ciphers", [changeCipherSpec, helloFor("no.test")], "refused-server-name"],
    ["no TLS", [Buffer.from("secret")], "refused-hello"],
    ["an alert", [record(Buffer.from([2, 47]), 21)], "refused-hello"],
  ])("hears nothing of %s that was sent before it asked", async (_, behind, verdict) => {
    const { site, way } = await wayTo(answering(retry));
    const socket = await openPlain(way.port);
    const ending = readAll(socket);
    socket.write(Buffer.concat([helloFor("db.test"), ...behind]));
    expect((await ending).how).toBe("reset");
    expect(site.heard()).toBe(helloFor("db.test").toString("latin1"));
    expect(way.verdicts()).toEqual(["connected", "closed", verdict]);
    expect(way.records[1]).toMatchObject({ sent: helloFor("db.test").length, received: retry.length });
  });

  it("hears nothing of another name after a request of PostgreSQL either", async () => {
    const { site, way } = await wayTo(
      startTcpSite((socket) => {
        socket.once("data", () => {
          socket.write("S");
          socket.once("data", () => socket.write(retry));
        });
      }),
    );
    const socket = await openPlain(way.port);
    const yes = receive(socket, "S");
    socket.write(tlsRequest, "latin1");
    await yes;
    const ending = readAll(socket);
    socket.write(Buffer.concat([helloFor("db.test"), helloFor("no.test")]));
    expect((await ending).how).toBe("reset");
    expect(site.heard()).toBe(tlsRequest + helloFor("db.test").toString("latin1"));
    expect(way.verdicts()).toEqual(["connected", "closed", "refused-server-name"]);
  });

  it.each<[string, () => Promise<Site>, string]>([
    ["says nothing", () => silent(), "refused-upstream-timeout"],
    ["says something else than TLS", () => answering("HTTP/1.1 400 Bad Request\r\n\r\n"), "refused-no-tls"],
    ["hangs up", () => startTcpSite((socket) => void socket.once("data", () => socket.end())), "refused-tls-upstream"],
  ])("or what it thinks of the first is unknown where a server %s", async (_, site, verdict) => {
    const { way } = await wayTo(site(), { upstreamHandshake: 300 });
    expect(await say(await openPlain(way.port), helloFor("db.test").toString("latin1"))).toMatchObject({
      how: "reset",
    });
    expect(way.verdicts()).toEqual(["connected", "closed", verdict]);
  });

  it("is not waited for where the application is gone", async () => {
    const { way } = await wayTo(silent());
    const socket = await openPlain(way.port);
    socket.write(helloFor("db.test"));
    await way.recorded("connected");
    socket.resetAndDestroy();
    expect(await way.recorded("refused-tls-app")).toMatchObject({ host: "db.test" });
  });
});

describe("PostgreSQL's request for TLS", () => {
  /** A server that answers the request with `answer`, and goes on as `after` says. */
  const server = (answer: string, after: (socket: Socket) => void = () => {}): Promise<Site> =>
    startTcpSite((socket) => {
      socket.once("data", () => socket.write(answer, "latin1", () => after(socket)));
      socket.once("end", () => socket.end());
    });

  it("is forwarded, and its yes lets the ClientHello follow", async () => {
    const goOn = (socket: Socket): void => void socket.once("data", () => socket.write(record(serverHelloMessage())));
    const { site, way } = await wayTo(server("S", goOn));
    const socket = await openPlain(way.port);
    const yes = receive(socket, "S");
    socket.write(tlsRequest, "latin1");
    expect(await yes).toBe("S");
    expect(site.heard()).toBe(tlsRequest);
    socket.end(helloFor("db.test"));
    await new Promise<void>((resolve) => void setTimeout(resolve, 100));
    expect(site.heard()).toBe(tlsRequest + helloFor("db.test").toString("latin1"));
    socket.destroy();
    await way.recorded("closed");
  });

  it("may come after one for GSSAPI, to which the box says no itself", async () => {
    const { site, way } = await wayTo(server("S"));
    const socket = await openPlain(way.port);
    const no = receive(socket, "N");
    socket.write(gssRequest, "latin1");
    expect(await no).toBe("N");
    expect(site.connections()).toBe(0);
    const yes = receive(socket, "S");
    socket.write(tlsRequest, "latin1");
    expect(await yes).toBe("S");
    expect(site.heard()).toBe(tlsRequest);
    socket.destroy();
  });

  it.each([
    ["a plain start", startup],
    ["GSSAPI again", gssRequest],
    ["bare TLS", helloFor("db.test").toString("latin1")],
  ])("is demanded after a no to GSSAPI: %s is refused", async (_, text) => {
    const { site, way } = await wayTo(server("S"));
    const socket = await openPlain(way.port);
    const no = receive(socket, "N");
    socket.write(gssRequest, "latin1");
    await no;
    expect(await say(socket, text)).toEqual({ text: "", how: "reset" });
    expect(site.connections()).toBe(0);
    expect(way.verdicts()).toEqual(["refused-hello"]);
  });

  it.each([
    ["no", "N"],
    ["an error", "E\0\0\0\x09SFATAL\0\0"],
    ["yes with something behind it", "SR\0\0\0\x08\0\0\0\0"],
    ["anything else", "X"],
  ])("is in vain where the server answers with %s", async (_, answer) => {
    const { site, way } = await wayTo(server(answer));
    expect(await say(await openPlain(way.port), tlsRequest)).toEqual({ text: "", how: "reset" });
    expect(way.verdicts()).toEqual(["refused-no-tls"]);
    expect(site.heard()).toBe(tlsRequest);
  });

  it("is in vain where the server hangs up, or says nothing", async () => {
    const gone = await wayTo(server("", (socket) => socket.destroy()));
    expect(await say(await openPlain(gone.way.port), tlsRequest)).toMatchObject({ how: "reset" });
    expect(gone.way.verdicts()).toEqual(["refused-no-tls"]);
    const mute = await wayTo(silent(), { hello: 150 });
    expect(await say(await openPlain(mute.way.port), tlsRequest)).toMatchObject({ how: "reset" });
    expect(mute.way.verdicts()).toEqual(["refused-upstream-timeout"]);
  });

  it.each([
    ["another name in the ClientHello", helloFor("other.test").toString("latin1"), "refused-server-name"],
    ["a plain start", startup, "refused-hello"],
    ["a second request", tlsRequest, "refused-hello"],
  ])("lets nothing through where %s follows", async (_, text, verdict) => {
    const { site, way } = await wayTo(server("S"));
    const socket = await openPlain(way.port);
    const yes = receive(socket, "S");
    socket.write(tlsRequest, "latin1");
    await yes;
    expect(await say(socket, text)).toEqual({ text: "", how: "reset" });
    expect(site.heard()).toBe(tlsRequest);
    expect(way.verdicts()).toEqual([verdict]);
  });
});
