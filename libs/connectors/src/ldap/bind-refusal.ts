import { resultName } from './result-codes.js';

/** What Active Directory says after `data` where it refuses a bind (System Error Codes, hexadecimal), and what helps. */
const activeDirectory: Readonly<Record<string, string>> = {
  '51f': 'the domain controller reaches no authority that could check the password; another one may',
  '525': 'there is no such account; correct bind.dn',
  '52e': 'the name or the password is wrong; put the present password where the configuration names it',
  '530': 'the account may not sign in at this hour; change its logon hours',
  '531': 'the account may not sign in from here; change its logon workstations',
  '532': 'the password has expired; set a new one, and let this account’s not expire',
  '533': 'the account is disabled; enable it',
  '701': 'the account has expired; extend it',
  '773': 'the password must be changed before it is used; set one that need not be',
  '775': 'the account is locked; unlock it, and find who offers an old password',
};

/** By result code (RFC 4511 appendix A). */
const others: Readonly<Record<number, string>> = {
  7: 'the directory does not offer this way to bind; for external it must ask for a certificate',
  8: 'the directory takes passwords over TLS only; use ldaps:// or startTls: true',
  13: 'the directory takes passwords over TLS only; use ldaps:// or startTls: true',
  48: 'the account cannot bind in this way',
  49: 'the name or the password is wrong; put the present password where the configuration names it',
};

/** Of a code that is not known here, nothing is: least of all that the password is wrong. */
const unknownData = 'the directory refuses the account for a reason that is not known here; look the code up as a Windows error';

/** `80090308: LdapErr: DSID-0C090446, comment: AcceptSecurityContext error, data 52e, v4563` */
const acceptSecurityContext =
  /^([0-9a-f]{8}): LdapErr: DSID-[0-9a-f]{8}, comment: AcceptSecurityContext error, data ([0-9a-f]{1,8}),/i;

/** SEC_E_NO_AUTHENTICATING_AUTHORITY, and ERROR_NO_LOGON_SERVERS behind `data`. */
const noAuthority = { status: '80090311', data: '51f' };

/**
 * Whether Active Directory refuses a bind by result 49 though nobody looked at the password: the domain controller cannot authenticate
 * anybody, and another one may.
 */
export function isServersOwn(diagnostic: string): boolean {
  const [, status, data] = acceptSecurityContext.exec(diagnostic) ?? [];
  return status === noAuthority.status || data?.toLowerCase() === noAuthority.data;
}

/**
 * Why a directory refused a bind and what helps, in our words: of the server's own text, which may name an account, no more than
 * the code that Active Directory puts there.
 */
export function explainRefusal(code: number, diagnostic: string): string {
  const data = acceptSecurityContext.exec(diagnostic)?.[2]?.toLowerCase();
  const what = data === undefined ? resultName(code) : `${resultName(code)}, data ${data}`;
  const remedy =
    data === undefined ? others[code] : (activeDirectory[isServersOwn(diagnostic) ? noAuthority.data : data] ?? unknownData);
  return remedy === undefined ? what : `${what}: ${remedy}`;
}
