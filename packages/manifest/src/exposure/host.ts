import type { Logs, Manifest } from "../manifest.ts";
import { BOX_PORT } from "../ports.ts";
import { endorsementSights } from "./endorsements.ts";
import { SHOWN } from "./network.ts";
import { ALWAYS, type Exposure, type ExposureTarget, type Sight, where } from "./sight.ts";

const LOG_SIGHTS: Readonly<Record<Logs, readonly string[]>> = {
  none: [],
  metadata: [
    "one line a request: the number of the rule, a code for how it ended, and how long it took",
    "how many bytes the application printed, once a minute where there are any",
  ],
  app: [
    "one line a request: the number of the rule, a code for how it ended, and how long it took",
    "whatever the application prints, data included",
  ],
};

/** Whoever runs the machine: the cloud, its staff, and whoever broke into it. */
export function hostExposure(manifest: Manifest, target: ExposureTarget): Exposure {
  return {
    observer: "host",
    who: "the host: cloud, hypervisor, operating system, and whoever operates them",
    sees: [
      ...memorySights(target),
      ...lifeSights(manifest),
      ...endorsementSights(target),
      ...logSights(manifest.logs, target),
      ...operationSights(manifest),
    ],
  };
}

/** What of the box's memory can be seen from outside it, by kind of hardware. */
const MEMORY: Readonly<Record<ExposureTarget, string>> = {
  "sev-snp": "memory in encrypted form, and which of its pages are touched when",
  tdx: "memory in encrypted form, and which of its pages are touched when",
  nitro:
    "nothing of memory, which the hypervisor keeps from the parent instance; every byte in and out, which that relays",
  "azure-vtpm": "memory in encrypted form, and which of its pages are touched when",
  simulated: "EVERYTHING: the simulated TEE protects nothing, and memory, keys and data can be read by the machine",
};

function memorySights(target: ExposureTarget): readonly Sight[] {
  return [
    { what: MEMORY[target], because: ALWAYS },
    { what: "how much processor time and memory the box uses", because: ALWAYS },
  ];
}

function lifeSights({ access, egress }: Manifest): readonly Sight[] {
  const ports = access.mutualTls === null ? `${BOX_PORT}` : `${BOX_PORT} and ${access.mutualTls.port}`;
  return [
    { what: "image, Manifest and Release of the box, all of which are public", because: ALWAYS },
    {
      what: "when the application starts, is ready and ends, with its exit code or signal: one byte that it chooses each time",
      because: ALWAYS,
    },
    { what: "that the application is not ready after 5 s, where it is not", because: ALWAYS },
    { what: `every packet to and from port ${ports}, as the network does`, because: ALWAYS },
    ...where(
      access.mutualTls !== null,
      `which callers come to port ${access.mutualTls?.port}, where certificates are asked for; ${SHOWN}`,
      "access.mutualTls",
    ),
    ...where(egress.length > 0, "every packet to and from allowed hosts and DNS, as the network does", "egress"),
  ];
}

/** The box's own log has these whatever `logs` says. */
const BOX_EVENTS =
  "events of the box itself by code: that it listens, is ready, drains and stops, or why it does not start; how its sandbox is made and limited (`sandbox`); how many ways out it has (`egress`), and how many token keys it knows; that it met a fault";
const DEVICE_EVENTS =
  "events of the box itself about its hardware: which TEE devices it found, and why it cannot use one (`tee-device`); that Endorsements could not be had, and the reason (`endorsements-failed`)";

function logSights(logs: Logs, target: ExposureTarget): readonly Sight[] {
  const events = [BOX_EVENTS, ...(target === "simulated" ? [] : [DEVICE_EVENTS])];
  return [
    ...events.map((what) => ({ what, because: ALWAYS })),
    ...LOG_SIGHTS[logs].map((what) => ({ what, because: "logs" })),
  ];
}

function operationSights({ operations: { port, health, metrics } }: Manifest): readonly Sight[] {
  return [
    { what: "that the box is up, at the door for callers", because: ALWAYS },
    ...where(port !== null, `that the box is up and not about to stop, at plain port ${port}`, "operations.port"),
    ...where(
      health === "ready",
      `whether the application is ready now, at plain port ${port}: a bit that it can flip to signal`,
      "operations.health",
    ),
    ...where(
      metrics === "coarse",
      `how many requests were answered, refused, failed or broken off, rounded down, and how often the application was started anew, at plain port ${port}`,
      "operations.metrics",
    ),
  ];
}
