/** The simulated vendor's keys: made once for each state folder, and never half. */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { constants, type Stats } from "node:fs";
import { chmod, mkdir, mkdtemp, open, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { formatPem, parsePem } from "@blindbox/encoding";
import { type Identity, issueChain, type KeyPair } from "./certificates.ts";
import { DeviceError, orDeviceError } from "./device-error.ts";

/** Who is in the chain, from the root down. */
export const ranks = ["root", "intermediate", "device"] as const;

export type Rank = (typeof ranks)[number];

export type Identities = Readonly<Record<Rank, Identity>>;

/**
 * The identities kept in `folder`, made on first use. Also leaves the root's certificate in `folder/root.pem`, for
 * verifiers. Two devices that start at once end with the same identities.
 *
 * @throws DeviceError with code `state-unusable`, also where another user owns or may write to the folder or its keys.
 */
export function openIdentities(folder: string, now: number): Promise<Identities> {
  return orDeviceError(
    "state-unusable",
    "remove the state folder; clients must then be given its new root.pem",
    async () => {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await checkOwn(folder, "state folder");
      await chmod(folder, 0o700);
      const keys = join(folder, "keys");
      const identities = (await readIdentities(keys)) ?? (await makeIdentities(folder, keys, now));
      await publishRoot(folder, identities.root);
      return identities;
    },
  );
}

const ownHint = "remove it, or name a state folder that is yours and that nobody else may write to";

/** Keys that another user may have put there are nobody's proof of anything. */
async function checkOwn(folder: string, name: string): Promise<void> {
  checkNobodyElse(await stat(folder), name);
}

function checkNobodyElse({ mode, uid }: Stats, name: string): void {
  if (uid !== process.getuid?.()) throw new DeviceError("state-unusable", `the ${name} is another user's`, ownHint);
  if ((mode & 0o022) !== 0) throw new DeviceError("state-unusable", `others may write to the ${name}`, ownHint);
}

/** Bytes of a key or a certificate; ours have under 1 KiB. */
const maxPemBytes = 65_536;

/**
 * A file of the folder of the keys, which is nobody else's and no link; with `isSecret` nobody else may read it either:
 * whoever read a key can make evidence for what never ran.
 */
async function readOwn(path: string, name: string, isSecret: boolean): Promise<Buffer> {
  // A FIFO in the place of a file must not keep us waiting.
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const facts = await file.stat();
    if (!facts.isFile() || facts.size > maxPemBytes)
      throw new DeviceError("state-unusable", `${name} is no key`, ownHint);
    checkNobodyElse(facts, `file ${name}`);
    if (isSecret && (facts.mode & 0o077) !== 0) {
      throw new DeviceError("state-unusable", `others may read the file ${name}`, ownHint);
    }
    return await file.readFile();
  } finally {
    await file.close();
  }
}

async function makeIdentities(folder: string, keys: string, now: number): Promise<Identities> {
  const made = await mkdtemp(join(folder, ".keys-"));
  const chain = await issueChain({ root: makeKey(), intermediate: makeKey(), device: makeKey() }, now);
  for (const rank of ranks) await writeIdentity(made, rank, chain[rank]);
  // The whole folder appears at once; whoever comes second finds it taken and uses what is there.
  await rename(made, keys).catch(() => rm(made, { recursive: true }));
  const kept = await readIdentities(keys);
  if (kept === null) throw new Error("keys: cannot be written");
  return kept;
}

function makeKey(): KeyPair {
  return generateKeyPairSync("ec", { namedCurve: "P-384" });
}

async function writeIdentity(folder: string, rank: Rank, { privateKey, certificate }: Identity): Promise<void> {
  const pem = privateKey.export({ format: "pem", type: "pkcs8" });
  await writeFile(join(folder, `${rank}.key`), pem, { mode: 0o600, flag: "wx" });
  await writeFile(join(folder, `${rank}.pem`), formatPem("CERTIFICATE", certificate), { mode: 0o600, flag: "wx" });
}

/** Null where there is none yet. */
async function readIdentities(folder: string): Promise<Identities | null> {
  try {
    await checkOwn(folder, "folder of the keys");
    const [root, intermediate, device] = await Promise.all(ranks.map((rank) => readIdentity(folder, rank)));
    return root && intermediate && device ? { root, intermediate, device } : null;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

async function readIdentity(folder: string, rank: Rank): Promise<Identity> {
  const read = (name: string, isSecret: boolean): Promise<Buffer> => readOwn(join(folder, name), name, isSecret);
  const [certificate] = parsePem((await read(`${rank}.pem`, false)).toString("latin1"), "CERTIFICATE");
  if (certificate === undefined) throw new Error("keys: expected a certificate");
  return { privateKey: readKey(await read(`${rank}.key`, true), `${rank}.key`), certificate };
}

// OpenSSL's own words name its decoders.
function readKey(pem: Buffer, name: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw new DeviceError("state-unusable", `${name} holds no private key`, ownHint, { cause });
  }
}

async function publishRoot(folder: string, { certificate }: Identity): Promise<void> {
  const made = await mkdtemp(join(folder, ".root-"));
  await writeFile(join(made, "root.pem"), formatPem("CERTIFICATE", certificate), { mode: 0o644 });
  await rename(join(made, "root.pem"), join(folder, "root.pem"));
  await rm(made, { recursive: true });
}
