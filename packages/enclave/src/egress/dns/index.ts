export { type AnswerMessage, createAnswers, DNS_PORT, type DnsParts } from "./answer.ts";
export {
  type Assignment,
  createVirtualAddresses,
  type NameLimits,
  nameLimits,
  type VirtualAddresses,
  type VirtualAddressesOptions,
} from "./names.ts";
export {
  createDnsConnections,
  type DnsConnections,
  type DnsLimits,
  dnsLimits,
  serveDatagrams,
} from "./server.ts";
