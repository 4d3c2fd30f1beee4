import { FakeSource } from '#testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { StoredMapping } from '../ports/mapping-store.js';
import { MappingSnapshot, type Selection } from './mapping-snapshot.js';

const applications = [
  '3a1c9f52-6d0e-4b7a-8f11-5b2e7c4d9a01',
  '3a1c9f52-6d0e-4b7a-8f11-5b2e7c4d9a02',
  '3a1c9f52-6d0e-4b7a-8f11-5b2e7c4d9a03',
];
const clients = ['3a1c9f52-6d0e-4b7a-8f11-5b2e7c4d9b01', '3a1c9f52-6d0e-4b7a-8f11-5b2e7c4d9b02'];

const lookups = { user: { locate: [{ key: 'id' as const, when: {}, fallThrough: false }] } };
const context = {
  tenants: new Set(['contoso', 'fabrikam']),
  sources: new Map([['ad', { source: new FakeSource('ad', lookups), tenants: new Set(['contoso', 'fabrikam']) }]]),
};

const mapping = fc
  .record(
    {
      name: fc.constantFrom('m1', 'm2', 'm3', 'm4'),
      tenant: fc.constantFrom('contoso', 'contoso', 'contoso', 'fabrikam'),
      applications: fc.oneof(fc.uniqueArray(fc.constantFrom(...applications), { minLength: 1 }), fc.constant(['*'])),
      clients: fc.uniqueArray(fc.constantFrom(...clients), { minLength: 1 }),
      from: fc.constantFrom('person.a', 'person.b', 'subject.id', 'subject.nobody'),
    },
    { requiredKeys: ['name', 'tenant', 'applications', 'from'] },
  )
  .map(({ from, ...document }) => ({
    ...document,
    ...(from.startsWith('person') && { lookups: { person: { use: 'ad.user' } } }),
    claims: { c: { from } },
  }));

const stored = (document: { readonly tenant: string; readonly name: string }, revision: string): StoredMapping => ({
  origin: `${document.tenant}/${document.name}`,
  revision,
  content: { kind: 'document', document },
});

const shown = (selection: Selection): object =>
  selection.kind === 'mapping'
    ? {
        mapping: selection.plan.mapping,
        revision: selection.plan.revision,
        projections: selection.plan.lookups.map(({ projection }) => projection),
      }
    : selection;

it('a document beside those in force is selected, refused and linked as if all of them were compiled with it', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(mapping, { maxLength: 6, selector: ({ tenant, name }) => `${tenant}/${name}` }),
      mapping,
      fc.constantFrom(...applications),
      fc.option(fc.constantFrom(...clients), { nil: undefined }),
      (documents, candidate, application, client) => {
        const present = documents.map((each) => stored(each, 'present'));
        const snapshot = MappingSnapshot.compile(present, context);
        // What a document that is refused now would become is another question.
        fc.pre(snapshot.problems.length === 0);
        const tried = stored(candidate, 'tried');
        const others = present.filter(({ origin }) => origin !== tried.origin);
        const whole = MappingSnapshot.compile([...others, tried], context);
        const selector = { tenant: candidate.tenant, application, ...(client && { client }) };

        const beside = snapshot.selectBeside(tried, context, selector);
        const problem = whole.problems.find(({ origin }) => origin === tried.origin);
        if (problem) expect(beside).toEqual({ kind: 'refused', issues: problem.issues });
        else if (
          beside.kind === 'selected' &&
          beside.selection.kind === 'mapping' &&
          beside.selection.plan.mapping !== candidate.name
        )
          expect(shown(beside.selection)).toMatchObject({
            mapping: (shown(whole.select(selector)) as { mapping: string }).mapping,
          });
        else expect(beside.kind === 'selected' && shown(beside.selection)).toEqual(shown(whole.select(selector)));
        expect(snapshot.stored).toEqual(present);
      },
    ),
    { numRuns: 2_000 },
  );
});

it('what is refused stays refused, but for the document itself', () => {
  const [first, second] = applications as [string, string];
  const broken = { name: 'broken', tenant: 'contoso', applications: [first], claims: { c: { from: 'nobody.x' } } };
  const snapshot = MappingSnapshot.compile([stored(broken, 'r')], context);
  const selector = { tenant: 'contoso', application: first };
  const mended = { ...broken, claims: { c: { from: 'subject.id' } } };
  expect(snapshot.selectBeside(stored(mended, 'r2'), context, selector)).toMatchObject({ selection: { kind: 'mapping' } });
  const other = { ...mended, name: 'other' };
  expect(snapshot.selectBeside(stored(other, 'r3'), context, selector)).toMatchObject({ selection: { kind: 'invalid' } });
  const elsewhere = { ...other, applications: [second] };
  expect(snapshot.selectBeside(stored(elsewhere, 'r4'), context, { ...selector, application: second })).toMatchObject({
    selection: { kind: 'mapping' },
  });
});
