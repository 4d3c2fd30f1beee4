import { describe, expect, it } from 'vitest';
import { domainOf } from './distinguished-name.js';

describe('domainOf', () => {
  it.each([
    ['CN=Sales,OU=Groups,DC=Corp,DC=example', 'corp.example'],
    ['DC=corp,DC=example', 'corp.example'],
    ['dc = corp , dc = example', 'corp.example'],
    ['CN=a\\,b,DC=eu,DC=corp,DC=example', 'eu.corp.example'],
    ['CN=a\\\\,DC=corp', 'corp'],
    // The last comma belongs to the common name: nobody can put a group into another domain by its name.
    ['CN=a\\,DC=corp', undefined],
    ['CN=x\\,DC=evil,DC=corp,DC=example', 'corp.example'],
    ['CN=Sales,O=Corp', undefined],
    ['DC=corp,O=Corp', undefined],
    ['', undefined],
  ])('of %s is %s', (name, domain) => expect(domainOf(name)).toBe(domain));
});
