import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ClientHelloError } from "../src/egress/tls/client-hello.ts";
import { HelloRecords, MAX_HELLO_BYTES } from "../src/egress/tls/hello-records.ts";
import { peek, PeekError } from "../src/egress/tls/peek.ts";
import {
  hasOpenssl,
  helloFor,
  helloMessage,
  helloOfNode,
  helloOfOpenssl,
  type HelloParts,
  record,
  records,
  serverName,
  u16,
  vector16,
} from "./fixtures-egress/hello.ts";

/** The name, `null` while more is needed, or the fault. */
function read(...chunks: readonly Uint8Array[]): string | null {
  const reader = new HelloRecords();
  let found: string | null = null;
  try {
    for (const chunk of chunks) found ??= reader.push(chunk);
  } catch (error) {
    if (error instanceof ClientHelloError) return `refused: ${error.fault}`;
    throw error;
  }
  return found;
}

function readParts(parts: Partial<HelloParts>): string | null {
  return read(record(helloMessage(parts)));
}

const name = serverName([0, "api.test"]);

describe("the name in a ClientHello", () => {
  it.each([
    ["as it is", "api.test", "api.test"],
    ["in capitals", "API.Test", "api.test"],
    ["with a dot at its end", "api.test.", "api.test"],
    ["an A-label", "xn--bcher-kva.example", "xn--bcher-kva.example"],
  ])("is read %s", (_, sent, expected) => {
    expect(read(helloFor(sent))).toBe(expected);
  });

  it.each([
    ["is missing", []],
    ["is there twice", [serverName([0, "api.test"], [0, "other.test"])]],
    ["is there twice, the same", [serverName([0, "api.test"], [0, "api.test"])]],
    ["stands beside another kind of name", [serverName([0, "api.test"], [1, "other"])]],
    ["is of another kind", [serverName([1, "api.test"])]],
    ["is empty", [serverName([0, ""])]],
    ["is an IPv4 address", [serverName([0, "198.18.0.1"])]],
    ["is an IPv6 address", [serverName([0, "2001:db8::1"])]],
    ["is one label", [serverName([0, "localhost"])]],
    ["holds a NUL", [serverName([0, "api.test\0.evil.test"])]],
    ["holds a space", [serverName([0, "api.test "])]],
    ["holds bytes beyond ASCII", [serverName([0, Buffer.from("b\u00fccher.test")])]],
    ["holds bytes that Latin-1 would show as letters", [serverName([0, Buffer.from([0x61, 0xe9, 0x2e, 0x74, 0x74])])]],
    ["is too long", [serverName([0, `${"a.".repeat(127)}aa`])]],
    ["ends in two dots", [serverName([0, "api.test.."])]],
  ])("is refused where it %s", (_, extensions) => {
    expect(readParts({ extensions })).toBe("refused: server-name");
  });

  it("is refused where its list is empty", () => {
    expect(readParts({ extensions: [[0, vector16(Buffer.alloc(0))]] })).toBe("refused: malformed");
  });
});

describe("a ClientHello is refused", () => {
  it.each([
    ["encrypted_client_hello, outer", [0xfe0d, Buffer.from("0000010001", "hex")]],
    ["encrypted_client_hello, inner", [0xfe0d, Buffer.from([1])]],
    ["GREASE in the place of ECH, as browsers send it", [0xfe0d, Buffer.alloc(200, 3)]],
    ["ech_outer_extensions", [0xfd00, Buffer.from("020000", "hex")]],
    ["encrypted_server_name", [0xffce, Buffer.alloc(64)]],
    ["ECH of a draft", [0xfe0a, Buffer.alloc(4)]],
  ] as const)("with %s, whatever name stands beside it", (_, extension) => {
    expect(readParts({ extensions: [name, extension] })).toBe("refused: encrypted");
    expect(readParts({ extensions: [extension] })).toBe("refused: encrypted");
  });

  it("but not with GREASE elsewhere", () => {
    expect(readParts({ extensions: [[0x0a0a, Buffer.alloc(0)], name, [0xfafa, Buffer.from([0])]] })).toBe("api.test");
  });

  it.each<[string, Partial<HelloParts>]>([
    ["older than TLS 1.2", { version: 0x0302 }],
    ["of a version that is none", { version: 0x0304 }],
    ["with a session that is too long", { session: Buffer.alloc(33) }],
    ["without a cipher suite", { suites: Buffer.alloc(0) }],
    ["with half a cipher suite", { suites: Buffer.alloc(3) }],
    ["without a compression method", { compression: Buffer.alloc(0) }],
    ["without the null compression", { compression: Buffer.from([1]) }],
    ["with an extension twice", { extensions: [name, name] }],
    ["with another extension twice", { extensions: [name, [43, Buffer.alloc(0)], [43, Buffer.alloc(0)]] }],
    ["with bytes behind the extensions", { extensions: [name], tail: Buffer.from([0]) }],
    ["with bytes behind the list of names", { extensions: [[0, Buffer.concat([name[1], Buffer.from([0])])]] }],
    ["whose list of names is longer than its extension", { extensions: [[0, Buffer.from("00ff00000161", "hex")]] }],
    ["with a name that is cut", { extensions: [[0, Buffer.from("0004000005 61".replace(" ", ""), "hex")]] }],
  ])("%s", (_, parts) => {
    expect(readParts({ extensions: [name], ...parts })).toBe("refused: malformed");
  });

  it.each<[string, Buffer]>([
    ["HTTP", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
    ["the HTTP/2 preface", Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")],
    ["SSH", Buffer.from("SSH-2.0-OpenSSH_9.2\r\n")],
    ["SSLv2", Buffer.from("802e0103010015000000100100800300800700c0060040020080", "hex")],
    ["an alert", record(Buffer.from([2, 40]), 21)],
    ["application data", record(Buffer.alloc(100), 23)],
    ["SSL 3.0", record(helloMessage({ extensions: [name] }), 22, 0x0300)],
    ["a record of no version", record(helloMessage({ extensions: [name] }), 22, 0x0304)],
    ["a record of DTLS", record(helloMessage({ extensions: [name] }), 22, 0xfefd)],
    ["another handshake message", record(Buffer.from("0200000403030000", "hex"))],
    ["a record without content", record(Buffer.alloc(0))],
    ["a record that is too long", Buffer.concat([Buffer.from("1603014001", "hex"), Buffer.alloc(16_385)])],
    ["a message that is longer than any may be", Buffer.concat([Buffer.from("160301100001ffffff", "hex")])],
    ["bytes behind the message in its record", record(Buffer.concat([helloMessage({ extensions: [name] }), u16(0)]))],
    [
      "a second ClientHello in the same record",
      record(Buffer.concat([helloMessage({ extensions: [name] }), helloMessage({ extensions: [name] })])),
    ],
  ])("that is %s", (_, bytes) => {
    expect(read(bytes)).toBe("refused: malformed");
  });

  it("that has a record without content in its middle", () => {
    const message = helloMessage({ extensions: [name] });
    const pieces = [record(message.subarray(0, 10)), record(Buffer.alloc(0)), record(message.subarray(10))];
    expect(read(...pieces)).toBe("refused: malformed");
  });

  it("that goes on over many records without end", () => {
    const one = record(Buffer.concat([Buffer.from("0100ff00", "hex"), Buffer.alloc(10_000)]));
    expect(read(one, ...Array.from({ length: 5 }, () => record(Buffer.alloc(10_000))))).toBe("refused: malformed");
  });

  it("that is made of headers more than of content", () => {
    const message = helloMessage({ extensions: [name, [21, Buffer.alloc(9000)]] });
    expect(message.length).toBeLessThan(MAX_HELLO_BYTES);
    expect(
      read(
        records(
          message,
          Array.from({ length: message.length }, () => 1),
        ),
      ),
    ).toBe("refused: malformed");
  });
});

describe("pieces", () => {
  const message = helloMessage({ extensions: [[43, Buffer.from("020304", "hex")], name, [21, Buffer.alloc(300)]] });

  it("of one byte, in records of one byte, are read as the whole is", () => {
    const bytes = records(
      message,
      Array.from({ length: message.length }, () => 1),
    );
    expect(read(...[...bytes].map((byte) => Buffer.from([byte])))).toBe("api.test");
  });

  it("of any size, in records of any size, are read as the whole is", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 40 }),
        fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 40 }),
        (recordSizes, chunkSizes) => {
          const chunks: Buffer[] = [];
          let rest = records(message, recordSizes);
          for (const size of chunkSizes) {
            chunks.push(rest.subarray(0, size));
            rest = rest.subarray(size);
          }
          expect(read(...chunks, rest)).toBe("api.test");
        },
      ),
    );
  });

  it("do not count what comes behind the last record", () => {
    expect(read(Buffer.concat([record(message), record(Buffer.alloc(50), 23)]))).toBe("api.test");
  });

  it("are never enough before the last byte, wherever they are cut", () => {
    for (const whole of [record(message), records(message, [1, 3, 40, 200])]) {
      for (let length = 0; length < whole.length; length += 1) expect(read(whole.subarray(0, length))).toBeNull();
    }
  });

  it("that are shorter than they say are refused, wherever the message is cut", () => {
    const body = message.subarray(4);
    for (let length = 0; length < body.length; length += 1) {
      const cut = Buffer.concat([Buffer.from([1, 0, length >> 8, length & 0xff]), body.subarray(0, length)]);
      expect(read(record(cut))).toMatch(/^refused: /);
    }
  });

  it("with any bit turned are refused, or say a name that stands in them, or wait for more", () => {
    const whole = record(message);
    for (let bit = 0; bit < whole.length * 8; bit += 1) {
      const turned = Buffer.from(whole);
      turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const result = read(turned);
      if (result === null || result.startsWith("refused: ")) continue;
      expect(turned.toString("latin1").toLowerCase()).toContain(result);
    }
  });

  it("of noise never do anything but wait or be refused", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (noise) => {
        const asMessage = record(Buffer.concat([Buffer.from([1, 0, noise.length >> 8, noise.length & 0xff]), noise]));
        for (const result of [read(noise), read(asMessage)]) expect(result ?? "refused: ").toMatch(/^refused: /);
      }),
    );
  });
});

describe("ClientHellos of others", () => {
  it.each(["TLSv1.2", "TLSv1.3"] as const)(
    "Node's, with %s, asks for the name that it was given",
    async (maxVersion) => {
      for (const servername of ["api.test", "a.b.c.example.com", `${"a".repeat(63)}.example`]) {
        const ALPNProtocols = ["h2", "http/1.1"];
        expect(read(await helloOfNode({ servername, maxVersion, ALPNProtocols }))).toBe(servername);
      }
    },
  );

  it("Node's without a name is refused", async () => {
    expect(read(await helloOfNode({}))).toBe("refused: server-name");
  });

  it("Node's of before TLS 1.2 is refused", async () => {
    const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
    expect(read(await helloOfNode({ servername: "api.test", ...old }))).toBe("refused: malformed");
  });

  it.skipIf(!hasOpenssl)(
    `OpenSSL's asks for the name that it was given${hasOpenssl ? "" : " (skipped: needs openssl)"}`,
    async () => {
      for (const args of [
        [],
        ["-tls1_2"],
        ["-alpn", "h2,http/1.1", "-status"],
        ["-no_ticket", "-groups", "P-256:X25519"],
      ]) {
        expect(read(await helloOfOpenssl("-servername", "api.test", ...args))).toBe("api.test");
      }
      expect(read(await helloOfOpenssl("-noservername"))).toBe("refused: server-name");
    },
  );
});

describe("a connection whose first bytes were looked at", () => {
  /** Both ends of a connection; `near` is paused, as the sockets of the gate are. */
  async function pair(): Promise<{ near: Socket; far: Socket; close: () => void }> {
    const server = createServer({ pauseOnConnect: true });
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    const far = connect((server.address() as AddressInfo).port, "127.0.0.1");
    const near = await new Promise<Socket>((resolve) => void server.once("connection", resolve));
    for (const socket of [near, far]) socket.on("error", () => {});
    const close = (): void => {
      near.destroy();
      far.destroy();
      server.close();
    };
    return { near, far, close };
  }

  const look = (): ((chunk: Buffer) => string | null) => {
    const reader = new HelloRecords();
    return (chunk) => reader.push(chunk);
  };

  it("still has all of them, in order, and what came behind", async () => {
    const { near, far, close } = await pair();
    const bytes = Buffer.concat([records(helloMessage({ extensions: [name] }), [5, 5, 5]), Buffer.from("behind")]);
    far.setNoDelay(true);
    const found = peek(near, 5_000, look());
    for (const byte of bytes.subarray(0, 40)) {
      far.write(Buffer.from([byte]));
      await new Promise(setImmediate);
    }
    far.end(bytes.subarray(40));
    expect(await found).toBe("api.test");
    expect(near.isPaused()).toBe(true);
    const received: Buffer[] = [];
    for await (const chunk of near) received.push(chunk as Buffer);
    expect(Buffer.concat(received)).toEqual(bytes);
    close();
  });

  it("has them also where the other side said that it was done", async () => {
    const { near, far, close } = await pair();
    far.end(helloFor("api.test"));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await peek(near, 5_000, look())).toBe("api.test");
    expect(near.readableLength).toBe(helloFor("api.test").length);
    close();
  });

  it.each<[string, (far: Socket) => void, "closed" | "timeout"]>([
    ["that ends before", (far) => void far.end(helloFor("api.test").subarray(0, 50)), "closed"],
    ["that breaks before", (far) => void far.resetAndDestroy(), "closed"],
    ["that says nothing", () => {}, "timeout"],
    ["that stops in the middle", (far) => void far.write(helloFor("api.test").subarray(0, 50)), "timeout"],
  ])("is given up where it is one %s", async (_, act, reason) => {
    const { near, far, close } = await pair();
    const found = peek(near, 200, look());
    act(far);
    await expect(found).rejects.toEqual(new PeekError(reason));
    close();
  });
});
