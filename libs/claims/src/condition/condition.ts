import type { AttributeValue } from '../attributes.js';
import { TooMuchWork, type Work } from '../plan/work.js';
import { checkExpression, type Names, type Reference } from './check-expression.js';
import { Unreadable, type Call, type Frame, type Value } from './frame.js';
import { parseExpression, type ConditionIssue } from './parse-expression.js';

/** What a condition came to. `unproven`: it needs a value that is not there, and what is not known proves nothing. */
export type Verdict = 'holds' | 'fails' | 'unproven' | 'unavailable';

export type ConditionResult =
  | { readonly kind: 'compiled'; readonly condition: Condition }
  | { readonly kind: 'refused'; readonly issues: readonly ConditionIssue[] };

/**
 * A condition in CEL (Common Expression Language, https://cel.dev), compiled once. It is parsed by @bufbuild/cel; names, types and
 * costs are checked here, and it is evaluated here, over texts and lists of texts: so what is missing, unavailable, or too much work has
 * the meaning that it has everywhere else in a mapping, and only what is listed in the reference can be said.
 */
export class Condition {
  private constructor(
    /** As it is written. */
    readonly text: string,
    /** What it reads of the subject and the lookups; `evaluate` wants their values in this order. */
    readonly references: readonly Reference[],
    private readonly run: (frame: Frame) => Value,
  ) {}

  static compile(text: string, names: Names): ConditionResult {
    const parsed = parseExpression(text);
    if (parsed.kind === 'refused') return { kind: 'refused', issues: [parsed.issue] };
    const checked = checkExpression(parsed.expression, names);
    if (checked.kind === 'refused') return checked;
    return { kind: 'compiled', condition: new Condition(text, checked.references, checked.run) };
  }

  /** @param values the values behind each reference; none where the source answered that there is none */
  evaluate(values: readonly (readonly AttributeValue[])[], call: Call, work: Work): Verdict {
    try {
      const slots = this.references.map(({ as }, index) => read(values[index]!, as));
      const result = this.run({ slots, call, locals: [], work, steps: 0 });
      return result === undefined ? 'unproven' : result === true ? 'holds' : 'fails';
    } catch (error) {
      if (error instanceof Unreadable || error instanceof TooMuchWork) return 'unavailable';
      throw error;
    }
  }
}

function read(values: readonly AttributeValue[], as: Reference['as']): Value {
  if (as === 'presence') return values.length > 0;
  return as === 'list' ? texts(values) : oneText(values);
}

function texts(values: readonly AttributeValue[]): readonly string[] {
  return values.map((value) => {
    if (typeof value !== 'string') throw new Unreadable('bytes');
    return value;
  });
}

function oneText(values: readonly AttributeValue[]): string | undefined {
  const [first, ...others] = texts(values);
  if (others.length > 0) throw new Unreadable('several values');
  return first;
}
