import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Evidence } from './evidence.js';
import { parseFilter } from './filter-parser.js';
import { directory, find, ldap, serviceLdif } from './ldap-source.harness.js';

const ldif = `dn: dc=corp,dc=example
objectClass: domain
dc: corp

${serviceLdif}
dn: cn=Adele,dc=corp,dc=example
objectClass: user
cn: Adele
uid: adele
mail: adele@corp.example
userPrincipalName: adele@corp.example
department: Rösti
employeeID: 1

dn: cn=Zoë,dc=corp,dc=example
objectClass: user
cn: Zoë
uid: zoë
mail: zoe@corp.example
userPrincipalName: zoë@corp.example
department: Rosti
employeeID: 2

dn: ou=Desk,cn=Adele,dc=corp,dc=example
objectClass: organizationalUnit
ou: Desk
employeeID: 3
`;

/** A directory to which accents do not matter, as to Active Directory, and lookups of every kind. */
async function answers(): Promise<(lookup: string, value: string) => Promise<unknown>> {
  const base = 'dc=corp,dc=example';
  const { port } = await directory({ ldif, ignoreAccents: true });
  const of = (lookup: object): object => ({ base, parameters: ['v'], filter: '(objectClass=*)', ...lookup });
  const source = ldap([port], {
    lookups: {
      either: of({ filter: '(&(objectClass=user)(|(mail={v})(userPrincipalName={v})))' }),
      otherwise: of({ filter: '(&(objectClass=user)(|(uid={v})(&(cn={v})(!(mail=x)))))' }),
      fallback: of({ filter: '(|(uid={v})(employeeID=1))' }),
      loosely: of({ filter: '(|(uid~={v})(cn={v}))' }),
      named: of({ base: `cn={v},${base}`, scope: 'base' }),
      below: of({ base: `cn={v},${base}`, scope: 'one' }),
      all: of({ filter: '(&(objectClass=user)(department={v}))', entries: 'many' }),
      'all-below': of({ base: `cn={v},${base}`, entries: 'many' }),
    },
  });
  return async (lookup, value) => {
    const outcome = await find(source, lookup, { v: value }, ['employeeID']);
    return outcome.kind === 'found' ? outcome.attributes.get('employeeID') : outcome.kind;
  };
}

describe('a look-alike', () => {
  it.each([
    ['either', 'ADELE@corp.example', ['1']],
    ['either', 'adéle@corp.example', 'notFound'],
    ['either', 'zoe@corp.example', ['2']],
    ['either', 'zoë@corp.example', ['2']],
    ['either', 'zoé@corp.example', 'notFound'],
    ['otherwise', 'adele', ['1']],
    ['otherwise', 'adéle', 'notFound'],
    ['fallback', 'nobody', ['1']],
    ['fallback', 'adele', ['1']],
    ['named', 'ADELE', ['1']],
    ['named', 'adéle', 'notFound'],
    ['named', 'zoe\u0308', ['2']],
    ['named', 'zoe', 'notFound'],
    ['below', 'adele', ['3']],
    ['below', 'adéle', 'notFound'],
    ['all', 'rösti', ['1']],
    ['all', 'rosti', ['2']],
    ['all', 'rósti', 'notFound'],
    ['all-below', 'adele', ['1', '3']],
    ['all-below', 'adéle', 'notFound'],
  ])('by %s, %j finds %j', async (lookup, value, expected) => {
    const ask = await answers();
    expect(await ask(lookup, value)).toEqual(expected);
  });
});

describe('evidence', () => {
  const evidence = (text: string): Evidence => {
    const parsed = parseFilter(text);
    if (parsed.kind === 'refused') throw new Error(parsed.reason);
    return Evidence.of(parsed.node);
  };

  it.each([
    ['(&(objectClass=user)(cn={v}))', ['cn']],
    ['(&(objectClass=user)(|(cn={v})(CN={w})(mail=x)(fax=*)))', ['CN', 'mail', 'fax']],
    ['(&(objectClass=user)(|(a=1)(b=2)))', []],
    ['(&(objectSid={v:sid})(!(cn={v})))', []],
    ['(cn>={v})', []],
  ])('of %s is in %j', (filter, attributes) => expect(evidence(filter).attributes).toEqual(attributes));

  it.each([
    ['(cn={v})', { cn: ['é'] }, false],
    ['(cn={v})', { cn: ['e'] }, true],
    ['(cn={v})', {}, false],
    ['(cn={v})', { cn: [Buffer.from('e')] }, false],
    ['(&(cn={v})(mail={v}))', { cn: ['é'], mail: ['e'] }, true],
    ['(&(cn={v})(mail={v}))', { cn: ['é'] }, false],
    ['(|(cn={v})(mail={v}))', { cn: ['e'] }, true],
    ['(|(cn={v})(mail={v}))', { cn: ['e'], mail: ['é'] }, false],
    ['(|(cn={v})(mail~={v}))', { cn: ['e'] }, false],
    ['(|(cn={v})(ou=x))', { cn: ['e'], ou: ['y'] }, true],
    ['(|(cn={v})(ou=x))', { cn: ['e'], ou: ['X'] }, false],
    ['(|(cn={v})(ou=*))', { cn: ['e'] }, true],
    ['(|(cn={v})(&(a=1)(b=2)))', { cn: ['e'], a: ['1'] }, true],
    ['(|(&(cn={v})(a=1))(mail={v}))', { cn: ['é'] }, false],
    ['(!(cn={v}))', { cn: ['e'] }, false],
  ] as const)('for %s an entry with %j is only alike: %j', (filter, attributes, expected) => {
    const held: Readonly<Record<string, readonly (string | Uint8Array)[] | undefined>> = attributes;
    expect(evidence(filter).isOnlyAlike(new Map([['v', 'é']]), (name) => held[name] ?? [])).toBe(expected);
  });

  it('never lets a text find an entry that has it nowhere, however alternatives are nested', () => {
    const { filter } = fc.letrec<{ filter: string; leaf: string }>((tie) => ({
      leaf: fc.constantFrom('(cn={v})', '(mail={v})', '(uid={v})'),
      filter: fc.oneof(
        { depthSize: 'small' },
        tie('leaf'),
        fc
          .tuple(fc.constantFrom('&', '|'), fc.array(tie('filter'), { minLength: 1, maxLength: 3 }))
          .map(([operator, parts]) => `(${operator}${parts.join('')})`),
      ),
    }));
    fc.assert(
      fc.property(filter, (text) => {
        expect(evidence(text).isOnlyAlike(new Map([['v', 'adéle']]), () => ['adele'])).toBe(true);
        expect(evidence(text).isOnlyAlike(new Map([['v', 'adéle']]), () => ['adele', 'ADÉLE'])).toBe(false);
      }),
    );
  });
});
