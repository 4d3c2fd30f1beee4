import { createRequire } from 'node:module';
import type { parse } from '@bufbuild/cel';

const require = createRequire(import.meta.url);
/** Loaded by the first condition, and at once, for compiling waits for nothing: it is large, and many mappings have none. */
const cel = (): { readonly parse: typeof parse } => require('@bufbuild/cel') as typeof import('@bufbuild/cel');

export interface ConditionIssue {
  readonly reason: string;
  readonly remedy?: string;
}

/** The part of CEL's syntax tree that conditions may use, without the parser's own types. */
export type Expression =
  | { readonly kind: 'constant'; readonly value: string | number | boolean }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'select'; readonly of: Expression; readonly field: string; readonly isTest: boolean }
  | { readonly kind: 'list'; readonly elements: readonly Expression[] }
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly target: Expression | undefined;
      readonly arguments: readonly Expression[];
    }
  | { readonly kind: 'unsupported'; readonly what: string };

const maximumLength = 1_000;
const maximumDepth = 24;

type ParseResult =
  | { readonly kind: 'parsed'; readonly expression: Expression }
  | { readonly kind: 'refused'; readonly issue: ConditionIssue };

type Parsed = ReturnType<typeof parse>;
type Tree = NonNullable<Parsed['expr']>;
type Macros = NonNullable<Parsed['sourceInfo']>['macroCalls'];

/** Reads CEL. The length is bounded before it is parsed, the nesting before it is walked. */
export function parseExpression(text: string): ParseResult {
  const refuse = (reason: string, remedy?: string): ParseResult => ({
    kind: 'refused',
    issue: { reason, ...(remedy !== undefined && { remedy }) },
  });
  if (text.length > maximumLength) return refuse(`is longer than ${maximumLength} characters`, 'spread it over several claims');
  if (bracketDepth(text) > maximumDepth) return refuse(`is nested more than ${maximumDepth} deep`);
  // A library that cannot be loaded is no mistake of the author.
  const { parse: parseCel } = cel();
  try {
    const { expr, sourceInfo } = parseCel(text);
    return { kind: 'parsed', expression: readTree(expr, sourceInfo?.macroCalls ?? {}, 0) };
  } catch (error) {
    if (error instanceof RangeError) return refuse(`is nested more than ${maximumDepth} deep`);
    const message = error instanceof Error ? error.message.replace(/^<input>:/, '') : 'it cannot be read';
    return refuse(`is not an expression: ${message}`, 'write a CEL expression such as subject.userType == "Member"');
  }
}

/** Brackets in texts are counted too: refusing a strange text is cheaper than a parser that recurses. */
function bracketDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const character of text) {
    if ('([{'.includes(character)) deepest = Math.max(deepest, ++depth);
    else if (')]}'.includes(character)) depth--;
  }
  return deepest;
}

function readTree(tree: Tree, macros: Macros, depth: number): Expression {
  if (depth > 4 * maximumDepth) throw new RangeError('nested too deeply');
  const inner = (next: Tree | undefined): Expression =>
    next === undefined ? { kind: 'unsupported', what: 'an empty part' } : readTree(next, macros, depth + 1);
  const macro = Object.hasOwn(macros, String(tree.id)) ? macros[String(tree.id)] : undefined;
  // A loop is read as it was written. Inside another macro's call the parser leaves a stub, of a loop or of has().
  const { exprKind } = macro && (tree.exprKind.case === 'comprehensionExpr' || tree.exprKind.case === undefined) ? macro : tree;
  switch (exprKind.case) {
    case undefined:
      return { kind: 'unsupported', what: 'an empty part' };
    case 'constExpr': {
      const { constantKind } = exprKind.value;
      if (constantKind.case === 'stringValue' || constantKind.case === 'boolValue')
        return { kind: 'constant', value: constantKind.value };
      if (constantKind.case === 'int64Value') return { kind: 'constant', value: Number(constantKind.value) };
      return { kind: 'unsupported', what: 'a constant that is no text, whole number, true or false' };
    }
    case 'identExpr':
      return { kind: 'name', name: exprKind.value.name };
    case 'selectExpr': {
      const { operand, field, testOnly } = exprKind.value;
      return { kind: 'select', of: inner(operand), field, isTest: testOnly };
    }
    case 'listExpr':
      return { kind: 'list', elements: exprKind.value.elements.map(inner) };
    case 'callExpr': {
      const { function: name, target, args } = exprKind.value;
      const [first, ...others] = args.map(inner);
      if (name === 'has' && !target && first?.kind === 'select' && others.length === 0) return { ...first, isTest: true };
      return { kind: 'call', name, target: target && inner(target), arguments: first === undefined ? [] : [first, ...others] };
    }
    case 'structExpr':
      return { kind: 'unsupported', what: 'a map' };
    case 'comprehensionExpr':
      return { kind: 'unsupported', what: 'this loop' };
  }
}
