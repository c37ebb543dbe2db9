/** What a hostile app and a hostile network try with the transcript, told by what arrived in the fake internet. */
import { addresses, names } from "./hosts.ts";
import type { Internet } from "./network.ts";
import { blindbox, type RunningBox, type Scene } from "./vendor.ts";

/** Four steps after a recording was transcribed once; `again` transcribes another. */
export async function waysOut(
  scene: Scene,
  internet: Internet,
  box: RunningBox,
  again: () => Promise<string>,
): Promise<void> {
  await allowedHost(scene, internet);
  forbiddenHost(scene, internet);
  await redirectedHost(scene, internet, again);
  await auditedLedger(scene, box);
}

async function allowedHost({ stage }: Scene, internet: Internet): Promise<void> {
  stage.step(
    `The app sends the transcript to ${names.records}, as the Manifest allows`,
    "the box checked that host's certificate and this request itself",
  );
  const { text } = await internet.arrival(({ kind, to }) => kind === "request" && to === addresses.records);
  stage.line(`${names.records} received: ${text}`);
}

/** The app tries this first, so that it is over when the transcript has arrived where it may. */
function forbiddenHost({ stage }: Scene, internet: Internet): void {
  stage.step(
    "The app has also tried to send it to its maker, by name and by address",
    "what the Manifest does not allow leaves no trace in the network, not even a DNS question",
  );
  stage.line(`hidden in server.py: posts to ${names.telemetry} and to 203.0.113.99`);
  const elsewhere = internet.arrivals.filter(({ to }) => to !== names.records && to !== addresses.records);
  if (elsewhere.length > 0) throw new Error(`the network saw ${JSON.stringify(elsewhere)}`);
  stage.line("DNS questions, connections and bytes of it that the network saw: 0");
}

async function redirectedHost({ stage }: Scene, internet: Internet, again: () => Promise<string>): Promise<void> {
  stage.step(
    `Whoever runs the machine sends ${names.records} to an impostor`,
    "the box checks who a host is; neither DNS, nor the network, nor the app is trusted with that",
  );
  await internet.redirect(names.records, addresses.impostor);
  stage.line(`DNS now says ${addresses.impostor}: a server with a certificate for that name, of another authority`);
  const before = internet.arrivals.length;
  stage.line(`the recording is sent again; transcript: "${await again()}"`);
  await internet.arrival(({ kind, to }) => kind === "no-handshake" && to === addresses.impostor);
  const since = internet.arrivals.slice(before).filter(({ kind }) => kind !== "question");
  const wrong = since.filter(({ kind, to }) => kind === "request" || to !== addresses.impostor);
  if (wrong.length > 0) throw new Error(`the network saw ${JSON.stringify(wrong)}`);
  stage.line("the impostor got a connection, on which the box refused its certificate");
  stage.line("bytes of the transcript that the impostor received: 0");
}

/** What must stand in the ledger of the second recording; the self-test has made records like some of them before. */
const verdicts = ["refused-name", "refused-address", "refused-certificate-untrusted"];

async function auditedLedger(scene: Scene, { url }: RunningBox): Promise<void> {
  const { stage } = scene;
  stage.step(
    "An auditor reads what the box wrote down",
    "what left the box, and who asked, are in two chains whose ends the TEE signs; no word in them is the app's",
  );
  const flags = ["--box", "transcriber.blindbox", "--simulated", "--key-file", "auditor.key"];
  const printed = (await blindbox(scene, ["audit", url, ...flags])).trimEnd();
  for (const text of printed.split("\n")) stage.line(text);
  const second = printed.slice(printed.lastIndexOf(" closed "));
  const missing = verdicts.filter((verdict) => !second.includes(` ${verdict} `));
  if (missing.length > 0) throw new Error(`the ledger has no ${missing.join(", ")}`);
  const asked = printed.slice(printed.indexOf("Access log: ")).match(/ clinic +0 +POST +\/transcribe +answered +200 /g);
  if (asked?.length !== 2) throw new Error(`the access log has ${asked?.length ?? 0} recordings of the clinic's two`);
  stage.line("");
  stage.line(
    "refused-name, refused-address: the app's tries to reach its maker, and at first those of the box's self-test",
  );
  stage.line("refused-certificate-untrusted: the impostor, with the digest of the certificate that it showed");
}
