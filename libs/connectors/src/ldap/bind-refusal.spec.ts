import { describe, expect, it } from 'vitest';
import { explainRefusal, isServersOwn } from './bind-refusal.js';

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

  it('names a code that it does not know, and claims nothing of the password', () => {
    expect(explainRefusal(49, diagnostic('8009030C'))).toMatch(/^invalidCredentials \(49\), data 8009030c: .*not known here/);
    expect(explainRefusal(49, diagnostic('8009030C'))).not.toContain('password');
  });

  it.each([
    diagnostic('51f').replace('80090308', '80090311'),
    diagnostic('51F'),
    diagnostic('0').replace('80090308', '80090311'),
  ])('tells a domain controller that reaches no authority from a wrong password: %s', (text) => {
    expect(isServersOwn(text)).toBe(true);
    expect(explainRefusal(49, text)).toMatch(/data (?:51f|0): the domain controller reaches no authority/);
  });

  it.each([diagnostic('52e'), `about ${diagnostic('51f')}`, '80090311', ''])('takes no other text for that: %j', (text) => {
    expect(isServersOwn(text)).toBe(false);
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
