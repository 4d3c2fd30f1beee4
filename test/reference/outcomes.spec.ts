import { readFile } from 'node:fs/promises';
import path from 'node:path';
import {
  Attributes,
  Deadline,
  ambiguous,
  compileMapping,
  found,
  notFound,
  resolveClaims,
  unavailable,
  type Outcome,
  type Resolution,
  type Subject,
} from '#claims';
import { FakeSource } from '#testing';
import { describe, expect, it } from 'vitest';

const page = await readFile(path.resolve(import.meta.dirname, '../../docs/reference/outcomes.md'), 'utf8');

/** The rows of the table whose head begins with `first`, cell by cell, without code marks. */
function table(first: string): readonly (readonly string[])[] {
  const lines = page.split('\n');
  const head = lines.findIndex((line) => line.startsWith(`| ${first}`));
  const body = lines.slice(head + 2);
  const rows = body.slice(
    0,
    body.findIndex((line) => !line.startsWith('|')),
  );
  return [lines[head]!, ...rows].map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim().replaceAll('`', '')),
  );
}

const attributes = (name: string, ...values: string[]): Attributes => new Attributes([[name, values]]);
const value = (text: string): Outcome => found(attributes('x', text));
const minutes = (count: number): number => count * 60_000;
const known = (names: Attributes, age: number): Outcome => ({ ...unavailable('timeout'), lastKnown: { attributes: names, age } });

/** It has not answered when the deadline passes. */
const late = 'late';

interface Situation {
  readonly main: Outcome | typeof late;
  readonly fallback?: Outcome;
  readonly subject?: Subject | 'none';
  /** The lookup gets its parameter from another one that ended so. */
  readonly input?: { readonly outcome: Outcome; readonly fallback?: Outcome; readonly accept?: boolean };
  /** The claim has a condition, which may read another lookup that ended so. */
  readonly when?: { readonly text: string; readonly outcome?: Outcome; readonly fallback?: Outcome };
  readonly transform?: readonly unknown[];
}

const situations: Record<string, Situation> = {
  'found, with a value': { main: value('value') },
  'found, without a value': { main: found(attributes('y', 'other')) },
  'notFound(noEntry)': { main: notFound('noEntry') },
  'notFound(excluded)': { main: notFound('excluded') },
  'notFound(noKey)': { main: value('never asked'), subject: {} },
  'notFound(noSubject)': { main: value('never asked'), subject: 'none' },
  ambiguous: { main: ambiguous },
  'ambiguous, its fallback found a value': { main: ambiguous, fallback: value('fallback') },
  'found, several values for a text claim': { main: found(attributes('x', 'one', 'two')) },
  unavailable: { main: unavailable('timeout') },
  'unavailable, last known value 30 min old': { main: known(attributes('x', 'last known'), minutes(30)) },
  'unavailable, last known value 2 h old': { main: known(attributes('x', 'last known'), minutes(120)) },
  'unavailable, last known without a value': { main: known(attributes('y', 'other'), minutes(30)) },
  'unavailable, its fallback found a value': { main: unavailable('timeout'), fallback: value('fallback') },
  'unavailable, its fallback found nobody': { main: unavailable('timeout'), fallback: notFound('noEntry') },
  'unavailable, its fallback too': { main: unavailable('timeout'), fallback: unavailable('connection') },
  'not answered by the deadline': { main: late },
  'not answered by the deadline, its fallback found a value': { main: late, fallback: value('fallback') },
  'its input was missing': { main: value('never asked'), input: { outcome: notFound('noEntry') } },
  'its input was unavailable': { main: value('never asked'), input: { outcome: unavailable('timeout') } },
  'its input was ambiguous': { main: value('never asked'), input: { outcome: ambiguous } },
  'its input was unavailable, both last known': {
    main: known(attributes('x', 'last known'), minutes(30)),
    input: { outcome: known(attributes('key', 'k'), minutes(10)) },
  },
  'its input came from a fallback': {
    main: value('never asked'),
    input: { outcome: unavailable('timeout'), fallback: found(attributes('key', 'k')) },
  },
  'its input came from a fallback, which it accepts': {
    main: value('degraded value'),
    input: { outcome: unavailable('timeout'), fallback: found(attributes('key', 'k')), accept: true },
  },
};

const gate = 'gate.x == "open"';
const open = attributes('x', 'open');
const ifEmpty = [{ IfEmpty: { value: 'IfEmpty' } }];
Object.assign(situations, {
  'found without a value, and IfEmpty': { main: found(attributes('y', 'other')), transform: ifEmpty },
  'notFound(noEntry), and IfEmpty': { main: notFound('noEntry'), transform: ifEmpty },
  'unavailable, and IfEmpty': { main: unavailable('timeout'), transform: ifEmpty },
  'its condition is true': { main: value('value'), when: { text: gate, outcome: found(open) } },
  'its condition is false': { main: value('value'), when: { text: gate, outcome: value('shut') } },
  'its condition is false, its lookup unavailable': {
    main: unavailable('timeout'),
    when: { text: gate, outcome: value('shut') },
  },
  'its condition needs a value that is missing': { main: value('value'), when: { text: gate, outcome: notFound('noEntry') } },
  'its condition’s lookup was unavailable': { main: value('value'), when: { text: gate, outcome: unavailable('timeout') } },
  'its condition’s lookup was unavailable, and did not matter': {
    main: value('value'),
    when: { text: `has(subject.mail) || ${gate}`, outcome: unavailable('timeout') },
  },
  'its condition’s lookup was ambiguous': { main: value('value'), when: { text: gate, outcome: ambiguous } },
  'its condition’s lookup was unavailable, last known 30 min old': {
    main: value('value'),
    when: { text: gate, outcome: known(open, minutes(30)) },
  },
  'its condition’s lookup was unavailable, its fallback found a value': {
    main: value('value'),
    when: { text: gate, outcome: unavailable('timeout'), fallback: found(open) },
  },
} satisfies Record<string, Situation>);

async function resolve(
  situation: Situation,
  whenUnavailable: unknown,
  whenMissing: unknown,
  accept: boolean,
): Promise<Resolution> {
  const {
    main,
    fallback,
    input,
    when,
    transform = [],
    subject = { id: 'u', mail: 'ada@corp.example', onPremisesUserPrincipalName: 'ada@corp.example' },
  } = situation;
  const answers = (outcome: Outcome | typeof late | undefined): object => ({
    parameters: ['p'],
    answer: () => (outcome === late ? new Promise(() => undefined) : (outcome ?? unavailable('refused'))),
  });
  const sources = new Map(
    [
      new FakeSource('a', { main: answers(main), input: answers(input?.outcome), gate: answers(when?.outcome) }),
      new FakeSource('b', { main: answers(fallback), input: answers(input?.fallback), gate: answers(when?.fallback) }),
    ].map((source) => [source.name, { source, tenants: new Set(['t']) }]),
  );
  const keepLastKnown = '1h';
  const stale = typeof whenUnavailable === 'object' && whenUnavailable !== null && 'stale' in whenUnavailable;
  const mainFallback = fallback || (accept && !input) ? { fallback: ['b.main'] } : {};
  const inputFallback = input?.fallback ? { fallback: ['b.input'] } : {};
  // What only another column uses has to be used by something, or the mapping does not compile.
  const witness = {
    ...(fallback && { w2: { from: 'main.x', acceptDegraded: true, whenUnavailable: 'omit' } }),
    ...(when?.fallback && { w3: { from: 'gate.x', acceptDegraded: true, whenUnavailable: 'omit' } }),
    ...(input?.fallback && { w1: { from: 'input.key', acceptDegraded: true, whenUnavailable: 'omit' } }),
  };
  const acceptable = accept && (!input || input.accept);
  const document = {
    name: 'm',
    tenant: 't',
    applications: ['00000000-0000-0000-0000-000000000001'],
    lookups: {
      main: {
        use: 'a.main',
        with: { p: input ? 'input.key' : 'subject.onPremisesUserPrincipalName' },
        ...(stale && { keepLastKnown }),
        ...mainFallback,
        ...(input?.accept && { acceptDegraded: true }),
      },
      ...(input && {
        input: {
          use: 'a.input',
          with: { p: 'subject.onPremisesUserPrincipalName' },
          ...(stale && { keepLastKnown }),
          ...inputFallback,
        },
      }),
      ...(when && {
        gate: {
          use: 'a.gate',
          with: { p: 'subject.onPremisesUserPrincipalName' },
          ...(stale && { keepLastKnown }),
          ...(when.fallback && { fallback: ['b.gate'] }),
        },
      }),
    },
    claims: {
      c: {
        from: 'main.x',
        ...(when && { when: when.text }),
        transform,
        whenUnavailable,
        whenMissing,
        ...(acceptable && { acceptDegraded: true }),
      },
      ...witness,
    },
  };
  const compiled = compileMapping(document, 'r', { tenants: new Set(['t']), sources });
  if (compiled.kind === 'refused') throw new Error(JSON.stringify(compiled.issues));
  using deadline = new Deadline(main === late ? 20 : 60_000);
  return await resolveClaims(compiled.plan, subject === 'none' ? undefined : subject, deadline);
}

/** In the words of the page. */
function said(resolution: Resolution): string {
  if (resolution.kind === 'failed') return '503';
  const claim = resolution.claims.get('c');
  return claim === undefined ? 'omitted' : String(claim);
}

const policies: Readonly<Record<string, unknown>> = {
  fail: 'fail',
  omit: 'omit',
  default: { default: 'default' },
  stale: { stale: '1h', then: 'fail' },
  acceptDegraded: 'fail',
};

describe('outcome × policy → claim', () => {
  const [head, ...rows] = table('what became of the lookup');
  const cells = rows.flatMap(([situation, ...results]) =>
    results.map((result, index) => [situation!, head![index + 1]!, result] as const),
  );

  it('has every situation, and every policy', () => {
    expect(rows.map(([situation]) => situation)).toEqual(Object.keys(situations));
    expect(head!.slice(1)).toEqual(Object.keys(policies));
  });

  it.each(cells)('%s, %s: %s', async (situation, policy, result) => {
    const run = (whenMissing: unknown): Promise<Resolution> =>
      resolve(situations[situation]!, policies[policy], whenMissing, policy === 'acceptDegraded');
    const treatments = table('`whenMissing`').slice(1);
    for (const [whenMissing, treatment] of treatments) {
      const expected = result === 'missing' ? treatment : result;
      expect(said(await run(whenMissing === 'default' ? { default: 'default' } : whenMissing)), whenMissing).toBe(expected);
    }
  });
});
