import type { Manifest } from "../manifest.ts";
import { auditorExposure, callerExposures, visitorExposure } from "./callers.ts";
import { vendorNetwork } from "./endorsements.ts";
import { hostExposure } from "./host.ts";
import { callersNetwork, destinationExposures, destinationsNetwork } from "./network.ts";
import { ALWAYS, type Exposure, type ExposureTarget } from "./sight.ts";
import { siliconExposure } from "./silicon.ts";

/**
 * Everything that anybody but the application sees while a box with this Manifest runs on that hardware, observer by
 * observer, whoever runs it first. It reads the members that the box enforces and adds what no Manifest can change.
 * What an observer *can do* (stop the box, delay packets, set its clock) and side channels of the hardware are not in it.
 */
export function exposureOf(manifest: Manifest, target: ExposureTarget): readonly Exposure[] {
  return [
    hostExposure(manifest, target),
    siliconExposure(target),
    vendorExposure(manifest),
    callersNetwork(manifest),
    vendorNetwork(target),
    destinationsNetwork(manifest.egress),
    ...destinationExposures(manifest),
    visitorExposure(manifest),
    ...callerExposures(manifest.access),
    auditorExposure(manifest),
  ].filter((each) => each !== null);
}

// Whoever wrote the application has no place inside: what it learns, it learns as one of the others.
function vendorExposure({ logs, operations, egress }: Manifest): Exposure {
  const sees = [
    { what: "what the host sees, where the vendor runs the box or is shown its logs", because: ALWAYS },
    ...(logs === "app" ? [{ what: "whatever the application prints, data included", because: "logs" }] : []),
    ...(operations.metrics === "coarse"
      ? [{ what: "the metrics that the host sees", because: "operations.metrics" }]
      : []),
    ...(egress.length > 0
      ? [{ what: "what the application sends to allowed hosts that are the vendor's", because: "egress" }]
      : []),
    { what: "nothing of requests and answers through the box itself", because: ALWAYS },
  ];
  return { observer: "vendor", who: "the vendor of the application", sees };
}
