import type { UnavailableReason } from '#claims';

/** RFC 4511 §4.1.9 and appendix A. */
const names: Readonly<Record<number, string>> = {
  1: 'operationsError',
  2: 'protocolError',
  3: 'timeLimitExceeded',
  4: 'sizeLimitExceeded',
  7: 'authMethodNotSupported',
  8: 'strongerAuthRequired',
  10: 'referral',
  11: 'adminLimitExceeded',
  12: 'unavailableCriticalExtension',
  13: 'confidentialityRequired',
  16: 'noSuchAttribute',
  17: 'undefinedAttributeType',
  18: 'inappropriateMatching',
  21: 'invalidAttributeSyntax',
  32: 'noSuchObject',
  34: 'invalidDNSyntax',
  48: 'inappropriateAuthentication',
  49: 'invalidCredentials',
  50: 'insufficientAccessRights',
  51: 'busy',
  52: 'unavailable',
  53: 'unwillingToPerform',
  80: 'other',
};

/** For the operator's log: the server's own text is left out, because it may quote a value. */
export function resultName(code: number): string {
  return `${names[code] ?? 'result'} (${code})`;
}

/** Why a search that ended with this code has no answer. Success and sizeLimitExceeded are answers. */
export function searchFailure(code: number): UnavailableReason {
  if (code === 3) return 'timeout';
  if (code === 11) return 'limit';
  return 'refused';
}

/**
 * After these the connection is of no use: the session is not authenticated any more (Active Directory answers operationsError), or
 * the server is going away.
 */
export const endsConnection: ReadonlySet<number> = new Set([1, 52]);
