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
  return isServerTrouble(code) ? 'connection' : 'refused';
}

/** busy and unavailable: another server may answer (RFC 4511 appendix A.2). */
export function isServerTrouble(code: number): boolean {
  return code === 51 || code === 52;
}

/**
 * operationsError: Active Directory says so where the session is not authenticated any more, and also where a search is wrong, as
 * one for tokenGroups that is not of base scope.
 */
export function isSessionTrouble(code: number): boolean {
  return code === 1;
}
