import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { domainOf, nameValue, valuesOfName } from './distinguished-name.js';

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

describe('valuesOfName', () => {
  it.each([
    ['', []],
    ['cn=Adele,dc=corp', [['Adele'], ['corp']]],
    [' cn = Adele  Vance  , 2.5.4.11 = x ', [['Adele  Vance'], ['x']]],
    ['cn=a+uid=b,dc=corp', [['a', 'b'], ['corp']]],
    ['cn=a\\,b\\+c\\\\,dc=x', [['a,b+c\\'], ['x']]],
    ['cn=\\ a\\20,dc=x', [[' a '], ['x']]],
    ['cn=Zo\\c3\\ab', [['Zoë']]],
    ['cn=', [['']]],
    ['cn=a=b', [['a=b']]],
    ['adele', undefined],
    ['adele@corp.example', undefined],
    ['cn=a,b', undefined],
    ['cn=a\\', undefined],
    ['cn=a\\b', undefined],
    ['cn=a\\?b\\3Dc\\#d', [['a?b=c#d']]],
    ['cn=\\ff', undefined],
    ['<SID=S-1-5>', undefined],
    ['cn=a,', undefined],
  ])('of %j are %j', (name, values) => expect(valuesOfName(name)).toEqual(values));

  it('are what was written, whatever it is', () => {
    const value = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }).filter((text) => text.isWellFormed());
    fc.assert(
      fc.property(value, value, (first, second) => {
        expect(valuesOfName(`cn=${nameValue(first)},ou=${nameValue(second)},dc=x`)).toEqual([[first], [second], ['x']]);
      }),
    );
  });

  it('are told, or not, of any text', () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...'cn=,+\\ 2"#a') }), (text) => void valuesOfName(text)));
  });
});
