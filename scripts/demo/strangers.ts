/** Callers whom the Manifest does not name: they verify the box as everybody can, and get nothing of the application. */
import { randomBytes } from "node:crypto";
import { SecureSession } from "@blindbox/client";
import { type Demands, optionsOf, recordingForm } from "./client.ts";
import { type RunningBox, blindbox, type Scene } from "./vendor.ts";

interface Refused {
  readonly status: number;
  readonly type: string;
}

async function attempt(
  url: string,
  options: Parameters<typeof SecureSession.connect>[1],
  body: FormData,
): Promise<Refused> {
  const session = await SecureSession.connect(url, options);
  try {
    const response = await session.post("/transcribe", { body });
    const { type } = (await response.json()) as { readonly type: string };
    return { status: response.status, type };
  } finally {
    await session.close();
  }
}

/** Two of them, with no key and with one of their own. `hasAuditor`: somebody can look whether the application was asked. */
export async function strangers(
  scene: Scene,
  { url }: RunningBox,
  demands: Demands,
  recording: Uint8Array,
  hasAuditor: boolean,
): Promise<void> {
  const { stage } = scene;
  stage.step(
    "Somebody else verifies the same box, and sends a recording too",
    "the box asks who calls before the app hears of it; the app does not have to",
  );
  const strange = { apiKey: `bb_${randomBytes(32).toString("base64url")}` };
  for (const [who, credentials] of [
    ["without a key", { anonymous: true }],
    ["with a key that the Manifest does not name", strange],
  ] as const) {
    const { status, type } = await attempt(url, { ...optionsOf(demands), credentials }, recordingForm(recording));
    if (status !== 401) throw new Error(`${who}: answered ${status}`);
    stage.line(`${who}: ${status}, ${type}`);
  }
  if (hasAuditor)
    stage.line(`requests that reached the app so far: ${await countRequests(scene, url)}, the clinic's own`);
}

/** By the box's access log, of which every record must be the clinic's one request. */
async function countRequests(scene: Scene, url: string): Promise<number> {
  const flags = ["--box", "transcriber.blindbox", "--simulated", "--key-file", "auditor.key", "--json"];
  const { accessLog } = JSON.parse(await blindbox(scene, ["audit", url, ...flags])) as {
    readonly accessLog: { readonly records: readonly { readonly principal: string }[] };
  };
  const callers = accessLog.records.map(({ principal }) => principal);
  if (callers.join() !== "clinic") throw new Error(`the access log has requests of ${JSON.stringify(callers)}`);
  return callers.length;
}
