import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { manifestDigest, parseManifest } from "@blindbox/manifest";
import { parseRelease, runtimeDigest } from "@blindbox/release";
import { describe, expect, test } from "vitest";
import { type BuildOptions, type BuildProgress, buildBox } from "../src/index.ts";
import { appEntries, buildInputs, manifestText, nodeHead } from "./support/boxes.ts";
import { dockerFiles, scratchDirectory, sha256, writeArchive } from "./support/images.ts";
import { file, symlink, tar, untar } from "./support/tar.ts";

const hasSkopeo = spawnSync("skopeo", ["--version"]).status === 0;
const hasUmoci = spawnSync("umoci", ["--version"]).status === 0;
const isRoot = process.getuid?.() === 0;

const readJson = (path: string) => JSON.parse(readFileSync(path, "utf8"));
const blob = (image: string, digest: string): Buffer => readFileSync(join(image, "blobs", digest.replace(":", "/")));

/** Every file below a directory with its SHA-256. */
function contents(directory: string): Readonly<Record<string, string>> {
  const names = readdirSync(directory, { recursive: true, encoding: "utf8" }).sort();
  const files = names.filter((name) => statSync(join(directory, name)).isFile());
  return Object.fromEntries(files.map((name) => [name, sha256(readFileSync(join(directory, name)))]));
}

function readBox(directory: string) {
  const image = join(directory, "image");
  const [entry] = readJson(join(image, "index.json")).manifests;
  const manifest = JSON.parse(blob(image, entry.digest).toString());
  const config = JSON.parse(blob(image, manifest.config.digest).toString());
  const layers = manifest.layers.map((layer: { digest: string }) => blob(image, layer.digest));
  return { image, entry, manifest, config, layers: layers as Buffer[] };
}

async function entriesOf(layers: readonly Buffer[]) {
  return (await Promise.all(layers.map((layer) => untar(layer)))).flat();
}

const leftovers = (folder: string): readonly string[] => (existsSync(folder) ? readdirSync(folder) : []);

describe("a box", () => {
  test("holds image, Manifest and release, which name each other by digest", async () => {
    const inputs = await buildInputs();
    const box = await buildBox(inputs);
    expect(box.directory).toBe(join(inputs.outDir, "hello.blindbox"));
    expect(readdirSync(inputs.outDir)).toEqual(["hello.blindbox"]);
    expect(readdirSync(box.directory).sort()).toEqual(["blindbox.release.json", "image", "manifest.json"]);
    const text = readFileSync(join(box.directory, "manifest.json"), "utf8");
    expect(await manifestDigest(text)).toBe(box.manifestDigest);
    expect(parseRelease(readFileSync(join(box.directory, "blindbox.release.json"), "utf8"))).toEqual(box.release);
    expect(box.release.manifest).toBe(box.manifestDigest);
    expect(box.release.app.image).toBe(readJson(join(inputs.source, "index.json")).manifests[0].digest);
    const { entry, config } = readBox(box.directory);
    expect(entry.digest).toBe(box.imageDigest);
    const measured = createHash("sha384").update("blindbox-sim/1");
    for (const digest of [readBox(box.directory).manifest.config.digest, ...config.rootfs.diff_ids]) {
      measured.update(digest.slice(7), "hex");
    }
    expect(box.release.referenceValues).toEqual([
      { tee: "simulated", registers: { measurement: measured.digest("hex") } },
    ]);
  });

  test("starts the enclave with Node, as root, with no environment", async () => {
    const { config, entry, manifest } = readBox((await buildBox(await buildInputs())).directory);
    expect(config).toEqual({
      architecture: "amd64",
      os: "linux",
      created: "1970-01-01T00:00:00Z",
      config: { Entrypoint: ["/blindbox/node", "/blindbox/enclave/main.mjs"], User: "0:0", WorkingDir: "/" },
      rootfs: { type: "layers", diff_ids: manifest.layers.map((layer: { digest: string }) => layer.digest) },
    });
    expect(entry.platform).toEqual({ os: "linux", architecture: "amd64" });
  });

  test("holds what the enclave reads, and the application's files with their owners, times and links", async () => {
    const inputs = await buildInputs();
    const box = await buildBox(inputs);
    const entries = await entriesOf(readBox(box.directory).layers);
    const at = (name: string) => entries.find(({ header }) => header.name === `blindbox/${name}`);
    expect(at("node")).toMatchObject({ header: { mode: 0o755, uid: 0 }, body: nodeHead() });
    expect(at("enclave/main.mjs")?.body.toString()).toBe("console.log(1);\n");
    expect(at("enclave/gate.mjs")?.body.toString()).toBe("console.log(2);\n");
    expect(at("manifest.json")?.body.toString()).toBe(readFileSync(join(box.directory, "manifest.json"), "utf8"));
    expect(sha256(at("runtime.json")?.body ?? "")).toBe(await runtimeDigest(box.release.runtime));
    const rootfs = (name: string) => at(`app/rootfs/${name}`);
    const time = new Date(1_500_000_000_000);
    expect(rootfs("app")?.header).toMatchObject({ mode: 0o755, uid: 33, gid: 34, mtime: time, type: "file" });
    expect(rootfs("app-again")?.header).toMatchObject({ type: "link", linkname: "blindbox/app/rootfs/app" });
    expect(rootfs("sh")?.header).toMatchObject({ type: "symlink", linkname: "/bin/busybox", mtime: time });
    expect(rootfs(`deep/${"long-name-".repeat(25)}/ünïcödé`)?.body.toString()).toBe("x");
    expect(rootfs("closed/")?.header).toMatchObject({ mode: 0o500, uid: 33 });
  });
});

describe("the Manifest of a box", () => {
  test("holds its ways out in their one form", async () => {
    const rule = { host: "API.example.com.", ports: [443], methods: "any", paths: ["/v1/**"] };
    const box = await buildBox(await buildInputs({ manifestText: manifestText({}, { egress: [rule] }) }));
    expect(parseManifest(readFileSync(join(box.directory, "manifest.json"), "utf8")).egress).toEqual([
      { ...rule, mode: "verified", host: "api.example.com", websocket: false, pins: [], roots: null },
    ]);
  });

  async function built(more: Partial<BuildOptions> = {}, image = {}) {
    const box = await buildBox(await buildInputs(more, image));
    return parseManifest(readFileSync(join(box.directory, "manifest.json"), "utf8")).app;
  }

  test("takes command, environment, user and working directory from the image", async () => {
    expect(await built()).toMatchObject({
      command: ["/app", "--serve"],
      env: { A: "1", B: "2", PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
      user: { uid: 33, gid: 34 },
      workingDir: "/srv/work",
    });
  });

  test("leaves the PATH of an image that has one", async () => {
    expect((await built({}, { run: { Cmd: ["/app"], Env: ["PATH=/only"] } })).env).toEqual({ PATH: "/only" });
  });

  test("does not look for the image's user when it names one itself", async () => {
    const run = { Cmd: ["/app"], User: "nobody-knows" };
    const text = manifestText({ user: 7 });
    expect((await built({ manifestText: text }, { run })).user).toMatchObject({ uid: 7 });
    await expect(built({}, { run })).rejects.toMatchObject({ code: "unknown-user" });
  });

  test("names a docker archive by the digest of its config, since it has no manifest", async () => {
    const folder = scratchDirectory();
    const files = dockerFiles({ layers: [await tar(appEntries)] });
    const source = await writeArchive(files, join(folder, "image.tar"));
    const name = [...files.keys()].find((each) => each.endsWith(".json") && each !== "manifest.json");
    expect((await built({ source })).image).toBe(`sha256:${name?.slice(0, 64)}`);
  });
});

describe("the same inputs", () => {
  const script = fileURLToPath(new URL("./support/build-in-child.ts", import.meta.url));

  function buildElsewhere(
    inputs: BuildOptions,
    outDir: string,
    environment: Record<string, string>,
    umask: string,
  ): string {
    const options = JSON.stringify({ ...inputs, outDir });
    const command = `umask ${umask}; exec "$0" --conditions=blindbox-source "$@"`;
    const child = spawnSync("sh", ["-c", command, process.execPath, script, options], {
      env: environment,
      encoding: "utf8",
    });
    expect(child.stderr).toBe("");
    return child.stdout;
  }

  test("give the same bytes in another directory, time zone, locale and umask", async () => {
    const inputs = await buildInputs();
    const one = buildElsewhere(inputs, join(scratchDirectory(), "a"), { TZ: "UTC", LC_ALL: "C", PATH: "/bin" }, "0022");
    const elsewhere = { TZ: "Pacific/Kiritimati", LC_ALL: "tr_TR.UTF-8", LANG: "tr_TR.UTF-8", HOME: "/nowhere" };
    const other = buildElsewhere(inputs, join(scratchDirectory(), "deep", "b"), elsewhere, "0077");
    const [first, second] = [JSON.parse(one), JSON.parse(other)];
    expect(second.imageDigest).toBe(first.imageDigest);
    expect(contents(second.directory)).toEqual(contents(first.directory));
    expect(Object.keys(contents(first.directory)).length).toBe(8);
  });

  test("give the same bytes from a compressed copy of the image in another file, but for the image's own digest", async () => {
    const inputs = await buildInputs();
    const again = await buildInputs({}, { compression: "zstd" });
    const [one, other] = [await buildBox(inputs), await buildBox(again)];
    const runtime = (directory: string): string => readBox(directory).manifest.layers[0].digest;
    expect(runtime(other.directory)).toBe(runtime(one.directory));
    expect(other.release.app.image).not.toBe(one.release.app.image);
  });

  test("give the layer of BlindBox's own files a digest that changes only when the form of a box does", async () => {
    const { manifest } = readBox((await buildBox(await buildInputs())).directory);
    expect(manifest.layers[0].digest).toBe("sha256:199c50fddf5e145f36d6bf1b891fd8ed2dbf288ed6e9b4f6ac2b6ac41a188af7");
  });

  test("but one changed file give another digest", async () => {
    const one = await buildBox(await buildInputs());
    const other = await buildBox(await buildInputs({}, { entries: [...appEntries, file("more", "x")] }));
    expect(other.imageDigest).not.toBe(one.imageDigest);
    expect(other.release.referenceValues).not.toEqual(one.release.referenceValues);
  });
});

describe("other tools read the image", () => {
  test.skipIf(!hasSkopeo)("skopeo inspects it (skipped without skopeo)", async () => {
    const { directory, imageDigest } = await buildBox(await buildInputs());
    const image = join(directory, "image");
    const inspected = spawnSync("skopeo", ["inspect", `oci:${image}`], { encoding: "utf8" });
    expect(inspected.stderr).toBe("");
    expect(JSON.parse(inspected.stdout)).toMatchObject({ Digest: imageDigest, Architecture: "amd64", Os: "linux" });
    const copied = spawnSync("skopeo", ["copy", `oci:${image}`, `dir:${join(scratchDirectory(), "copy")}`], {
      encoding: "utf8",
    });
    expect(copied.stderr).toBe("");
  });

  test.skipIf(!hasUmoci || !isRoot)("umoci unpacks what went in (skipped without umoci and root)", async () => {
    const { directory } = await buildBox(await buildInputs());
    const index = join(directory, "image", "index.json");
    const named = readJson(index);
    named.manifests[0].annotations["org.opencontainers.image.ref.name"] = "box";
    writeFileSync(index, JSON.stringify(named));
    const bundle = join(scratchDirectory(), "bundle");
    const unpacked = spawnSync("umoci", ["unpack", "--image", `${join(directory, "image")}:box`, bundle], {
      encoding: "utf8",
    });
    expect(unpacked.status).toBe(0);
    const app = join(bundle, "rootfs", "blindbox", "app", "rootfs", "app");
    expect(readFileSync(app, "utf8")).toBe("#!/bin/sh\n");
    expect(statSync(app)).toMatchObject({ uid: 33, gid: 34, nlink: 2, mtimeMs: 1_500_000_000_000 });
    expect(readFileSync(join(bundle, "rootfs", "blindbox", "node"))).toEqual(nodeHead());
  });
});

describe("the place of the output", () => {
  test("may hold an older box, which is replaced as a whole", async () => {
    const inputs = await buildInputs();
    const one = await buildBox(inputs);
    const other = await buildBox({ ...inputs, manifestText: manifestText({ port: 81 }) });
    expect(other.directory).toBe(one.directory);
    expect(readdirSync(inputs.outDir)).toEqual(["hello.blindbox"]);
    expect(parseManifest(readFileSync(join(other.directory, "manifest.json"), "utf8")).app.port).toBe(81);
  });

  test.each<readonly [string, (place: string) => void]>([
    ["a directory of something else", (place) => mkdirSync(join(place, "work"), { recursive: true })],
    ["an empty directory", (place) => mkdirSync(place, { recursive: true })],
    [
      "a box with something beside it",
      (place) => {
        mkdirSync(join(place, "image"), { recursive: true });
        for (const name of ["manifest.json", "blindbox.release.json", "notes.txt"])
          writeFileSync(join(place, name), "");
      },
    ],
  ])("with %s is left alone", async (_what, occupy) => {
    const inputs = await buildInputs();
    const place = join(inputs.outDir, "hello.blindbox");
    occupy(place);
    const before = readdirSync(place);
    await expect(buildBox(inputs)).rejects.toMatchObject({ code: "output-exists" });
    expect(readdirSync(place)).toEqual(before);
    expect(readdirSync(inputs.outDir)).toEqual(["hello.blindbox"]);
  });

  test("with a file is left alone", async () => {
    const inputs = await buildInputs();
    mkdirSync(inputs.outDir);
    writeFileSync(join(inputs.outDir, "hello.blindbox"), "mine");
    await expect(buildBox(inputs)).rejects.toMatchObject({ code: "output-exists" });
    expect(readFileSync(join(inputs.outDir, "hello.blindbox"), "utf8")).toBe("mine");
  });

  test("keeps the older box when a build fails, and nothing else", async () => {
    const inputs = await buildInputs();
    const box = await buildBox(inputs);
    const before = contents(box.directory);
    const broken = await buildInputs({ outDir: inputs.outDir }, { entries: [symlink("s", "x"), file("s/a", "")] });
    await expect(buildBox(broken)).rejects.toMatchObject({ code: "bad-parent" });
    expect(contents(box.directory)).toEqual(before);
    expect(readdirSync(inputs.outDir)).toEqual(["hello.blindbox"]);
  });
});

describe("a principal whose token keys are published", () => {
  const keys = { url: "https://idp.example.com/keys", thumbprints: ["A".repeat(43)] };
  const jwt = { issuer: "https://idp.example.com", audience: "box", keys, algorithms: ["ES256"] };
  const access = {
    principals: [{ id: "staff", jwt }],
    rules: [{ allow: ["staff"], methods: ["GET"], path: "/**" }],
  };

  test("is built where a rule of egress lets the box ask for them", async () => {
    const egress = [{ host: "idp.example.com", ports: [443], methods: ["GET"], paths: ["/keys"] }];
    const box = await buildBox(await buildInputs({ manifestText: manifestText({}, { access, egress }) }));
    expect(readFileSync(join(box.directory, "manifest.json"), "utf8")).toContain(keys.url);
  });

  test("is refused where none does, and nothing is written", async () => {
    const inputs = await buildInputs({ manifestText: manifestText({}, { access }) });
    const problems = [expect.objectContaining({ path: "access.principals[0].jwt.keys.url" })];
    await expect(buildBox(inputs)).rejects.toMatchObject({ name: "ManifestError", problems });
    expect(leftovers(inputs.outDir)).toEqual([]);
  });
});

describe("what cannot be built", () => {
  test("a Manifest with mistakes is refused before the image is looked at", async () => {
    const inputs = await buildInputs({ manifestText: manifestText({ port: 0 }), source: "./no/such/image" });
    await expect(buildBox(inputs)).rejects.toMatchObject({ name: "ManifestError" });
  });

  test("an application of many users is refused for the driver that has one, and only for it", async () => {
    const inputs = await buildInputs({ manifestText: manifestText({ user: 0, users: "many" }) });
    await expect(buildBox({ ...inputs, driver: "unprivileged" })).rejects.toMatchObject({ code: "driver-unsuitable" });
    expect(leftovers(inputs.outDir)).toEqual([]);
    await buildBox({ ...inputs, driver: "rooted" });
    const alone = await buildInputs({ manifestText: manifestText({ user: 0 }) });
    await buildBox({ ...alone, driver: "unprivileged" });
  });

  test("an application of many users that does not start as root is refused", async () => {
    const inputs = await buildInputs({ manifestText: manifestText({ user: 33, users: "many" }) });
    const problems = [expect.objectContaining({ path: "app.users" })];
    await expect(buildBox(inputs)).rejects.toMatchObject({ name: "ManifestError", problems });
  });

  test("another TEE is refused", async () => {
    const inputs = { ...(await buildInputs()), tee: "sev-snp" as "simulated" };
    await expect(buildBox(inputs)).rejects.toMatchObject({ code: "not-supported-yet" });
  });

  test.each<readonly [string, (folder: string) => void]>([
    ["no bundle", (folder) => writeFileSync(join(folder, "bundle", "notes.txt"), "")],
    ["a bundle with a directory in it", (folder) => mkdirSync(join(folder, "bundle", "x.mjs"))],
    ["a Node binary for another processor", (folder) => writeFileSync(join(folder, "node"), patchedHead(0xb7))],
    ["a script as Node binary", (folder) => writeFileSync(join(folder, "node"), "#!/bin/sh\nexec node")],
    ["an empty Node binary", (folder) => writeFileSync(join(folder, "node"), "")],
  ])("%s is refused", async (_what, spoil) => {
    const inputs = await buildInputs();
    spoil(dirname(inputs.outDir));
    await expect(buildBox(inputs)).rejects.toMatchObject({ code: "bad-runtime" });
    expect(leftovers(inputs.outDir)).toEqual([]);
  });

  test("a missing bundle or Node binary is refused", async () => {
    await expect(buildBox(await buildInputs({ bundleDir: "/nowhere" }))).rejects.toMatchObject({ code: "bad-runtime" });
    await expect(buildBox(await buildInputs({ nodeBinary: "/nowhere" }))).rejects.toMatchObject({
      code: "bad-runtime",
    });
  });
});

function patchedHead(machine: number): Buffer {
  const head = nodeHead();
  head.writeUInt16LE(machine, 18);
  return head;
}

describe("while it runs, a build", () => {
  test("tells how many bytes it read and wrote", async () => {
    const seen: BuildProgress[] = [];
    await buildBox(await buildInputs({ onProgress: (progress) => void seen.push(progress) }));
    const steps = [...new Set(seen.map(({ step }) => step))];
    expect(steps).toEqual(["read-image", "write-image"]);
    for (const step of steps) {
      const done = seen.filter((progress) => progress.step === step).map((progress) => progress.done);
      expect(done).toEqual([...done].sort((a, b) => a - b));
      expect(done.at(-1)).toBeGreaterThanOrEqual(seen.find((progress) => progress.step === step)?.total ?? Infinity);
    }
  });

  test("can be aborted at any point, and leaves nothing", async () => {
    const total: BuildProgress[] = [];
    await buildBox(await buildInputs({ onProgress: (progress) => void total.push(progress) }));
    for (let stop = 0; stop < total.length; stop += 1) {
      const abort = new AbortController();
      let calls = 0;
      const onProgress = (): void => {
        if (calls === stop) abort.abort(new Error("enough"));
        calls += 1;
      };
      const inputs = await buildInputs({ onProgress, signal: abort.signal });
      await expect(buildBox(inputs)).rejects.toThrow("enough");
      expect(leftovers(inputs.outDir)).toEqual([]);
    }
  });
});
