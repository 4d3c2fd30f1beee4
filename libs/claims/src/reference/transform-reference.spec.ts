import { describe, expect, it } from 'vitest';
import { Condition } from '../condition/condition.js';
import { mappingJsonSchema } from '../mapping/mapping-document.js';
import { transformDocument } from '../mapping/transform-document.js';
import { Work } from '../plan/work.js';
import { compileTransform } from '../plan/compile-transform.js';
import { conditionReference, transformReference } from './transform-reference.js';

const key = new TextEncoder().encode('0123456789abcdef0123456789abcdef');

describe('the reference of the language', () => {
  it('describes every transform of the schema, and no other', () => {
    const { transform } = (mappingJsonSchema() as { $defs: { transform: { anyOf: { enum?: string[]; required?: string[] }[] } } })
      .$defs;
    const names = transform.anyOf.flatMap((form) => form.enum ?? [form.required![0]!]);
    expect(transformReference.map(({ name }) => name).toSorted()).toEqual([...new Set(names)].toSorted());
  });

  it.each(transformReference.map(({ name, example }) => [name, example] as const))(
    '%s does what its example says',
    (_name, example) => {
      const transform = compileTransform(
        transformDocument.parse(example.transform),
        {
          operand: () => 0,
          secret: () => ({ tenants: new Set(['contoso']), value: () => key }),
          refuse: (_path, reason) => {
            throw new Error(reason);
          },
        },
        [],
      );
      const scope = { operands: [], tenant: 'contoso', application: 'an-application', keyOf: () => key, work: Work.ofAnswer() };
      expect(transform.apply(example.from, scope)).toEqual(example.to);
    },
  );

  it.each(conditionReference.map(([form]) => form))('%s is a condition', (form) => {
    expect(Condition.compile(form, { lookups: new Set(['person']) })).toMatchObject({ kind: 'compiled' });
  });
});
