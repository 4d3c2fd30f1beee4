import { describe, expect, it } from 'vitest';
import { mayHoldPeople } from './referrals.js';

describe('mayHoldPeople', () => {
  it.each([
    ['ldap://ForestDnsZones.corp.example/DC=ForestDnsZones,DC=corp,DC=example', false],
    ['ldap://DomainDnsZones.corp.example/DC=DomainDnsZones,DC=corp,DC=example??base', false],
    ['ldap://corp.example/CN=Configuration,DC=corp,DC=example', false],
    ['ldap://corp.example/CN=Schema%2CCN=Configuration,DC=corp,DC=example', false],
    ['ldap://eu.corp.example/DC=eu,DC=corp,DC=example', true],
    ['ldaps://other/', true],
    ['ldap://other', true],
    ['ldap://other/%zz', true],
    ['ldap://DC=DomainDnsZones,/ou=People', true],
    ['', true],
  ])('of %s is %s', (reference, answer) => expect(mayHoldPeople(reference)).toBe(answer));
});
