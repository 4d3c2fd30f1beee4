import { searching, whole, type Bound, type Cost, type Transform, type TransformScope, type Values } from './transform.js';

const unbounded: Bound = { values: Infinity, bytes: Infinity };

/** What stands in for a value. */
export interface Output {
  /** It is the mapping's own text, and no value of a source. */
  readonly isText: boolean;
  give(value: string, scope: TransformScope): Values;
  bound(input: Bound): Bound;
}
export type Otherwise = Output;

export function constant(...values: readonly string[]): Output {
  return {
    isText: true,
    give: () => values,
    bound: () => ({ values: values.length, bytes: Buffer.byteLength(values[0] ?? '') }),
  };
}

export function referenced(index: number, isText: boolean): Output {
  return {
    isText,
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

export function matching(
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

export function rewriting(
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

export function whenEmpty(name: string, full: Output | undefined, empty: Output | undefined): Transform {
  return {
    name,
    yields: 'same',
    takes: 'any',
    gives: full?.isText || empty?.isText ? 'mixed' : 'same',
    catchesMissing: empty !== undefined,
    apply: (values, scope) => {
      scope.work.take(values.length);
      const present = values.filter(({ length }) => length > 0);
      return (present.length > 0 ? full : empty)?.give('', scope) ?? present;
    },
    bound: (input) => larger(full?.bound(input) ?? input, empty?.bound(input) ?? input),
  };
}
