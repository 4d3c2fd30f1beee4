import { celMethod, CelScalar, isCelError, run } from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AttributeValue } from '../attributes.js';
import { Work } from '../plan/work.js';
import { Condition, type Verdict } from './condition.js';
import type { Call } from './frame.js';

const names = { lookups: new Set(['person', 'billing']) };

function compile(text: string): Condition {
  const result = Condition.compile(text, names);
  if (result.kind === 'refused') throw new Error(JSON.stringify(result.issues));
  return result.condition;
}

const work = (): Work => Work.ofAnswer().claim();

type Given = Readonly<Record<string, readonly AttributeValue[]>>;

/** @param given values by `scope.name`; what is left out is missing */
function evaluate(text: string, given: Given = {}, call: Call = { tenant: 't' }): Verdict {
  const condition = compile(text);
  const values = condition.references.map(({ scope, name }) => given[`${scope}.${name}`] ?? []);
  return condition.evaluate(values, call, work());
}

const member = { 'subject.userType': ['Member'], 'person.memberOf': ['CN=Admins,DC=x', 'CN=Staff,DC=x'], 'person.level': ['7'] };

describe('Condition', () => {
  it.each<[string, Verdict]>([
    ['subject.userType == "Member"', 'holds'],
    ['subject.userType != "Member"', 'fails'],
    ['subject.userType in ["Guest", "Member"]', 'holds'],
    ['person.memberOf.exists(group, group.startsWith("CN=Admins,"))', 'holds'],
    ['person.memberOf.all(group, group.startsWith("CN=Admins,"))', 'fails'],
    ['person.memberOf.exists_one(group, group.contains("Staff"))', 'holds'],
    ['person.memberOf.filter(group, group.endsWith("DC=x")).size() == 2', 'holds'],
    ['"CN=Staff,DC=x" in person.memberOf', 'holds'],
    ['!("CN=Other,DC=x" in person.memberOf)', 'holds'],
    ['size(person.memberOf) >= 2 && size(subject.userType) == 6', 'holds'],
    ['int(person.level) > 6 && -int(person.level) < 0', 'holds'],
    ['subject.userType.lowerAscii() == "member"', 'holds'],
    ['person.level.matches("^[0-9]$")', 'holds'],
    ['person.memberOf.exists(a, has(person.level) && person.memberOf.exists(b, a == b))', 'holds'],
    ['has(person.level) ? person.level == "7" : false', 'holds'],
    ['person["level"] == "7"', 'holds'],
    ['person.memberOf == ["CN=Admins,DC=x", "CN=Staff,DC=x"]', 'holds'],
    ['person.memberOf.exists(a, person.memberOf.all(b, a == b))', 'fails'],
  ])('%s: %s', (text, verdict) => {
    expect(evaluate(text, member)).toBe(verdict);
  });

  it.each<[string, Verdict]>([
    ['person.gone == "x"', 'unproven'],
    ['person.gone != "x"', 'unproven'],
    ['!(person.gone == "x")', 'unproven'],
    ['has(person.gone)', 'fails'],
    ['!has(person.gone)', 'holds'],
    ['has(person.gone) && person.gone == "x"', 'fails'],
    ['person.gone == "x" || subject.userType == "Member"', 'holds'],
    ['subject.userType == "Member" || person.gone == "x"', 'holds'],
    ['person.gone == "x" && subject.userType == "Guest"', 'fails'],
    ['person.gone == "x" && subject.userType == "Member"', 'unproven'],
    ['int(person.gone) > 3', 'unproven'],
    ['"x" in person.gone', 'fails'],
    ['person.gone.exists(value, value == "x")', 'fails'],
    ['client == "00000000-0000-0000-0000-000000000001"', 'unproven'],
  ])('what is missing proves nothing: %s: %s', (text, verdict) => {
    expect(evaluate(text, member)).toBe(verdict);
  });

  it.each([
    ['several values where one text is compared', 'person.memberOf == "CN=Staff,DC=x"'],
    ['several values on the side that does not decide', 'subject.userType == "Member" || person.memberOf == "x"'],
    ['a number that is none', 'int(subject.userType) > 3'],
  ])('%s: unavailable', (_name, text) => {
    expect(evaluate(text, member)).toBe('unavailable');
  });

  it('reads no bytes, and sees that they are there', () => {
    const bytes = { 'person.objectGUID': [Uint8Array.of(1)] };
    expect(evaluate('person.objectGUID == "x"', bytes)).toBe('unavailable');
    expect(evaluate('"x" in person.objectGUID', bytes)).toBe('unavailable');
    expect(evaluate('has(person.objectGUID)', bytes)).toBe('holds');
  });

  it('sees the call', () => {
    const call = { tenant: 't', application: 'a-1', client: 'c-1', protocol: 'SAML' };
    expect(evaluate('application == "a-1" && client in ["c-1"] && protocol != "OAUTH2.0" && tenant == "t"', {}, call)).toBe(
      'holds',
    );
  });

  it.each([
    ['subject.mail', 'has a text where true or false is needed'],
    ['subject.mial == "x"', 'the subject has no property mial'],
    ['nobody.mail == "x"', 'there is no lookup nobody'],
    ['somebody == "x"', 'there is no somebody'],
    ['person == "x"', 'has person without an attribute'],
    ['subject.userType == 1', 'has a number where a text is needed'],
    ['person.a > person.b', 'has a text where a number is needed'],
    ['person.a.matches("(?=x)")', 'its pattern uses look-around'],
    ['person.a.matches(person.b)', 'has matches with a pattern that is not a text in quotes'],
    ['person.a.map(x, x) == ["a"]', 'has map, which conditions do not have'],
    ['timestamp(person.a) == "x"', 'has timestamp, which conditions do not have'],
    ['{"a": "b"}.a == "b"', 'has .a of something that has no parts'],
    ['1.5 > 1', 'has a constant that is no text, whole number, true or false'],
    [
      'application == "3A1C9F52-6D0E-4B7A-8F11-5B2E7C4D9A01"',
      'compares an id with 3A1C9F52-6D0E-4B7A-8F11-5B2E7C4D9A01, which it never is',
    ],
    ['subject.mail ==', 'is not an expression'],
    [`${'('.repeat(200)}true${')'.repeat(200)}`, 'is nested more than 24 deep'],
    [`"${'x'.repeat(2_000)}" == "x"`, 'is longer than 1000 characters'],
    ['person.toString() == "x"', 'which conditions do not have'],
    ['constructor.name == "x"', 'there is no lookup constructor'],
  ])('refuses %s', (text, reason) => {
    const result = Condition.compile(text, names);
    expect(result.kind === 'refused' && result.issues.map((issue) => issue.reason).join('; ')).toContain(reason);
  });

  it('has no way to what JavaScript gives every value', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'then']) {
      expect(evaluate(`has(person.${name})`)).toBe('fails');
      expect(evaluate(`person.${name} == "x"`)).toBe('unproven');
      expect(Condition.compile(`person.a.${name}("x")`, names).kind).toBe('refused');
    }
  });

  it('ends what takes too long: huge lists, nested loops, patterns that were made to be slow', () => {
    const many = Array.from({ length: 5_000 }, (_, index) => `group ${index}`);
    expect(evaluate('person.a.exists(x, x == "group 4999")', { 'person.a': many })).toBe('holds');
    expect(evaluate('person.a.exists(x, person.a.exists(y, x == y && false))', { 'person.a': many })).toBe('unavailable');
    expect(evaluate('person.a.matches("^(a+)+$")', { 'person.a': [`${'a'.repeat(50_000)}!`] })).toBe('fails');
    expect(evaluate('person.a.exists(x, x.matches("^(a+)+$"))', { 'person.a': Array(500).fill('a'.repeat(5_000) + '!') })).toBe(
      'unavailable',
    );
  });

  it.each([
    ['a list in a loop', 'person.a.exists(x, x in person.b)'],
    ['a long text in a loop', 'person.a.exists(x, subject.mail.contains(x))'],
    ['a long text that is changed in a loop', 'person.a.exists(x, subject.mail.lowerAscii() == x)'],
    ['a long text that is changed back in a loop', 'person.a.exists(x, subject.mail.upperAscii() == x)'],
    ['a long text that is counted in a loop', 'person.a.exists(x, size(subject.mail) < 0)'],
    ['equal beginnings in a loop', 'person.a.exists(x, subject.mail.startsWith(subject.surname))'],
    ['equal ends in a loop', 'person.a.exists(x, subject.mail.endsWith(subject.surname))'],
    ['equal texts in a loop', 'person.a.exists(x, subject.mail == subject.givenName && false)'],
    ['lists that are equal, in a loop', 'person.a.exists(x, person.a.filter(y, true) == person.a && x == "")'],
    ['long texts and nested loops', 'person.long.exists(x, person.long.exists(y, x.contains(y) && x != y))'],
  ])('gives up on %s', (_name, text) => {
    const given = {
      'person.a': Array.from({ length: 6_000 }, (_, index) => `CN=${index},OU=Groups,DC=corp,DC=example`),
      'person.b': Array.from({ length: 6_000 }, (_, index) => `CN=${index},OU=People,DC=corp,DC=example`),
      'person.long': Array.from({ length: 140 }, (_, index) => `${'a'.repeat(100_000)}${index}`),
      'subject.mail': ['a'.repeat(60_000)],
      // Equal, and not the same text in memory.
      'subject.givenName': ['aa'.repeat(30_000)],
      'subject.surname': ['aaa'.repeat(20_000)],
    };
    expect(evaluate(text, given)).toBe('unavailable');
  });

  it('has enough for somebody in very many groups', () => {
    const groups = Array.from({ length: 6_000 }, (_, index) => `CN=Group ${index},OU=Groups,OU=Departments,DC=corp,DC=example`);
    const [wanted, list] = ['"cn=group 5999,"', JSON.stringify(Array.from({ length: 20 }, (_, index) => `CN=x${index}`))];
    const text = `person.a.exists(g, g.lowerAscii().startsWith(${wanted}) && !(g in ${list}) && !g.lowerAscii().contains("x"))`;
    expect(evaluate(text, { 'person.a': groups })).toBe('fails');
    expect(evaluate(text.replace('"x"', '"yy"'), { 'person.a': groups })).toBe('holds');
  });

  it('never throws, whatever is written', () => {
    const token = fc.constantFrom(
      'person',
      '.a',
      'subject',
      '.mail',
      '==',
      '&&',
      '||',
      '!',
      '(',
      ')',
      '[',
      ']',
      '"x"',
      '1',
      'in',
      'has(',
      'exists(x,',
      '?',
      ':',
      ',',
    );
    const text = fc.oneof(
      fc.string({ maxLength: 60, unit: 'binary' }),
      fc.array(token, { maxLength: 20 }).map((tokens) => tokens.join(' ')),
    );
    fc.assert(
      fc.property(text, (written) => {
        const result = Condition.compile(written, names);
        if (result.kind === 'compiled')
          result.condition.evaluate(
            result.condition.references.map(() => ['x', 'y']),
            { tenant: 't' },
            work(),
          );
        else expect(result.issues.length).toBeGreaterThan(0);
      }),
      { numRuns: 1_000 },
    );
  });
});

/** Expressions over texts a, b and the list l, all of which have values, so that CEL itself has an answer. */
const { bool } = fc.letrec<{ bool: string; text: string; list: string; number: string }>((tie) => ({
  text: fc.oneof(
    { withCrossShrink: true },
    fc.constantFrom('subject.mail', 'person.b', '"x"', '"y"', '"xy"'),
    fc.constant('"X".lowerAscii()'),
  ),
  list: fc.oneof(
    { withCrossShrink: true },
    fc.constantFrom('["x", "y"]', '["xy"]'),
    tie('bool').map((test) => `["x", "y", "x"].filter(e, e == "x" || ${test})`),
  ),
  number: fc.oneof(
    fc.integer({ min: -9, max: 9 }).map((value) => (value < 0 ? `(${value})` : String(value))),
    tie('list').map((list) => `size(${list})`),
  ),
  bool: fc.oneof(
    { withCrossShrink: true, maxDepth: 4 },
    fc.constantFrom('true', 'false'),
    fc.tuple(tie('text'), fc.constantFrom('==', '!='), tie('text')).map((parts) => parts.join(' ')),
    fc.tuple(tie('number'), fc.constantFrom('<', '<=', '>', '>=', '==', '!='), tie('number')).map((parts) => parts.join(' ')),
    fc.tuple(tie('text'), tie('list')).map(([text, list]) => `${text} in ${list}`),
    fc
      .tuple(tie('text'), fc.constantFrom('startsWith', 'endsWith', 'contains', 'matches'))
      .map(([text, name]) => `${text}.${name}("x")`),
    fc
      .tuple(tie('list'), fc.constantFrom('exists', 'all', 'exists_one'), tie('bool'))
      .map(([list, name, test]) => `${list}.${name}(e, e == "x" || ${test})`),
    fc.tuple(tie('bool'), fc.constantFrom('&&', '||'), tie('bool')).map(([left, sign, right]) => `(${left} ${sign} ${right})`),
    tie('bool').map((test) => `!(${test})`),
    fc.tuple(tie('bool'), tie('bool'), tie('bool')).map(([test, yes, no]) => `(${test} ? ${yes} : ${no})`),
  ),
}));

describe('conditions beside CEL’s own evaluation', () => {
  it('agree on every expression that both have', () => {
    const lowerAscii = celMethod('lowerAscii', CelScalar.STRING, [], CelScalar.STRING, function () {
      return this.toLowerCase();
    });
    fc.assert(
      fc.property(bool, fc.constantFrom('x', 'y', 'xy', 'z'), fc.constantFrom('x', 'y'), (text, mail, b) => {
        const result = Condition.compile(text, names);
        // Deep expressions are refused here only.
        if (result.kind === 'refused') return;
        const values = result.condition.references.map(({ scope }) => [scope === 'subject' ? mail : b]);
        const theirs = run(
          text,
          { subject: { mail }, person: { b } },
          { funcs: [...strings.filter(({ name }) => name !== 'lowerAscii'), lowerAscii] },
        );
        if (isCelError(theirs)) throw theirs;
        expect(result.condition.evaluate(values, { tenant: 't' }, work())).toBe(theirs === true ? 'holds' : 'fails');
      }),
      { numRuns: 1_000 },
    );
  });
});
