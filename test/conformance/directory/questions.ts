/**
 * Generated directories, and generated questions to them. Accepted differences, which are therefore not asked:
 *
 * - slapd: no order of `cn` and `sn` (its core schema has none; Active Directory orders every text); `~=` sounds words out; no rule
 *   for chains; no `objectGUID` of an organizational unit.
 * - Samba: an item about an attribute that does not exist, or with a value that is none of the syntax, is false and not Undefined, so
 *   its negation is true (RFC 4511 §4.5.1.7 and [MS-ADTS] say Undefined); `~=` and matching rules but its own are refused (18); texts
 *   have no order.
 * - Characters that NFKC changes: the in-process directory and slapd prepare texts (RFC 4518), Samba only folds case. The injection
 *   suite shows that nobody is found by them.
 * - `*` and what a domain adds by itself (`objectCategory`, `whenCreated`, …): attributes are asked for by name.
 */
import {
  AndFilter,
  EqualityFilter,
  ExtensibleFilter,
  GreaterThanEqualsFilter,
  LessThanEqualsFilter,
  NotFilter,
  OrFilter,
  PresenceFilter,
  SubstringFilter,
  type Filter,
} from 'ldapts';
import * as fc from 'fast-check';
import { base, directoryOf, domainSid, entry, type ServerName } from './servers.js';

/** Everything generated lies below; a real domain has more entries than these. */
export const tree = `ou=Tree,${base}`;

interface Person {
  readonly displayName: string | undefined;
  readonly department: string | undefined;
  readonly employeeID: string;
  readonly otherTelephone: readonly string[];
  readonly userAccountControl: number;
  readonly unit: string;
}

interface Group {
  readonly people: readonly number[];
  readonly groups: readonly number[];
  readonly security: boolean;
}

const units = [tree, `ou=A,${tree}`, `ou=B\\, C,ou=A,${tree}`];
const letters = [...'abABäÄé01 *()\\,#+="<>;'];

/** Directories take no empty value; one of spaces only is as good as empty. */
const text = fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 6 }).filter((value) => value.trim() !== '');
const number = fc.integer({ min: 0, max: 30 }).map(String);
const controls = [512, 514, 66_048, 4_194_816];

const person: fc.Arbitrary<Person> = fc.record({
  displayName: fc.option(text, { nil: undefined }),
  department: fc.option(fc.constantFrom('Finance', 'finance', 'Legal & Co', 'a', 'b'), { nil: undefined }),
  employeeID: number,
  otherTelephone: fc.uniqueArray(number, { maxLength: 3 }),
  userAccountControl: fc.constantFrom(...controls),
  unit: fc.constantFrom(...units),
});

const people = 60;
const groups = 15;

const group: fc.Arbitrary<Group> = fc.record({
  people: fc.uniqueArray(fc.nat(people - 1), { maxLength: 12 }),
  groups: fc.uniqueArray(fc.nat(groups - 1), { maxLength: 3 }),
  security: fc.boolean(),
});

const escaped = (value: string): string => value.replaceAll(/[^a-zA-Z0-9]/g, (each) => `\\${Buffer.from(each).toString('hex')}`);
const commonName = (index: number): string => `p, "${index}"`;
const guid = (index: number): Buffer => Buffer.from(`000000000000400080000000${index.toString(16).padStart(8, '0')}`, 'hex');

function sid(relative: number): Buffer {
  const bytes = Buffer.alloc(28);
  Buffer.from([1, 5, 0, 0, 0, 0, 0, 5]).copy(bytes);
  domainSid
    .split('-')
    .slice(3)
    .concat(String(relative))
    .forEach((part, index) => bytes.writeUInt32LE(Number(part), 8 + 4 * index));
  return bytes;
}

const groupName = (index: number): string => `cn=g${index},${tree}`;

export interface Generated {
  readonly ldif: string;
  /** Names that filters and bases may use. */
  readonly names: readonly string[];
}

/** A directory with people and nested groups, the same one for the same seed. */
export function generateDirectory(seed: number, other: Exclude<ServerName, 'in process'>): Generated {
  const shape = fc.record({
    people: fc.array(person, { minLength: people, maxLength: people }),
    groups: fc.array(group, { minLength: groups, maxLength: groups }),
  });
  const [made] = fc.sample(shape, { seed, numRuns: 1 });
  const personName = (index: number): string => `cn=${escaped(commonName(index))},${made!.people[index]!.unit}`;
  const entries = [
    // A domain numbers every entry, slapd's schema has no such attribute for these.
    ...units.map((dn, index) =>
      entry(dn, { objectClass: 'organizationalUnit', ...(other === 'Samba' && { objectGUID: guid(2_000 + index) }) }),
    ),
    ...made!.people.map(({ displayName, department, otherTelephone, ...one }, index) =>
      entry(personName(index), {
        objectClass: 'user',
        cn: commonName(index),
        sn: `s${index % 7}`,
        sAMAccountName: `p${index}`,
        objectGUID: guid(index),
        objectSid: sid(10_000 + index),
        employeeID: one.employeeID,
        userAccountControl: one.userAccountControl,
        ...(displayName !== undefined && { displayName }),
        ...(department !== undefined && { department }),
        ...(otherTelephone.length > 0 && { otherTelephone }),
      }),
    ),
    ...made!.groups.map((one, index) => {
      const members = [...one.people.map(personName), ...one.groups.filter((each) => each !== index).map(groupName)];
      return entry(groupName(index), {
        objectClass: 'group',
        cn: `g${index}`,
        sAMAccountName: `g${index}`,
        objectGUID: guid(1_000 + index),
        objectSid: sid(20_000 + index),
        groupType: one.security ? -2_147_483_640 : 8,
        ...(members.length > 0 && { member: members }),
      });
    }),
  ];
  const names = [
    ...units,
    ...made!.people.map((_, index) => personName(index)),
    ...made!.groups.map((_, index) => groupName(index)),
  ];
  return { ldif: directoryOf(...entries), names };
}

export interface Question {
  readonly base: string;
  readonly scope: 'base' | 'one' | 'sub';
  readonly attributes: readonly string[];
  readonly filter: Filter;
}

const readable = ['cn', 'sn', 'displayName', 'department', 'employeeID', 'otherTelephone', 'userAccountControl', 'objectGUID'];
const alsoReadable = [
  'objectSid',
  'member',
  'memberOf',
  'groupType',
  'sAMAccountName',
  'noSuchAttribute',
  'DISPLAYNAME',
  'MemberOf',
];

/** Questions that both the in-process directory and `other` must answer alike; what is left out is in `acceptedDifferences`. */
export function questions(other: Exclude<ServerName, 'in process'>, names: readonly string[]): fc.Arbitrary<Question> {
  const anyName = fc.oneof(
    fc.constantFrom(...names),
    fc.constantFrom(...names).map((name) => name.toUpperCase().replace(/(?<!\\),/, ' , ')),
  );
  return fc.record({
    base: fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...units) },
      { weight: 3, arbitrary: anyName },
      { weight: 1, arbitrary: fc.constant(`ou=None,${tree}`) },
    ),
    scope: fc.constantFrom('base', 'one', 'sub', 'sub', 'sub'),
    attributes: fc.oneof(
      fc.constant(['1.1']),
      fc.subarray([...readable, ...alsoReadable], { minLength: 1 }),
      fc.subarray(readable, { minLength: 1 }),
    ),
    filter: filters(other, anyName),
  });
}

function filters(other: Exclude<ServerName, 'in process'>, anyName: fc.Arbitrary<string>): fc.Arbitrary<Filter> {
  const texts = fc.constantFrom('cn', 'sn', 'displayName', 'department', 'employeeID', 'otherTelephone', 'DisplayName');
  const orderedTexts = fc.constantFrom('displayName', 'department', 'employeeID', 'otherTelephone');
  const words = fc.oneof(text, number, fc.constantFrom('FINANCE', 'legal  & CO', ' a ', 's1', 'p, "3"', 'P,  "4"'));
  const integers = fc.oneof(fc.constantFrom(...controls, -2_147_483_640, 8).map(String), number);
  const equality = fc.oneof(
    fc.record({ attribute: texts, value: words }),
    fc.record({ attribute: fc.constantFrom('userAccountControl', 'groupType'), value: integers }),
    fc.record({ attribute: fc.constantFrom('member', 'memberOf'), value: anyName }),
    fc.record({ attribute: fc.constant('objectClass'), value: fc.constantFrom('user', 'GROUP', 'organizationalUnit') }),
    fc.record({ attribute: fc.constant('objectGUID'), value: fc.nat(people).map(guid) }),
    fc.record({ attribute: fc.constant('objectSid'), value: fc.integer({ min: 9_999, max: 10_000 + people }).map(sid) }),
  );
  const order = fc.record({ attribute: fc.constantFrom('userAccountControl', 'groupType'), value: integers });
  const ordered = fc.oneof(order, ...(other === 'slapd' ? [fc.record({ attribute: orderedTexts, value: words })] : []));
  const piece = fc.string({ unit: fc.constantFrom(...letters.filter((each) => each !== ' ')), minLength: 1, maxLength: 2 });
  const substrings = fc
    .record({ attribute: texts, initial: fc.option(piece), any: fc.array(piece, { maxLength: 2 }), final: fc.option(piece) })
    .filter(({ initial, any, final }) => initial !== null || final !== null || any.length > 0)
    .map(
      ({ attribute, initial, any, final }) => new SubstringFilter({ attribute, initial: initial ?? '', any, final: final ?? '' }),
    );
  const present = fc.constantFrom(...readable, ...alsoReadable.filter((name) => other === 'slapd' || name !== 'noSuchAttribute'));
  const bits = fc.record({
    matchType: fc.constantFrom('userAccountControl', 'groupType'),
    rule: fc.constantFrom('1.2.840.113556.1.4.803', '1.2.840.113556.1.4.804'),
    value: fc.constantFrom('2', '512', '65536', '514', '2147483648', '0'),
  });
  const chain = fc.record({
    matchType: fc.constantFrom('member', 'memberOf'),
    rule: fc.constant('1.2.840.113556.1.4.1941'),
    value: anyName,
  });
  const extensible = fc.oneof(bits, other === 'slapd' ? fc.record({ matchType: texts, value: words }) : chain);
  const simple: fc.Arbitrary<Filter> = fc.oneof(
    { weight: 6, arbitrary: equality.map((options) => new EqualityFilter(options)) },
    { weight: 3, arbitrary: substrings },
    { weight: 2, arbitrary: present.map((attribute) => new PresenceFilter({ attribute })) },
    { weight: 1, arbitrary: ordered.map((options) => new GreaterThanEqualsFilter(options)) },
    { weight: 1, arbitrary: ordered.map((options) => new LessThanEqualsFilter(options)) },
    { weight: 1, arbitrary: extensible.map((options) => new ExtensibleFilter(options)) },
    ...(other === 'slapd'
      ? [{ weight: 1, arbitrary: words.map((value) => new EqualityFilter({ attribute: 'noSuchAttribute', value })) }]
      : []),
  );
  return fc.letrec<{ filter: Filter }>((tie) => ({
    filter: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      simple,
      fc.array(tie('filter'), { minLength: 1, maxLength: 3 }).map((inner) => new AndFilter({ filters: inner })),
      fc.array(tie('filter'), { minLength: 1, maxLength: 3 }).map((inner) => new OrFilter({ filters: inner })),
      tie('filter').map((inner) => new NotFilter({ filter: inner })),
    ),
  })).filter;
}
