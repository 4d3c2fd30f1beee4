import type { OtherwiseDocument, OutputDocument, TransformDocument } from '../mapping/transform-document.js';
import { constant, matching, referenced, rewriting, whenEmpty, type Otherwise, type Output } from './choosing-transforms.js';
import { keyedHash, pseudonym } from './pseudonym.js';
import { filter, regexReplace } from './regex-transforms.js';
import { extract, groupName, inCodePointOrder, mailPrefix, run, substring, textTests, type TextTest } from './text-functions.js';
import {
  NotTransformable,
  each,
  hashing,
  searching,
  sorting,
  spelling,
  whole,
  type Bound,
  type Transform,
  type TransformCompiler,
} from './transform.js';
import { formatBytes, formatDate, join, map, split } from './value-transforms.js';

/** Letters can grow when their case changes: ŉ has two bytes and its upper case three. */
const growing = (input: Bound): Bound => ({ ...input, bytes: input.bytes * 3 });

const plain: Readonly<Record<Extract<TransformDocument, string>, Transform>> = {
  ToLowercase: each('ToLowercase', (value) => value.toLowerCase(), { bound: growing }),
  ToUppercase: each('ToUppercase', (value) => value.toUpperCase(), { bound: growing }),
  ExtractMailPrefix: each('ExtractMailPrefix', mailPrefix),
  GroupName: each('GroupName', groupName, { bound: growing, cost: spelling }),
  First: {
    name: 'First',
    yields: 'text',
    takes: 'any',
    gives: 'same',
    catchesMissing: false,
    apply: (values) => values.slice(0, 1),
    bound: (input) => ({ ...input, values: Math.min(1, input.values) }),
  },
  Sort: whole('Sort', inCodePointOrder, { cost: sorting }),
  Unique: whole('Unique', (values) => [...new Set(values)]),
};

/** The transform that a document describes. What is wrong with it is told to the compiler, at the given path. */
export function compileTransform(
  document: TransformDocument,
  compiler: TransformCompiler,
  path: readonly (string | number)[],
): Transform {
  if (typeof document === 'string') return plain[document];
  const outputOf = (output: OutputDocument, ...at: string[]): Output =>
    'value' in output
      ? constant(output.value)
      : referenced(compiler.operand(output.from, [...path, ...at, 'from']), output.from.startsWith('subject.'));
  const otherwiseOf = (otherwise: OtherwiseDocument): Otherwise => {
    if (otherwise === 'drop') return constant();
    if (otherwise === 'keep') return { isText: true, bound: (input) => input, give: (value) => [value] };
    return 'default' in otherwise ? constant(otherwise.default) : outputOf(otherwise, 'otherwise');
  };
  if ('Join' in document)
    return join(
      document.Join,
      (document.with ?? []).map((with_, index) => compiler.operand(with_, [...path, 'with', index])),
    );
  if ('Split' in document) return split(document.Split);
  if ('Format' in document) return 'from' in document ? formatDate(document.Format, document.from) : formatBytes(document.Format);
  if ('Map' in document) return map(document.Map, document.otherwise);
  if ('Contains' in document || 'StartWith' in document || 'EndWith' in document) {
    const [name, wanted, test] = testOf(document);
    return matching(
      name,
      wanted,
      test(wanted.toLowerCase()),
      document.then && outputOf(document.then, 'then'),
      otherwiseOf(document.otherwise),
    );
  }
  if ('Extract' in document) {
    const { after, before } = document.Extract;
    return rewriting(
      'Extract',
      () => (value) => extract(value, after, before),
      otherwiseOf(document.otherwise),
      (input) => input,
      searching(after, before),
    );
  }
  if ('ExtractAlpha' in document)
    return each('ExtractAlpha', (value) => run(value, 'letters', document.ExtractAlpha), { cost: spelling });
  if ('ExtractNumeric' in document)
    return each('ExtractNumeric', (value) => run(value, 'digits', document.ExtractNumeric), { cost: spelling });
  if ('IfEmpty' in document) return whenEmpty('IfEmpty', undefined, outputOf(document.IfEmpty, 'IfEmpty'));
  if ('IfNotEmpty' in document)
    return whenEmpty(
      'IfNotEmpty',
      outputOf(document.IfNotEmpty, 'IfNotEmpty'),
      document.otherwise && outputOf(document.otherwise, 'otherwise'),
    );
  if ('Substring' in document) {
    const { start, length } = document.Substring;
    return each('Substring', (value) => substring(value, start, length), {
      cost: spelling,
      bound: (input) => ({ ...input, bytes: Math.min(input.bytes, length === undefined ? Infinity : 4 * length) }),
    });
  }
  if ('RegexReplace' in document) return regexReplace(document, otherwiseOf(document.otherwise), compiler, path);
  if ('Filter' in document) return filter(document.Filter, compiler, path);
  if ('Hash' in document) {
    const secret = compiler.secret(document.secret, [...path, 'secret']);
    const bytes = document.Hash === 'sha256' ? 64 : 128;
    return each('Hash', (value, scope) => keyedHash(document.Hash, scope.keyOf(secret!), value), {
      cost: hashing,
      bound: (input) => ({ ...input, bytes }),
    });
  }
  const secret = compiler.secret(document.Pairwise, [...path, 'Pairwise']);
  return each(
    'Pairwise',
    (value, scope) => {
      const { tenant, application } = scope;
      if (application === undefined) throw new NotTransformable('Pairwise');
      return pseudonym(scope.keyOf(secret!), tenant, application, value);
    },
    { cost: hashing, bound: (input) => ({ ...input, bytes: 43 }) },
  );
}

type TestDocument = Extract<
  TransformDocument,
  { readonly otherwise?: unknown } & (
    | { readonly Contains: string }
    | { readonly StartWith: string }
    | { readonly EndWith: string }
  )
>;

function testOf(document: TestDocument): readonly [name: string, wanted: string, test: TextTest] {
  if ('Contains' in document) return ['Contains', document.Contains, textTests.contains];
  if ('StartWith' in document) return ['StartWith', document.StartWith, textTests.startsWith];
  return ['EndWith', document.EndWith, textTests.endsWith];
}
