import { describe, expect, it } from 'vitest';
import { explainRefusal } from './bind-refusal.js';

const diagnostic = (data: string): string =>
  `80090308: LdapErr: DSID-0C090446, comment: AcceptSecurityContext error, data ${data}, v4563`;

describe('explainRefusal', () => {
  it.each([
    ['525', 'no such account'],
    ['52e', 'the name or the password is wrong'],
    ['530', 'the account may not sign in at this hour'],
    ['531', 'the account may not sign in from here'],
    ['532', 'the password has expired'],
    ['533', 'the account is disabled'],
    ['701', 'the account has expired'],
    ['773', 'the password must be changed'],
    ['775', 'the account is locked'],
  ])('says what helps where Active Directory says data %s', (data, remedy) => {
    expect(explainRefusal(49, diagnostic(data))).toMatch(new RegExp(`^invalidCredentials \\(49\\), data ${data}: .*${remedy}`));
  });

  it('names a code that it does not know', () => {
    expect(explainRefusal(49, diagnostic('8009030C'))).toMatch(/^invalidCredentials \(49\), data 8009030c: the name or/);
  });

  it.each([
    'no user cn=adele, data 52e',
    `${diagnostic('52e')} x`.replace('DSID-0C090446', 'DSID-adele'),
    `about ${diagnostic('775')}`,
    diagnostic('adele'),
    '',
  ])('takes nothing out of another text: %j', (text) => {
    expect(explainRefusal(49, text)).toBe(explainRefusal(49, 'x'));
    expect(explainRefusal(49, text)).not.toMatch(/data|adele|775/);
  });

  it('tells a directory that wants TLS from one that refuses the password', () => {
    expect(explainRefusal(8, '')).toMatch(/^strongerAuthRequired \(8\): .*TLS/);
    expect(explainRefusal(53, 'text')).toBe('unwillingToPerform (53)');
  });
});
