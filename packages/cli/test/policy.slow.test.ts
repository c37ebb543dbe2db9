import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { writeBox } from "./box.ts";
import { blindbox, emptyDirectory } from "./command.ts";

const digest = `sha256:${"a".repeat(64)}`;

const access = `
access:
  principals:
    - { id: alice, apiKey: "${digest}", audit: true }
    - { id: idle, apiKey: "sha256:${"b".repeat(64)}" }
  rules: [{ allow: [alice, anonymous], methods: [POST], path: /v1/** }]`;

const egress = `
egress:
  - { host: API.example.com., ports: [443], methods: [POST], paths: [/v1/**] }
  - { host: "*.example.org", ports: [443, 8443], methods: any, paths: any, websocket: true, pins: ["${digest}"] }
  - { host: db.example.com, ports: [5432], mode: passthrough }
  - { host: old.example.com, ports: [80], mode: http, methods: [GET], paths: any, trusts: network }
  - { host: 203.0.113.20, ports: [22], mode: tcp, trusts: network }
logs: app
`;

function directoryWith(text: string): string {
  const directory = emptyDirectory();
  writeFileSync(join(directory, "blindbox.yml"), `blindbox: 1\nname: hello\napp: { image: x.tar, port: 80 }${text}`);
  return directory;
}

/** What is said below one line, up to the next line that is indented as little. */
function notesOf(stdout: string, start: string): readonly string[] {
  const lines = stdout.split("\n");
  const rest = lines.slice(lines.findIndex((line) => line.startsWith(`  ${start}`)) + 1);
  const end = rest.findIndex((line) => !line.startsWith("    "));
  return rest.slice(0, end).map((line) => line.trim());
}

describe("blindbox policy explain", () => {
  test("says of every rule what it lets out and on whom it rests", async () => {
    const { code, stdout, stderr } = await blindbox(["policy", "explain"], { cwd: directoryWith(access + egress) });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("hello, as blindbox.yml has it\n");
    expect(notesOf(stdout, "api.example.com, port 443: verified")).toEqual([
      expect.stringContaining("checks the host's certificate itself; roots: the measured root store"),
      expect.stringContaining("no pins"),
      "the box checks every request: POST of /v1/**",
    ]);
    expect(notesOf(stdout, "*.example.org, ports 443, 8443: verified")).toEqual([
      expect.any(String),
      "1 pinned: one of these keys must be in the host's chain",
      "the box checks every request: any method of any path",
      expect.stringContaining("WebSocket"),
      expect.stringMatching(/^wildcard: .*DNS and SNI/),
    ]);
    expect(notesOf(stdout, "db.example.com, port 5432: passthrough, trusts the network")).toContainEqual(
      expect.stringContaining("whoever controls the network can answer for that name"),
    );
    expect(notesOf(stdout, "old.example.com, port 80: plain HTTP, trusts the network")).toContainEqual(
      expect.stringContaining("everybody on the way reads it"),
    );
    expect(notesOf(stdout, "203.0.113.20, port 22: plain TCP, trusts the network")).toContainEqual(
      expect.stringContaining("does not look at what is sent"),
    );
    expect(notesOf(stdout, "whatever the app prints, which the host reads")).toEqual(["a way out for any data"]);
  });

  test.each(["10.0.0.5", "172.16.0.1", "192.168.1.1", "169.254.169.254", "127.0.0.1"])(
    "says that %s is reached by no rule",
    async (host) => {
      const rule = `\negress: [{ host: ${host}, ports: [22], mode: tcp, trusts: network }]\n`;
      const { code, stdout } = await blindbox(["policy", "explain"], { cwd: directoryWith(access + rule) });
      expect(code).toBe(0);
      expect(stdout).toContain(`nothing by ${host}, port 22: this address is not public`);
    },
  );

  test("says who may call, and that each is a way out", async () => {
    const { stdout } = await blindbox(["policy", "explain"], { cwd: directoryWith(access) });
    expect(stdout).toContain("Every caller is a way out");
    expect(notesOf(stdout, "alice, known by the API key")).toEqual(["may ask POST of /v1/**"]);
    expect(notesOf(stdout, "idle, known by the API key")).toEqual(["no rule admits it to the app"]);
    expect(notesOf(stdout, "anybody, without a key")).toEqual(["may ask POST of /v1/**"]);
    expect(stdout).toMatch(/^Who may read the egress ledger.*\n {2}alice\n\n/m);
    expect(stdout).toMatch(/^What the app can reach\n {2}nothing\n {4}every packet ends in the box\n/m);
    expect(stdout).toMatch(/^What leaves as a log\n {2}nothing: /m);
    expect(stdout).toMatch(/^What no rule stops\n/m);
  });

  test("says what a caller must present, and what goes with a rule", async () => {
    const jwt = `{ issuer: "https://idp.example", audience: box, keys: { keys: [{ kty: OKP, crv: Ed25519, x: "${"A".repeat(43)}" }] }, algorithms: [EdDSA], requiredClaims: { azp: [a, b], scope: { word: read } } }`;
    const certificate = `{ issuer: "${digest}", subject: [{ CN: host }], san: { dns: host.example } }`;
    const text = `
access:
  principals:
    - { id: staff, jwt: ${jwt}, audit: true }
    - { id: both, allOf: [{ apiKey: "${digest}" }, { certificate: ${certificate} }] }
  rules:
    - { allow: [staff, both], methods: [GET], path: /live, headers: { x-a: [1a, 2b], x-b: { present: false } }, upgrade: websocket, audit: true }
  mutualTls: { port: 8444 }
operations: { port: 9464, health: ready, metrics: coarse }
`;
    const { code, stdout, stderr } = await blindbox(["policy", "explain"], { cwd: directoryWith(text) });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const right = "may ask GET of /live, with x-a: 1a or 2b, without x-b";
    expect(notesOf(stdout, "staff, known by a token of https://idp.example for box")).toEqual([
      "its keys: 1, written out; signed with EdDSA",
      "it lives 3600 s at most, give or take 30 s, by a clock that the host sets",
      'its claim azp is "a" or "b"',
      'its claim scope is a text with the word "read"',
      right,
      "may have WebSockets on /live, into which the box does not look",
    ]);
    const both = notesOf(
      stdout,
      "both, known by the API key with digest sha256:aaaaaaaaaaaa… together with a client certificate",
    );
    expect(both).toEqual([
      "its subject is CN=host",
      "its alternative names hold dns host.example",
      right,
      "may have WebSockets on /live, into which the box does not look",
    ]);
    expect(notesOf(stdout, "the last 10000 requests under these rules")).toEqual(["GET of /live"]);
    expect(notesOf(stdout, "whether the app is ready, at plain port 9464")).toEqual([
      "the app can flip this bit to signal",
    ]);
    expect(stdout).toContain("failed or broken off, rounded down, at plain port 9464\n");
  });

  test("says that nobody may call where nobody may", async () => {
    const { stdout } = await blindbox(["policy", "explain"], { cwd: directoryWith("\naccess: { rules: [] }\n") });
    expect(stdout).toMatch(/^Who may call\..*\n {2}nobody\n\nWho may read.*\n {2}nobody\n/m);
  });

  test("reads a built box and the resolved Manifest in it", async () => {
    const cwd = emptyDirectory();
    await writeBox(join(cwd, "hello.blindbox"));
    for (const path of ["hello.blindbox", "hello.blindbox/manifest.json"]) {
      const { code, stdout } = await blindbox(["policy", "explain", path], { cwd });
      expect(code).toBe(0);
      expect(stdout).toContain(`hello, as ${path} has it\n`);
    }
  });

  test("tells every problem of a Manifest instead", async () => {
    const cwd = directoryWith(`${access}\negress: [{ host: "*", ports: [53], methods: any, paths: any }]\n`);
    const { code, stdout, stderr } = await blindbox(["policy", "explain"], { cwd });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("blindbox.yml has 2 problems");
    expect(stderr).toMatch(/^ {2}egress\[0\]\.host: expected .*, got .*\n {4}hint: .*every one$/m);
    expect(stderr).toMatch(/^ {2}egress\[0\]\.ports\[0\]: expected .*, got 53\n {4}hint: .*DNS/m);
  });

  test.each([["nowhere.yml"], ["."]])("says what is missing at %s", async (path) => {
    const { code, stdout, stderr } = await blindbox(["policy", "explain", path], { cwd: emptyDirectory() });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^error: .*: expected a .*Manifest, got no such file or directory\nhint: .+\n$/);
  });
});
