import type { TransformDocument } from '../mapping/transform-document.js';
import { rewriting, type Otherwise } from './choosing-transforms.js';
import { RegularExpression } from './regular-expression.js';
import { textTests } from './text-functions.js';
import {
  NotTransformable,
  lengthOf,
  searching,
  whole,
  type Transform,
  type TransformCompiler,
  type Values,
} from './transform.js';
import type { Work } from './work.js';

type RegexDocument = Extract<TransformDocument, { readonly RegexReplace: string }>;

export function regexReplace(
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

export function filter(
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
