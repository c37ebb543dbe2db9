import { execFileSync } from "node:child_process";
import { randomBytes, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { chmod, chown, mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import {
  type AttestationResult,
  createVerifier,
  formatSelfTest,
  leafHash,
  parseSimulatedReport,
  SELF_TEST_PROBES,
  simulated,
  strictPolicy,
} from "@blindbox/attestation";
import { digest, formatSha256, toHex, utf8 } from "@blindbox/encoding";
import { afterEach, describe, expect, it } from "vitest";
import { createAttester } from "../src/attester/index.ts";
import { orDeviceError } from "../src/simulated/device/device-error.ts";
import { createDevice, createSimulatedProvider, currentSilicon } from "../src/simulated/index.ts";
import { type DeviceFixture, type DeviceFixtureOptions, startDevice } from "./device-fixture.ts";
import { temporaryFolder, writeImage } from "./oci-image.ts";

const opened: DeviceFixture[] = [];
const isRoot = process.getuid?.() === 0;

afterEach(async () => {
  for (const { device } of opened.splice(0)) await device.close();
});

async function device(options: DeviceFixtureOptions = {}): Promise<DeviceFixture> {
  const fixture = await startDevice(options);
  opened.push(fixture);
  return fixture;
}

const selfTest = formatSelfTest(Object.fromEntries(SELF_TEST_PROBES.map((probe) => [probe, "denied"])));
const manifest = "{}";
const runtime = `sha256:${"b".repeat(64)}`;
const spki = Buffer.from("a key");
const sha256 = async (bytes: Uint8Array): Promise<string> => formatSha256(await digest("SHA-256", bytes));

/** What a client with the root of `trusted` concludes of the box that has `fixture`'s device. */
async function verdict(
  fixture: DeviceFixture,
  trusted = fixture,
  measurement = fixture.image.measurement,
): Promise<AttestationResult> {
  const facts = {
    runtime,
    channel: null,
    audit: null,
    manifest: await sha256(utf8(manifest)),
    tls: await sha256(spki),
    sandbox: { driver: "rooted", selfTest: await sha256(utf8(selfTest)) },
  };
  const attester = await createAttester({
    provider: fixture.provider,
    facts,
    heads: () => ({ ledger: runtime, audit: null }),
    selfTest,
    manifest,
    now: Date.now,
  });
  const [nonce, exporter] = [new Uint8Array(randomBytes(32)), new Uint8Array(randomBytes(32))];
  const document = await attester.attest(await leafHash("tls-exporter", nonce, exporter));
  const verifier = createVerifier({
    tees: [simulated({ root: await readFile(join(trusted.state, "root.pem"), "utf8") })],
    referenceValues: [
      {
        tee: "simulated",
        registers: { measurement: toHex(measurement) },
        manifest: facts.manifest,
        runtime,
        release: "test",
      },
    ],
    policy: strictPolicy,
    now: () => new Date(),
  });
  return verifier.verify({
    document,
    nonce,
    channel: { binding: "tls-exporter", exporter },
    peerKey: { tlsSpki: spki },
  });
}

function failed(result: AttestationResult): string[] {
  return [...new Set(result.findings.filter(({ status }) => status === "failed").map(({ check }) => check))];
}

describe("evidence of the simulated device", () => {
  it("passes every check of the verifier, and is a warning at best", async () => {
    const result = await verdict(await device());
    expect(failed(result)).toEqual([]);
    expect(result.status).toBe("warning");
    expect(result.findings.filter(({ status }) => status !== "passed").map(({ check }) => check)).toEqual([
      "simulated-tee",
    ]);
  });

  it("is refused where the debug bit is set", async () => {
    expect(failed(await verdict(await device({ silicon: { debug: true } })))).toEqual(["debug"]);
  });

  it("is refused where the TCB is below the floor", async () => {
    expect(failed(await verdict(await device({ silicon: { tcb: currentSilicon.tcb - 1n } })))).toEqual(["tcb"]);
  });

  it("is refused under another root", async () => {
    const result = await verdict(await device(), await device());
    expect(result.status).toBe("contraindicated");
    expect(failed(result)).toContain("certificate-signature");
  });

  it("is refused for another image", async () => {
    const result = await verdict(await device(), undefined, (await writeImage()).measurement);
    expect(result.status).toBe("contraindicated");
  });

  it("names measurement, binding and chip", async () => {
    const fixture = await device();
    const binding = new Uint8Array(randomBytes(64));
    const report = parseSimulatedReport((await fixture.provider.getEvidence(binding)).evidence);
    expect(toHex(report.binding)).toBe(toHex(binding));
    expect(toHex(report.measurement)).toBe(toHex(fixture.image.measurement));
    const certificate = new X509Certificate(await readFile(join(fixture.state, "keys/device.pem")));
    const spkiOfChip = certificate.publicKey.export({ format: "der", type: "spki" });
    expect(toHex(report.chipId)).toBe(toHex(await digest("SHA-256", spkiOfChip)));
  });

  it("has CRLs that are made anew when an hour has passed", async () => {
    let now = Date.now();
    const { provider } = await device({ now: () => now });
    const crls = async (): Promise<string> =>
      JSON.stringify((await provider.getEvidence(randomBytes(64))).endorsements);
    const first = await crls();
    expect(await crls()).toBe(first);
    now += 3_600_000;
    expect(await crls()).not.toBe(first);
  });
});

describe("the simulated vendor's keys", () => {
  it("are kept from others, and found again", async () => {
    const { state } = await device();
    expect((await stat(state)).mode & 0o777).toBe(0o700);
    expect((await stat(join(state, "keys"))).mode & 0o777).toBe(0o700);
    for (const name of ["root.key", "intermediate.key", "device.key"]) {
      expect((await stat(join(state, "keys", name))).mode & 0o777).toBe(0o600);
    }
    const root = await readFile(join(state, "root.pem"), "utf8");
    expect(await readFile(join((await device({ state })).state, "root.pem"), "utf8")).toBe(root);
    expect(root).toBe(await readFile(join(state, "keys/root.pem"), "utf8"));
  });

  it("are one chain, whoever of many devices that start at once makes it", async () => {
    const state = join(await temporaryFolder(), "state");
    const fixtures = await Promise.all(Array.from({ length: 6 }, () => device({ state })));
    const chains = await Promise.all(
      fixtures.map(async ({ provider }) =>
        JSON.stringify((await provider.getEvidence(randomBytes(64))).endorsements).slice(0, 400),
      ),
    );
    expect(new Set(chains.map((each) => each.slice(0, each.indexOf("crls")))).size).toBe(1);
    const [fixture] = fixtures;
    if (fixture !== undefined) expect(failed(await verdict(fixture))).toEqual([]);
    expect((await readdir(state)).sort()).toEqual(["keys", "root.pem"]);
  });

  it("are never half: a damaged folder is refused, not repaired", async () => {
    const { state } = await device();
    await writeFile(join(state, "keys/device.key"), "");
    await expect(startDevice({ state })).rejects.toMatchObject({ code: "state-unusable" });
  });

  it.each(["720", "702", "777"])(
    "are not taken from a folder of mode %s, into which others may write",
    async (octal) => {
      const mode = Number.parseInt(octal, 8);
      const { state } = await device();
      for (const folder of [join(state, "keys"), state]) {
        await chmod(folder, mode);
        const refused = { code: "state-unusable", hint: expect.stringContaining("nobody else") };
        await expect(startDevice({ state })).rejects.toMatchObject(refused);
        expect((await stat(folder)).mode & 0o777).toBe(mode);
        await chmod(folder, 0o700);
      }
      await device({ state });
    },
  );

  it.each([
    ["root.key", "640"],
    ["intermediate.key", "604"],
    ["device.key", "620"],
    ["root.pem", "666"],
  ])("are not taken where others may read a key or write a certificate (%s of mode %s)", async (name, octal) => {
    const { state } = await device();
    await chmod(join(state, "keys", name), Number.parseInt(octal, 8));
    const refused = { code: "state-unusable", message: expect.stringContaining(name) };
    await expect(startDevice({ state })).rejects.toMatchObject(refused);
    await chmod(join(state, "keys", name), 0o600);
    await device({ state });
  });

  it("are not taken through a link, nor waited for where a FIFO stands for one", async () => {
    const { state } = await device();
    const key = join(state, "keys", "device.key");
    await rename(key, join(state, "elsewhere"));
    await symlink(join(state, "elsewhere"), key);
    await expect(startDevice({ state })).rejects.toMatchObject({ code: "state-unusable" });
    await rm(key);
    execFileSync("mkfifo", ["-m", "600", key]);
    await expect(startDevice({ state })).rejects.toMatchObject({ code: "state-unusable" });
    await rename(join(state, "elsewhere"), key);
    await device({ state });
  });

  it.skipIf(!isRoot)("are not taken where a file of them is another user's (needs root)", async () => {
    const { state } = await device();
    for (const name of ["root.key", "device.pem"]) {
      await chown(join(state, "keys", name), 65_534, 65_534);
      const refused = { code: "state-unusable", message: `the file ${name} is another user's` };
      await expect(startDevice({ state })).rejects.toMatchObject(refused);
      await chown(join(state, "keys", name), 0, 0);
    }
    await device({ state });
  });

  it.skipIf(!isRoot)("are not taken from another user's folder (needs root)", async () => {
    const { state } = await device();
    for (const folder of [join(state, "keys"), state]) {
      await chown(folder, 65_534, 65_534);
      await expect(startDevice({ state })).rejects.toMatchObject({ code: "state-unusable" });
      await chown(folder, 0, 0);
    }
    await device({ state });
  });

  it("certify what each may do, and no more", async () => {
    const { state } = await device();
    const certificate = async (rank: string): Promise<X509Certificate> =>
      new X509Certificate(await readFile(join(state, `keys/${rank}.pem`)));
    const [root, intermediate, leaf] = [
      await certificate("root"),
      await certificate("intermediate"),
      await certificate("device"),
    ];
    expect([root.ca, intermediate.ca, leaf.ca]).toEqual([true, true, false]);
    expect(intermediate.checkIssued(root) && intermediate.verify(root.publicKey)).toBe(true);
    expect(leaf.checkIssued(intermediate) && leaf.verify(intermediate.publicKey)).toBe(true);
    expect(leaf.verify(root.publicKey)).toBe(false);
  });
});

it("a device that finds no room on the disk says so, and does not ask for its state to be removed", async () => {
  const failing = orDeviceError("state-unusable", "remove the state folder", () => writeFile("/dev/full", "x"));
  await expect(failing).rejects.toMatchObject({ code: "state-unusable", hint: expect.stringContaining("make room") });
});

describe("the device's socket", () => {
  async function ask(socketPath: string, bytes: string): Promise<string> {
    const socket = connect({ path: socketPath, allowHalfOpen: true });
    await once(socket, "connect");
    socket.end(bytes);
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString();
  }

  it("is in a folder that only its owner may enter", async () => {
    const { socket } = await device();
    expect((await stat(join(socket, ".."))).mode & 0o777).toBe(0o700);
  });

  it("is not made in a folder that is open to others", async () => {
    const folder = await temporaryFolder();
    await chmod(folder, 0o755);
    const options = {
      image: (await writeImage()).folder,
      socket: join(folder, "device.sock"),
      state: join(folder, "state"),
      silicon: currentSilicon,
      now: Date.now,
    };
    await expect(createDevice(options)).rejects.toMatchObject({ code: "socket-unusable" });
  });

  it.skipIf(!isRoot)(
    "is not made in another user's folder, though it is closed to all others (needs root)",
    async () => {
      const folder = await temporaryFolder();
      const own = join(folder, "socket");
      await mkdir(own, { mode: 0o700 });
      await chown(own, 65_534, 65_534);
      const options = {
        image: (await writeImage()).folder,
        socket: join(own, "device.sock"),
        state: join(folder, "state"),
        silicon: currentSilicon,
        now: Date.now,
      };
      await expect(createDevice(options)).rejects.toMatchObject({ code: "socket-unusable" });
      expect(await readdir(own)).toEqual([]);
    },
  );

  it("is not taken from a device that has it", async () => {
    const { socket, state, image } = await device();
    await expect(
      createDevice({ image: image.folder, socket, state, silicon: currentSilicon, now: Date.now }),
    ).rejects.toMatchObject({ code: "socket-unusable" });
  });

  const hex = "ab".repeat(64);
  it.each([
    ["nothing", ""],
    ["no line end", `{"binding":"${hex}"}`],
    ["no JSON", "hello\n"],
    ["JSON that is not canonical", `{ "binding":"${hex}"}\n`],
    ["another member", `{"binding":"${hex}","debug":true}\n`],
    ["upper-case hex", `{"binding":"${hex.toUpperCase()}"}\n`],
    ["a number", '{"binding":1}\n'],
    ["more than a line may hold", `${"x".repeat(2000)}\n`],
  ])("answers %s with a fault and no evidence", async (_, bytes) => {
    const { socket } = await device();
    expect(await ask(socket, bytes)).toBe('{"error":"bad-request"}\n');
  });

  it.each([0, 1, 63, 65])("answers a binding of %i bytes with a fault and no evidence", async (length) => {
    const { socket, provider } = await device();
    expect(await ask(socket, `{"binding":"${"ab".repeat(length)}"}\n`)).toBe('{"error":"failed"}\n');
    await expect(provider.getEvidence(new Uint8Array(length))).rejects.toThrow();
  });

  it("that is not there makes the provider fail", async () => {
    await expect(createSimulatedProvider("/nowhere/device.sock").getEvidence(new Uint8Array(64))).rejects.toThrow(
      /ENOENT/,
    );
  });
});
