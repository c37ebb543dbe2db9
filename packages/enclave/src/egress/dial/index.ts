export { createClassifier, isGlobalAddress, type IsPublic } from "./classify.ts";
export { createDialer, type DialerOptions, type DialLimits, dialLimits } from "./dialer.ts";
export {
  createLookup,
  createResolve,
  type Family,
  type Lookup,
  type Resolve,
  type ResolveLimits,
  resolveLimits,
  type ResolveOptions,
} from "./resolve.ts";
