export { EntraAuthError, type EntraAuthErrorCode } from './entra-auth-error.js';
export { EntraBearer } from './entra-bearer.js';
export { FailureLimit, type FailureLimitOptions } from './failure-limit.js';
export {
  adminGuard,
  callerOf,
  entraGuard,
  type AdminGuardOptions,
  type AuthenticationVerdict,
  type EntraGuardOptions,
} from './guards.js';
export type { KeyAnswer, KeyLog, KeySetState, KeySetStatus, KeyTimes } from './issuer-keys.js';
export { KeyManager, type KeyManagerOptions } from './key-manager.js';
export { KeyFetchError, readPinnedKeys, type SigningKeys } from './key-source.js';
export { OpenRoute, RequireRole, assertRoutesDeclareRole } from './route-access.js';
export type { RefusalCode, VerifiedCaller } from './token-claims.js';
export { TokenVerifier, type Verdict } from './token-verifier.js';
export {
  authenticationExtensionsAppId,
  entraIssuers,
  type EntraCloud,
  type TokenVersion,
  type TrustConfiguration,
  type TrustedIssuer,
  type TrustedTenant,
} from './trust-configuration.js';
