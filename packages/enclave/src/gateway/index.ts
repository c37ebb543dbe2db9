export { type AccessLog, type AccessLogOptions, createAccessLog } from "./access-log.ts";
export { createTlsIdentity, type TlsIdentity } from "./certificate.ts";
export { type Callers, createCallers, createTokenVerifier, type TokenVerifier } from "./credentials/index.ts";
export { createGateway, type Gateway, type GatewayOptions } from "./gateway.ts";
export { type GatewayLimits, gatewayLimits } from "./limits.ts";
export { coarse, createMetrics, type MetricOutcome, type Metrics } from "./metrics.ts";
export { createOperations, type Operations, type OperationsOptions } from "./operations.ts";
