/** The whole way of a newcomer, with real processes: image, Manifest, box, verification, requests, and the end of it. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { hash } from "node:crypto";
import { once } from "node:events";
import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { hasAssets } from "./assets.ts";
import { selfSigned } from "./certificate.ts";
import { blindbox, commandLine, runProgram, type Run, type RunOptions } from "./command.ts";

const imageScript = fileURLToPath(new URL("../../../examples/hello/build-image.sh", import.meta.url));
const missing = ["bwrap", "ip", "busybox"].filter((program) => spawnSync(program, ["--help"]).error !== undefined);
const canRun = hasAssets && missing.length === 0;

/** One place for all of it: files, and the state of BlindBox. */
interface Place {
  readonly cwd: string;
  readonly run: (args: readonly string[], options?: RunOptions) => Promise<Run>;
}

function makePlace(): Place {
  const cwd = mkdtempSync(join(tmpdir(), "bb-"));
  const env = { XDG_STATE_HOME: join(cwd, "state") };
  return { cwd, run: (args, options = {}) => blindbox(args, { cwd, ...options, env: { ...env, ...options.env } }) };
}

/** A box that was started by `blindbox run`. */
interface Started {
  readonly child: ChildProcess;
  readonly url: string;
  readonly ended: Promise<Run>;
}

/** Starts `blindbox run` and waits until it prints where the box is, or ends. */
async function startBox(cwd: string, args: readonly string[]): Promise<Started> {
  const env = { PATH: process.env["PATH"] ?? "", HOME: "/nowhere", XDG_STATE_HOME: join(cwd, "state") };
  const child = spawn(process.execPath, commandLine(["run", "hello.blindbox", ...args]), { cwd, env });
  const output = { stdout: "", stderr: "" };
  const url = Promise.withResolvers<string>();
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output.stdout += text;
    const [, found] = /^url {3}(https:\S+)$/m.exec(output.stdout) ?? [];
    if (found !== undefined) url.resolve(found);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
  const ended = new Promise<Run>((resolve) => child.on("close", (code) => resolve({ code, ...output })));
  void ended.then((run) => url.reject(new Error(`blindbox run ended with ${run.code}: ${run.stderr}`)));
  return { child, url: await url.promise, ended };
}

/** Runs a command until everything expected stands on `stderr`, interrupts it, and returns all that stands there. */
async function saidBy({ cwd }: Place, args: readonly string[], patterns: readonly RegExp[]): Promise<string> {
  const env = { PATH: process.env["PATH"] ?? "", HOME: "/nowhere", XDG_STATE_HOME: join(cwd, "state") };
  const child = spawn(process.execPath, commandLine(args), { cwd, env, stdio: ["ignore", "ignore", "pipe"] });
  onTestFinished(() => void child.kill("SIGTERM"));
  let text = "";
  child.stderr.setEncoding("utf8").on("data", (more: string) => {
    text += more;
    if (patterns.every((pattern) => pattern.test(text))) child.kill("SIGINT");
  });
  await once(child, "close");
  return text;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
}

/** Writes into `good` a manifest of its own image that, read as an index, names that of `evil`. */
function writePolyglot(good: string, evil: string): void {
  const read = (image: string, name: string) => JSON.parse(readFileSync(join(image, name), "utf8"));
  const descriptorOf = (image: string): Descriptor => read(image, "index.json").manifests[0];
  const { config, layers } = read(good, `blobs/${descriptorOf(good).digest.replace(":", "/")}`);
  cpSync(join(evil, "blobs"), join(good, "blobs"), { recursive: true });
  const both = JSON.stringify({ schemaVersion: 2, config, layers, manifests: [descriptorOf(evil)] });
  const digest = hash("sha256", both);
  writeFileSync(join(good, "blobs", "sha256", digest), both);
  const mediaType = "application/vnd.oci.image.index.v1+json";
  const manifests = [{ mediaType, digest: `sha256:${digest}`, size: both.length }];
  writeFileSync(join(good, "index.json"), JSON.stringify({ schemaVersion: 2, mediaType, manifests }));
}

describe.skipIf(!canRun)(
  `a box (needs npm run build, bubblewrap, iproute2, busybox-static; missing: ${missing.join(", ")})`,
  () => {
    let place: Place;
    let started: Started;
    let key: string;
    let built: Run;
    const checked = ["--box", "hello.blindbox", "--simulated"];

    beforeAll(async () => {
      place = makePlace();
      const image = await runProgram("sh", [imageScript, join(place.cwd, "hello.tar")]);
      expect(image).toEqual({ code: 0, stdout: "", stderr: "" });
      const { stdout: line } = await place.run(["keys", "new", "--out", "key.txt"]);
      key = readFileSync(join(place.cwd, "key.txt"), "utf8").trim();
      const digest = /sha256:[0-9a-f]{64}/.exec(line)?.[0] ?? "";
      await place.run(["init", "--image", "./hello.tar", "--name", "hello", "--port", "80", "--key-digest", digest]);
      built = await place.run(["build"]);
      started = await startBox(place.cwd, ["--listen", "127.0.0.1:0"]);
    }, 120_000);

    afterAll(async () => {
      started?.child.kill("SIGINT");
      await started?.ended;
      if (place !== undefined) rmSync(place.cwd, { recursive: true, force: true });
    }, 60_000);

    test("build names the box, its image and its Manifest, and gives the same image again", async () => {
      expect(built.code).toBe(0);
      expect(built.stdout).toMatch(
        /^box {7}\S*hello\.blindbox\nimage {5}sha256:[0-9a-f]{64}\nmanifest {2}sha256:[0-9a-f]{64}\n$/,
      );
      expect(built.stderr).toMatch(/^reading the image\nwriting the box\nhint: start it with /);
      const again = await place.run(["build", "--out-dir", "again"]);
      expect(again.stdout.split("\n").slice(1)).toEqual(built.stdout.split("\n").slice(1));
    });

    test("verify shows every step, accepts the simulated TEE because it was asked to, and gives 0", async () => {
      const { code, stdout, stderr } = await place.run(["verify", started.url, ...checked]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      for (const step of [
        "parse",
        "authenticate",
        "platform",
        "measurement",
        "binding",
        "freshness",
        "channel",
        "manifest",
        "sandbox",
        "release",
      ])
        expect(stdout).toMatch(new RegExp(`^${step}$`, "m"));
      expect(stdout).not.toMatch(/^ {2}(failed|skipped)/m);
      expect(stdout).toContain(`${started.url}: accepted with the warnings above: not a protection to rely on\n`);
    });

    test("verify --json gives the same result to a program", async () => {
      const { code, stdout } = await place.run(["verify", started.url, ...checked, "--json"]);
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({
        url: started.url,
        accepted: true,
        error: null,
        status: "warning",
        tee: "simulated",
      });
    });

    test("request sends and receives over the attested connection", async () => {
      const { code, stdout, stderr } = await place.run([
        "request",
        "GET",
        `${started.url}/`,
        ...checked,
        "--key-file",
        "key.txt",
      ]);
      expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "Hello from inside the box.\n", stderr: "" });
    });

    test.each([
      ["--data", ["-d", "a=1&b=ü"], "a=1&b=ü"],
      ["--data-binary from a file", ["--data-binary", "@body.bin"], "line 1\nline 2\n"],
      ["--data from the standard input", ["-d", "@-"], "from stdin"],
    ])("request sends a body from %s as it is", async (_, flags, expected) => {
      writeFileSync(join(place.cwd, "body.bin"), "line 1\nline 2\n");
      const args = ["request", "POST", `${started.url}/cgi-bin/echo`, ...checked, ...flags];
      const { code, stdout } = await place.run(args, { input: "from stdin", env: { BLINDBOX_API_KEY: key } });
      expect({ code, stdout }).toEqual({ code: 0, stdout: expected });
    });

    test("request sends a form with a file, and writes the answer into a file", async () => {
      writeFileSync(join(place.cwd, "speech.wav"), "RIFF");
      const form = ["-F", "language=en", "-F", "audio=@speech.wav", "-o", "answer.bin", "--key-file", "-"];
      const args = ["request", "POST", `${started.url}/cgi-bin/echo`, ...checked, ...form];
      expect(await place.run(args, { input: key })).toEqual({ code: 0, stdout: "", stderr: "" });
      const sent = readFileSync(join(place.cwd, "answer.bin"), "utf8");
      expect(sent).toContain('name="language"\r\n\r\nen\r\n');
      expect(sent).toContain('name="audio"; filename="speech.wav"');
      expect(sent).toContain("\r\n\r\nRIFF\r\n");
    });

    test("request --include writes the head first; an answer of 400 or more is noted", async () => {
      const { code, stdout, stderr } = await place.run([
        "request",
        "GET",
        `${started.url}/`,
        ...checked,
        "--anonymous",
        "-i",
      ]);
      expect(code).toBe(0);
      expect(stdout).toMatch(/^HTTP\/1\.1 401.*\n(?:[a-z0-9-]+: .*\n)+\n/);
      expect(stderr).toBe("note: the answer has status 401\n");
    });

    test.each([
      ["a header that is the session's", ["POST", "/"], ["-d", "x", "-H", "host: elsewhere"]],
      ["a method that no box takes", ["TRACE", "/"], []],
    ])("request refuses %s as a mistake of usage", async (_, [method = "", path = ""], flags) => {
      const args = ["request", method, `${started.url}${path}`, ...checked, "--anonymous", ...flags];
      const { code, stdout, stderr } = await place.run(args);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toMatch(/^error: the request: expected one that can be sent, got .+\nhint: .+\n$/);
    });

    test("another Manifest than the required one is refused", async () => {
      const other = ["--manifest", `sha256:${"0".repeat(64)}`];
      const { code, stdout } = await place.run(["verify", started.url, ...checked, ...other]);
      expect(code).toBe(1);
      expect(stdout).toContain("failed   manifest-required: ");
      expect(stdout).toContain("refused (security-policy)");
    });

    test("a box that measures as something else than the release says is refused, and gets no request", async () => {
      const release = readFileSync(join(place.cwd, "hello.blindbox", "blindbox.release.json"), "utf8");
      writeFileSync(join(place.cwd, "other.json"), release.replace(/("measurement":")[0-9a-f]{8}/, "$100000000"));
      const other = ["--release", "other.json", "--key-file", "key.txt"];
      const { code, stdout, stderr } = await place.run(["request", "GET", started.url, ...checked, ...other]);
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
      expect(stderr).toMatch(/^error: the box was refused \(invalid-enclave-code\): /);
    });

    test("a simulated TEE of another machine is refused", async () => {
      writeFileSync(join(place.cwd, "other.pem"), (await selfSigned()).cert);
      const { code, stdout } = await place.run([
        "verify",
        started.url,
        "--box",
        "hello.blindbox",
        "--simulated=other.pem",
      ]);
      expect(code).toBe(1);
      expect(stdout).toContain("refused (not-an-enclave)");
    });

    test("run says why it cannot listen where something else does", async () => {
      const { code, stdout, stderr } = await place.run([
        "run",
        "hello.blindbox",
        "--listen",
        new URL(started.url).host,
      ]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toMatch(/\nerror: hello\.blindbox: expected a box that starts, got .+\nhint: .+\n$/);
    });

    test("run refuses an image that was changed after it was built", async () => {
      const blobs = join(place.cwd, "again", "hello.blindbox", "image", "blobs", "sha256");
      for (const blob of readdirSync(blobs)) appendFileSync(join(blobs, blob), " ");
      const { code, stdout, stderr } = await place.run(["run", "again/hello.blindbox", "--listen", "127.0.0.1:0"]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toMatch(/\nerror: .+: expected .+, got .+\nhint: .+\n$/);
    });

    test("run refuses an image that can be read as two: one to be measured, and another to be run", async () => {
      const manifest = readFileSync(join(place.cwd, "blindbox.yml"), "utf8");
      writeFileSync(join(place.cwd, "evil.yml"), manifest.replace(/port: 80\b/, "port: 81"));
      expect((await place.run(["build", "evil.yml", "--out-dir", "evil"])).code).toBe(0);
      cpSync(join(place.cwd, "hello.blindbox"), join(place.cwd, "both.blindbox"), { recursive: true });
      const [both, evil] = [join(place.cwd, "both.blindbox"), join(place.cwd, "evil", "hello.blindbox")];
      writePolyglot(join(both, "image"), join(evil, "image"));
      const { code, stdout, stderr } = await place.run(["run", "both.blindbox", "--listen", "127.0.0.1:0"]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toMatch(/\nerror: .+: expected .+, got .+\nhint: .+\n$/);
      expect(stderr).not.toMatch(/app-started|app-ready/);
    });

    test.each(["simulated/keys", "simulated", "runs", ""])(
      "run refuses a state directory in which others may write (%j)",
      async (name) => {
        const directory = join(place.cwd, "state", "blindbox", name);
        chmodSync(directory, 0o777);
        const { code, stdout, stderr } = await place.run(["run", "hello.blindbox", "--listen", "127.0.0.1:0"]);
        chmodSync(directory, 0o700);
        expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
        expect(stderr).toMatch(/\nerror: .+ got others may write to .+\nhint: remove it, or .+\n$/);
      },
    );

    test("run refuses a directory that is no box", async () => {
      const { code, stderr } = await place.run(["run", "."]);
      expect(code).toBe(2);
      expect(stderr).toMatch(/\nerror: \.: expected a directory that `blindbox build` wrote, got .+\nhint: .+\n$/);
    });

    test("run refuses a box whose release is damaged or is that of another box", async () => {
      const [box, other] = [join(place.cwd, "odd.blindbox"), join(place.cwd, "evil", "hello.blindbox")];
      cpSync(join(place.cwd, "hello.blindbox"), box, { recursive: true });
      for (const text of ["", readFileSync(join(other, "blindbox.release.json"), "utf8")]) {
        writeFileSync(join(box, "blindbox.release.json"), text);
        const { code, stdout, stderr } = await place.run(["run", "odd.blindbox", "--listen", "127.0.0.1:0"]);
        expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
        expect(stderr).toMatch(/\nerror: odd\.blindbox: blindbox\.release\.json: expected .+, got .+\nhint: .+\n$/);
      }
    });

    test.each(["/proc", "blindbox.yml"])("run says in one line that it cannot keep its state in %s", async (name) => {
      const env = { XDG_STATE_HOME: resolve(place.cwd, name) };
      const { code, stdout, stderr } = await place.run(["run", "hello.blindbox", "--listen", "127.0.0.1:0"], { env });
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toMatch(/\nerror: .+ got the state directory .+ cannot be used: .+\nhint: .+XDG_STATE_HOME.+\n$/);
    });

    test.each<readonly [string, string, readonly RegExp[]]>([
      [
        "ends at once says with which exit code",
        '[/bin/busybox, sh, -c, "exit 3"]',
        [/^warning: app-down: the app ended with exit code 3; .+\nhint: `logs: app` .+$/m],
      ],
      [
        "is killed says by which signal",
        '[/bin/busybox, sh, -c, "kill -9 $$"]',
        [/^warning: app-down: the app .*SIGKILL.*$/m],
      ],
      [
        "listens on 127.0.0.1 alone says where it must listen",
        '[/bin/busybox, httpd, -f, -p, "127.0.0.1:80"]',
        [/^warning: app-not-answering: .+\nhint: the app must listen on 0\.0\.0\.0:80, .+\nhint: `logs: app` .+$/m],
      ],
    ])("run of an app that %s, and where the box listens all the same", async (_what, command, patterns) => {
      const manifest = readFileSync(join(place.cwd, "blindbox.yml"), "utf8");
      writeFileSync(
        join(place.cwd, "odd.yml"),
        manifest.replace(/^( {2})(port: 80\b.*)$/m, `$1$2\n$1command: ${command.replaceAll("$", "$$$$")}`),
      );
      expect(await place.run(["build", "odd.yml", "--out-dir", "odd"])).toMatchObject({ code: 0 });
      const stderr = await saidBy(place, ["run", "odd/hello.blindbox", "--listen", "127.0.0.1:0"], patterns);
      expect(stderr).toMatch(/^listening: https:\/\/127\.0\.0\.1:\d+; the app is not ready yet$/m);
    });

    test("Ctrl-C stops the box, leaves nothing behind and gives 0", async () => {
      const other = await startBox(place.cwd, ["--listen", "127.0.0.1:0"]);
      const running = readdirSync(join(place.cwd, "state", "blindbox", "runs")).length;
      other.child.kill("SIGINT");
      const { code, stderr } = await other.ended;
      expect(code).toBe(0);
      expect(stderr).toMatch(/\nstopped\n$/);
      expect(readdirSync(join(place.cwd, "state", "blindbox", "runs"))).toHaveLength(running - 1);
      expect((await place.run(["verify", other.url, ...checked])).code).toBe(4);
    });
  },
);
