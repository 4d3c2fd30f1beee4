import type { AttributeValue } from '../attributes.js';
import type { OtherwiseDocument, OutputDocument, TransformDocument } from '../mapping/transform-document.js';
import type { RegisteredSecret } from '../ports/secrets.js';
import { readDate, writeDate, type DateFormat } from './dates.js';
import { guidText, sidText } from './formats.js';
import { keyedHash, pseudonym } from './pseudonym.js';
import { RegularExpression } from './regular-expression.js';
import { extract, groupName, inCodePointOrder, mailPrefix, run, substring } from './text-functions.js';
import type { Work } from './work.js';

type Values = readonly AttributeValue[];

/** How many values there can be, and how many UTF-8 bytes each can have. */
export interface Bound {
  readonly values: number;
  readonly bytes: number;
}

/** What transforms of one sign-in see besides the values. */
export interface TransformScope {
  /** The values behind the claim's references, in the order in which its transforms asked for them. */
  readonly operands: readonly Values[];
  readonly tenant: string;
  /** Whom the token is for, where that is known. */
  readonly application: string | undefined;
  /** The key behind a secret: the operator's, or where only a test runs, one that anybody may know. */
  keyOf(secret: RegisteredSecret): Uint8Array;
  readonly work: Work;
}

/**
 * A compiled transform: a pure function over all values of a claim. Throws `NotTransformable` for what it cannot take, and
 * `TooMuchWork` before it would take too long.
 */
export interface Transform {
  readonly name: string;
  /** Whether it leaves a list, makes one text of it, or keeps what there was. */
  readonly yields: 'text' | 'list' | 'same';
  readonly takes: 'text' | 'bytes' | 'any';
  readonly gives: 'text' | 'same';
  /** It has something to say where there is no value. */
  readonly catchesMissing: boolean;
  apply(values: Values, scope: TransformScope): Values;
  bound(input: Bound): Bound;
}

/** A value of a source that a transform cannot take, such as bytes where text is needed. Carries no value. */
export class NotTransformable extends Error {
  constructor(readonly transform: string) {
    super(`${transform} cannot take a value of this kind`);
  }
}

/** What a transform may ask for while the mapping compiles. */
export interface TransformCompiler {
  /** The index of a reference's values in the scope. */
  operand(reference: string, path: readonly (string | number)[]): number;
  secret(name: string, path: readonly (string | number)[]): RegisteredSecret | undefined;
  refuse(path: readonly (string | number)[], reason: string, remedy?: string): void;
}

const unbounded: Bound = { values: Infinity, bytes: Infinity };

function text(transform: string, value: AttributeValue): string {
  if (typeof value !== 'string') throw new NotTransformable(transform);
  return value;
}

type TextChange = (values: readonly string[], scope: TransformScope) => Values;
interface Traits extends Partial<Pick<Transform, 'yields' | 'catchesMissing' | 'bound'>> {
  readonly cost?: Cost;
}

/** What it costs, in units of `Work`, by the number of values and of all their characters. */
type Cost = (values: number, characters: number) => number;

const reading: Cost = (values, characters) => values + characters / 8;
/** Character by character, as objects of their own. */
const spelling: Cost = (values, characters) => values + characters;
/** Comparing goes through equal beginnings again and again. */
const sorting: Cost = (values, characters) => (values + characters / 32) * Math.log2(values + 2);
const hashing: Cost = (values, characters) => 50 * values + characters / 8;
const searching =
  (...parts: readonly (string | undefined)[]): Cost =>
  (values, characters) =>
    reading(values, characters) * parts.reduce((sum, part) => sum + 1 + (part?.length ?? 0) / 256, 1);

function lengthOf(values: Values): number {
  return values.reduce((sum, { length }) => sum + length, 0);
}

/** A transform of all values at once. */
const whole = (name: string, change: TextChange, { cost = reading, ...traits }: Traits = {}): Transform => ({
  name,
  yields: 'same',
  takes: 'text',
  gives: 'text',
  catchesMissing: false,
  bound: (input) => input,
  ...traits,
  apply: (values, scope) => {
    scope.work.take(cost(values.length, lengthOf(values)));
    return change(
      values.map((value) => text(name, value)),
      scope,
    );
  },
});

/** A transform of each value by itself; an empty text is none. */
const each = (name: string, change: (value: string, scope: TransformScope) => string, traits?: Traits): Transform =>
  whole(name, (values, scope) => values.map((value) => change(value, scope)), traits);

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
  Sort: whole('Sort', (values) => values.toSorted(inCodePointOrder), { cost: sorting }),
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
    'value' in output ? constant(output.value) : referenced(compiler.operand(output.from, [...path, ...at, 'from']));
  const otherwiseOf = (otherwise: OtherwiseDocument): Otherwise => {
    if (otherwise === 'drop') return constant();
    if (otherwise === 'keep') return { bound: (input) => input, give: (value) => [value] };
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

/** What stands in for a value. */
interface Output {
  give(value: string, scope: TransformScope): Values;
  bound(input: Bound): Bound;
}
type Otherwise = Output;

function constant(...values: readonly string[]): Output {
  return { give: () => values, bound: () => ({ values: values.length, bytes: Buffer.byteLength(values[0] ?? '') }) };
}

function referenced(index: number): Output {
  return {
    give: (_value, { operands, work }) => {
      work.take(operands[index]!.length);
      return operands[index]!;
    },
    bound: () => unbounded,
  };
}

function larger(...bounds: readonly Bound[]): Bound {
  return { values: Math.max(...bounds.map(({ values }) => values)), bytes: Math.max(...bounds.map(({ bytes }) => bytes)) };
}

/** For each of the input's values, what one of the outputs gives. */
function eachOf(input: Bound, outputs: readonly Bound[]): Bound {
  const { values, bytes } = larger(...outputs);
  return { values: values === 0 ? 0 : input.values * values, bytes };
}

function join(separator: string, operands: readonly number[]): Transform {
  return whole(
    'Join',
    (values, scope) => {
      const more = operands.map((index) => scope.operands[index]!.map((value) => text('Join', value)));
      const joined = values.length + lengthOf(more.flat()) + separator.length * (values.length + more.length);
      scope.work.read(joined);
      if (values.length === 0 || more.some(({ length }) => length === 0)) return [];
      return [[values, ...more].flat().join(separator)];
    },
    {
      yields: 'text',
      bound: ({ values, bytes }) => ({
        values: 1,
        bytes: operands.length > 0 || values === Infinity ? Infinity : values * (bytes + Buffer.byteLength(separator)),
      }),
    },
  );
}

function split(separator: string): Transform {
  return whole('Split', (values) => values.flatMap((value) => value.split(separator).filter((part) => part !== '')), {
    yields: 'list',
    bound: ({ bytes }) => ({ values: Infinity, bytes }),
    cost: spelling,
  });
}

function formatBytes(kind: string): Transform {
  const write = (bytes: Uint8Array): string | undefined =>
    kind === 'guid' ? guidText(bytes) : kind === 'sid' ? sidText(bytes) : Buffer.from(bytes).toString('base64');
  return {
    name: 'Format',
    yields: 'same',
    takes: 'bytes',
    gives: 'text',
    catchesMissing: false,
    bound: (input) => ({ ...input, bytes: kind === 'guid' ? 36 : kind === 'sid' ? 184 : Math.ceil(input.bytes / 3) * 4 }),
    apply: (values, { work }) => {
      work.take(spelling(values.length, lengthOf(values)));
      return values.map((value) => {
        const written = typeof value === 'string' ? undefined : write(value);
        if (written === undefined) throw new NotTransformable('Format');
        return written;
      });
    },
  };
}

function formatDate(format: string, from: DateFormat): Transform {
  return whole(
    'Format',
    (values) =>
      values.flatMap((value) => {
        const read = readDate(value, from);
        if (read === undefined) throw new NotTransformable('Format');
        return read === 'never' ? [] : [writeDate(read, format)];
      }),
    { cost: hashing, bound: (input) => ({ ...input, bytes: Math.max(format.length, 20) }) },
  );
}

function map(table: Readonly<Record<string, string>>, otherwise: 'drop' | 'keep' | { readonly default: string }): Transform {
  const byValue = new Map(Object.entries(table).map(([from, to]) => [from.toLowerCase(), to]));
  const longest = Math.max(0, ...[...byValue.values()].map((value) => Buffer.byteLength(value)));
  return whole(
    'Map',
    (values) =>
      values.flatMap((value) => {
        const mapped = byValue.get(value.toLowerCase());
        if (mapped !== undefined) return [mapped];
        if (otherwise === 'drop') return [];
        return [otherwise === 'keep' ? value : otherwise.default];
      }),
    {
      bound: ({ values, bytes }) => ({
        values,
        bytes:
          otherwise === 'keep'
            ? Math.max(bytes, longest)
            : Math.max(longest, otherwise === 'drop' ? 0 : Buffer.byteLength(otherwise.default)),
      }),
    },
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
type TextTest = (wanted: string) => (value: string) => boolean;

const textTests = {
  contains: (wanted) => (value) => value.toLowerCase().includes(wanted),
  startsWith: (wanted) => (value) => value.toLowerCase().startsWith(wanted),
  endsWith: (wanted) => (value) => value.toLowerCase().endsWith(wanted),
} satisfies Record<string, TextTest>;

function testOf(document: TestDocument): readonly [name: string, wanted: string, test: TextTest] {
  if ('Contains' in document) return ['Contains', document.Contains, textTests.contains];
  if ('StartWith' in document) return ['StartWith', document.StartWith, textTests.startsWith];
  return ['EndWith', document.EndWith, textTests.endsWith];
}

function matching(
  name: string,
  wanted: string,
  test: (value: string) => boolean,
  then: Output | undefined,
  otherwise: Otherwise,
): Transform {
  return whole(
    name,
    (values, scope) =>
      values.flatMap((value) => (test(value) ? (then?.give(value, scope) ?? [value]) : otherwise.give(value, scope))),
    {
      cost: searching(wanted),
      bound: (input) => eachOf(input, [then?.bound(input) ?? { ...input, values: 1 }, otherwiseBound(otherwise, input)]),
    },
  );
}

function rewriting(
  name: string,
  begin: (scope: TransformScope) => (value: string) => string | undefined,
  otherwise: Otherwise,
  bound: (input: Bound) => Bound,
  cost?: Cost,
): Transform {
  return whole(
    name,
    (values, scope) => {
      const rewrite = begin(scope);
      return values.flatMap((value) => {
        const rewritten = rewrite(value);
        return rewritten === undefined ? otherwise.give(value, scope) : [rewritten];
      });
    },
    {
      bound: (input) => eachOf(input, [{ ...bound(input), values: 1 }, otherwiseBound(otherwise, input)]),
      ...(cost && { cost }),
    },
  );
}

/** For one of the input's values. */
function otherwiseBound(otherwise: Otherwise, input: Bound): Bound {
  return otherwise.bound({ ...input, values: 1 });
}

function whenEmpty(name: string, full: Output | undefined, empty: Output | undefined): Transform {
  return {
    name,
    yields: 'same',
    takes: 'any',
    gives: 'same',
    catchesMissing: empty !== undefined,
    apply: (values, scope) => {
      scope.work.take(values.length);
      const present = values.filter(({ length }) => length > 0);
      return (present.length > 0 ? full : empty)?.give('', scope) ?? present;
    },
    bound: (input) => larger(full?.bound(input) ?? input, empty?.bound(input) ?? input),
  };
}

type RegexDocument = Extract<TransformDocument, { readonly RegexReplace: string }>;

function regexReplace(
  document: RegexDocument,
  otherwise: Otherwise,
  compiler: TransformCompiler,
  path: readonly (string | number)[],
): Transform {
  const parameters = new Map(
    Object.entries(document.parameters ?? {}).map(([name, reference]) => [
      name,
      compiler.operand(reference, [...path, 'parameters', name]),
    ]),
  );
  const expression = compileExpression(document.RegexReplace, compiler, [...path, 'RegexReplace']);
  const template = document.with.split(/\{([A-Za-z_][A-Za-z0-9_]*)\}/);
  const names = template.filter((_part, index) => index % 2 === 1);
  for (const name of names)
    if (expression && !expression.groups.includes(name) && !parameters.has(name))
      compiler.refuse(
        [...path, 'with'],
        `there is neither a group nor a parameter ${name}`,
        `name a group (?<${name}>…), or add it to parameters`,
      );
  for (const name of parameters.keys())
    if (!names.includes(name))
      compiler.refuse([...path, 'parameters', name], 'is not used', `write {${name}} in with, or leave it out`);
    else if (expression?.groups.includes(name))
      compiler.refuse([...path, 'parameters', name], 'is the name of a group too', 'rename one');

  const bytes = names.length === 0 ? Buffer.byteLength(document.with) : Infinity;
  return rewriting(
    'RegexReplace',
    ({ operands, work }) => {
      const given = new Map([...parameters].map(([name, index]) => [name, oneText(operands[index]!)]));
      const isComplete = [...given.values()].every((value) => value !== undefined);
      return (value) => {
        const groups = expression!.match(value, work);
        if (groups === undefined) return undefined;
        if (!isComplete) return '';
        const parts = template.map((part, index) => (index % 2 === 0 ? part : (groups.get(part) ?? given.get(part)!)));
        work.read(lengthOf(parts));
        return parts.join('');
      };
    },
    otherwise,
    () => ({ values: 1, bytes }),
  );
}

function oneText(values: Values): string | undefined {
  const [first, ...others] = values;
  if (first === undefined) return undefined;
  if (typeof first !== 'string' || others.length > 0) throw new NotTransformable('RegexReplace');
  return first;
}

type FilterDocument = Extract<TransformDocument, { readonly Filter: unknown }>['Filter'];

function filter(
  { equals, startsWith, endsWith, contains, matches, not }: FilterDocument,
  compiler: TransformCompiler,
  path: readonly (string | number)[],
): Transform {
  const tests: ((value: string, work: Work) => boolean)[] = [];
  if (equals) {
    const wanted = new Set(equals.map((value) => value.toLowerCase()));
    tests.push((value) => wanted.has(value.toLowerCase()));
  }
  if (startsWith !== undefined) tests.push(textTests.startsWith(startsWith.toLowerCase()));
  if (endsWith !== undefined) tests.push(textTests.endsWith(endsWith.toLowerCase()));
  if (contains !== undefined) tests.push(textTests.contains(contains.toLowerCase()));
  const expression = matches === undefined ? undefined : compileExpression(matches, compiler, [...path, 'Filter', 'matches']);
  if (expression) tests.push((value, work) => expression.test(value, work));
  return whole('Filter', (values, { work }) => values.filter((value) => tests.every((test) => test(value, work)) !== not), {
    cost: searching(equals && '', startsWith, endsWith, contains),
  });
}

function compileExpression(
  pattern: string,
  compiler: TransformCompiler,
  path: readonly (string | number)[],
): RegularExpression | undefined {
  const result = RegularExpression.compile(pattern);
  if (result.kind === 'compiled') return result.expression;
  compiler.refuse(path, result.reason, result.remedy);
  return undefined;
}
