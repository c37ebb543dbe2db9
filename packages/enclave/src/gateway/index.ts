export { createTlsIdentity, type TlsIdentity } from "./certificate.ts";
export { createGateway, type Gateway, type GatewayOptions } from "./gateway.ts";
export { type GatewayLimits, gatewayLimits } from "./limits.ts";
