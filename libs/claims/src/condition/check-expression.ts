import { RegularExpression } from '../plan/regular-expression.js';
import type { Work } from '../plan/work.js';
import { subjectProperties } from '../subject.js';
import { Unreadable, step, type Call, type Frame, type Value } from './frame.js';
import type { ConditionIssue, Expression } from './parse-expression.js';

/** What a condition can refer to. */
export interface Names {
  readonly lookups: ReadonlySet<string>;
}

/** One value that a condition reads. */
export interface Reference {
  /** `subject` or a lookup's alias. */
  readonly scope: string;
  readonly name: string;
  /** How it is read, which its place in the expression decides: as one text, as a list, or only whether it is there. */
  readonly as: 'text' | 'list' | 'presence';
}

type Type = 'bool' | 'text' | 'number' | 'list';

/** A checked part of an expression. */
interface Typed {
  readonly type: Type;
  /** Takes what it costs from the frame's work: loops run it once for each value. */
  readonly run: (frame: Frame) => Value;
  /** An id of the call: always in lower case. */
  readonly isId?: true;
  /** A constant, so that it can be checked. */
  readonly constant?: string | readonly string[];
}

type Checked =
  | { readonly kind: 'checked'; readonly references: readonly Reference[]; readonly run: (frame: Frame) => Value }
  | { readonly kind: 'refused'; readonly issues: readonly ConditionIssue[] };

const words = ['tenant', 'application', 'client', 'extension', 'protocol'] as const satisfies readonly (keyof Call)[];
const ids: ReadonlySet<string> = new Set(['application', 'client', 'extension']);
const loops = ['exists', 'all', 'exists_one', 'filter'];

/** Checks names and types, and makes the expression a function. Every issue is found, not the first only. */
export function checkExpression(expression: Expression, names: Names): Checked {
  const checker = new Checker(names);
  const typed = checker.check(expression, 'bool');
  if (checker.issues.length > 0) return { kind: 'refused', issues: checker.issues };
  return { kind: 'checked', references: checker.references, run: typed.run };
}

class Checker {
  readonly issues: ConditionIssue[] = [];
  readonly references: Reference[] = [];
  private readonly locals: string[] = [];

  constructor(private readonly names: Names) {}

  /** Stands where a part was refused, so that the rest is still checked. */
  private refuse(type: Type, reason: string, remedy?: string): Typed {
    this.issues.push({ reason, ...(remedy !== undefined && { remedy }) });
    return { type, run: () => undefined };
  }

  /** @param wanted what the place asks for: an attribute is a list or one text accordingly, and text where it asks for neither */
  check(expression: Expression, wanted?: Type): Typed {
    const typed = this.typed(expression, wanted);
    if (wanted === undefined || typed.type === wanted) return typed;
    return this.refuse(
      wanted,
      `has ${named[typed.type]} where ${named[wanted]} is needed`,
      'compare it with something, as in a == b',
    );
  }

  private typed(expression: Expression, wanted: Type | undefined): Typed {
    switch (expression.kind) {
      case 'constant': {
        const { value } = expression;
        const type = typeof value === 'string' ? 'text' : typeof value === 'number' ? 'number' : 'bool';
        return { type, run: () => value, ...(typeof value === 'string' && { constant: value }) };
      }
      case 'list':
        return this.list(expression.elements);
      case 'name':
        return this.name(expression.name);
      case 'select':
        return this.select(expression.of, expression.field, expression.isTest, wanted);
      case 'call':
        return this.call(expression, wanted);
      case 'unsupported':
        return this.refuse(wanted ?? 'bool', `has ${expression.what}, which conditions do not have`);
    }
  }

  private list(elements: readonly Expression[]): Typed {
    const constants = elements.flatMap((element) =>
      element.kind === 'constant' && typeof element.value === 'string' ? [element.value] : [],
    );
    if (constants.length < elements.length) return this.refuse('list', 'has a list of something else than texts in quotes');
    return { type: 'list', run: () => constants, constant: constants };
  }

  private name(name: string): Typed {
    const depth = this.locals.lastIndexOf(name);
    if (depth >= 0) return { type: 'text', run: ({ locals }) => locals[depth] };
    const word = words.find((candidate) => candidate === name);
    if (word) return { type: 'text', run: ({ call }) => call[word], ...(ids.has(word) && { isId: true as const }) };
    if (name === 'subject' || this.names.lookups.has(name))
      return this.refuse(
        'text',
        `has ${name} without ${name === 'subject' ? 'a property' : 'an attribute'}`,
        `write ${name}.something`,
      );
    return this.refuse('text', `there is no ${name}`, `there are ${['subject', ...words, ...this.names.lookups].join(', ')}`);
  }

  private select(of: Expression, field: string, isTest: boolean, wanted: Type | undefined): Typed {
    if (of.kind !== 'name' || this.locals.includes(of.name))
      return this.refuse(wanted ?? 'text', `has .${field} of something that has no parts`);
    const slot = this.slot(of.name, field, isTest ? 'presence' : wanted === 'list' ? 'list' : 'text');
    if (slot === undefined) return { type: wanted ?? 'text', run: () => undefined };
    if (isTest) return { type: 'bool', run: ({ slots }) => slots[slot] };
    return { type: wanted === 'list' ? 'list' : 'text', run: ({ slots }) => slots[slot] };
  }

  /** Where the value of a reference will be found. */
  private slot(scope: string, name: string, as: Reference['as']): number | undefined {
    if (scope === 'subject' && !(subjectProperties as readonly string[]).includes(name)) {
      this.refuse('text', `the subject has no property ${name}`, `it has ${subjectProperties.join(', ')}`);
      return undefined;
    }
    if (scope !== 'subject' && !this.names.lookups.has(scope)) {
      this.refuse('text', `there is no lookup ${scope}`, `there are ${['subject', ...this.names.lookups].join(', ')}`);
      return undefined;
    }
    const known = this.references.findIndex(
      (other) => other.scope === scope && other.as === as && other.name.toLowerCase() === name.toLowerCase(),
    );
    return known >= 0 ? known : this.references.push({ scope, name, as }) - 1;
  }

  private call(call: Extract<Expression, { kind: 'call' }>, wanted: Type | undefined): Typed {
    const {
      name,
      target,
      arguments: [first, second, third],
    } = call;
    const given = call.arguments.length;
    if (name === '_[_]' && first?.kind === 'name' && second?.kind === 'constant' && typeof second.value === 'string')
      return this.select(first, second.value, false, wanted);
    if (target && loops.includes(name) && first?.kind === 'name' && second && given === 2)
      return this.loop(name, target, first.name, second);
    if (name === '!_' && first) return this.negation(this.check(first, 'bool'));
    if ((name === '_&&_' || name === '_||_') && first && second)
      return junction(name === '_||_', this.check(first, 'bool'), this.check(second, 'bool'));
    if (name === '_?_:_' && first && second && third) return this.choice(first, second, third, wanted);
    if ((name === '_==_' || name === '_!=_') && first && second) return this.equality(first, second, name === '_!=_');
    if (name === '@in' && first && second) return this.membership(first, second);
    if (Object.hasOwn(orders, name) && first && second) {
      const [left, right] = [this.check(first, 'number'), this.check(second, 'number')];
      return { type: 'bool', run: both(left, right, (a, b) => orders[name]!(a as number, b as number)) };
    }
    if (name === '-_' && first) {
      const of = this.check(first, 'number');
      return { type: 'number', run: one(of, (value) => -(value as number)) };
    }
    if (name === 'size' && given === (target ? 0 : 1)) return this.size((target ?? first)!);
    if (name === 'int' && !target && first && given === 1)
      return { type: 'number', run: one(this.check(first, 'text'), wholeNumber) };
    if (target && first && given === 1) {
      if (name === 'matches') return this.matches(target, first);
      if (Object.hasOwn(textTests, name)) {
        const test = textTests[name]!;
        return {
          type: 'bool',
          run: both(this.check(target, 'text'), this.check(first, 'text'), (a, b, { work }) =>
            test(a as string, b as string, work),
          ),
        };
      }
    }
    if (target && given === 0 && Object.hasOwn(textChanges, name)) {
      const change = textChanges[name]!;
      return {
        type: 'text',
        run: one(this.check(target, 'text'), (value, { work }) => {
          work.read((value as string).length);
          return change(value as string);
        }),
      };
    }
    return this.refuse(wanted ?? 'bool', `has ${readable(name)}, which conditions do not have, or not so`, `they have ${known}`);
  }

  private negation(of: Typed): Typed {
    return { type: 'bool', run: one(of, (value) => value === false) };
  }

  private choice(test: Expression, then: Expression, otherwise: Expression, wanted: Type | undefined): Typed {
    const condition = this.check(test, 'bool');
    const yes = this.check(then, wanted);
    const no = this.check(otherwise, wanted ?? yes.type);
    return {
      type: yes.type,
      run: (frame) => {
        frame.work.take(1);
        const holds = condition.run(frame);
        return holds === undefined ? undefined : (holds === true ? yes : no).run(frame);
      },
    };
  }

  /** Lists are equal to lists, so an attribute beside a list is read as one. */
  private equality(left: Expression, right: Expression, isNegated: boolean): Typed {
    const wanted = isList(left) || isList(right) ? 'list' : undefined;
    const first = this.check(left, wanted);
    const second = this.check(right, first.type);
    this.checkIds(first, second);
    return { type: 'bool', run: both(first, second, (a, b, { work }) => isSame(a, b, work) !== isNegated) };
  }

  private membership(element: Expression, list: Expression): Typed {
    const [first, second] = [this.check(element, 'text'), this.check(list, 'list')];
    this.checkIds(first, second);
    return { type: 'bool', run: both(first, second, (a, b, { work }) => isIn(a as string, b as readonly string[], work)) };
  }

  private checkIds(first: Typed, second: Typed): void {
    const [id, other] = first.isId ? [first, second] : [second, first];
    if (!id.isId || other.constant === undefined) return;
    for (const text of [other.constant].flat())
      if (text !== text.toLowerCase())
        this.refuse('bool', `compares an id with ${text}, which it never is`, `ids are in lower case: ${text.toLowerCase()}`);
  }

  private size(of: Expression): Typed {
    // A property of the subject has one value at most; of a lookup's attribute, the values are counted.
    const isText = of.kind === 'select' ? of.of.kind === 'name' && of.of.name === 'subject' : !isList(of);
    const typed = this.check(of, isText ? 'text' : 'list');
    return {
      type: 'number',
      run: one(typed, (value, { work }) =>
        typeof value === 'string' ? charactersOf(value, work) : (value as readonly string[]).length,
      ),
    };
  }

  private matches(target: Expression, pattern: Expression): Typed {
    const of = this.check(target, 'text');
    if (pattern.kind !== 'constant' || typeof pattern.value !== 'string')
      return this.refuse('bool', 'has matches with a pattern that is not a text in quotes');
    const compiled = RegularExpression.compile(pattern.value);
    if (compiled.kind === 'refused') return this.refuse('bool', `its pattern ${compiled.reason}`, compiled.remedy);
    const { expression } = compiled;
    return { type: 'bool', run: one(of, (value, { work }) => expression.test(value as string, work)) };
  }

  private loop(name: string, of: Expression, variable: string, test: Expression): Typed {
    const list = this.check(of, 'list');
    const depth = this.locals.push(variable) - 1;
    const body = this.check(test, 'bool');
    this.locals.pop();
    const tested = (frame: Frame, element: string): Value => {
      step(frame);
      frame.locals[depth] = element;
      return body.run(frame);
    };
    const run = (frame: Frame): Value => {
      const elements = list.run(frame) as readonly string[] | undefined;
      if (elements === undefined) return undefined;
      const results = elements.map((element) => tested(frame, element));
      if (name === 'exists') return anyOf(results);
      if (name === 'all') return opposite(anyOf(results.map(opposite)));
      if (results.includes(undefined)) return undefined;
      return name === 'filter'
        ? elements.filter((_element, index) => results[index] === true)
        : results.filter(Boolean).length === 1;
    };
    return { type: name === 'filter' ? 'list' : 'bool', run };
  }
}

const named: Readonly<Record<Type, string>> = { bool: 'true or false', text: 'a text', number: 'a number', list: 'a list' };
const known =
  '&& || ! == != < <= > >= in ?: has(), size(), int(), startsWith, endsWith, contains, matches, lowerAscii, upperAscii, exists, all, exists_one, filter';

const orders: Readonly<Record<string, (left: number, right: number) => boolean>> = {
  '_<_': (left, right) => left < right,
  '_<=_': (left, right) => left <= right,
  '_>_': (left, right) => left > right,
  '_>=_': (left, right) => left >= right,
};
const textTests: Readonly<Record<string, (text: string, part: string, work: Work) => boolean>> = {
  startsWith: (text, part, work) => {
    work.read(Math.min(text.length, part.length));
    return text.startsWith(part);
  },
  endsWith: (text, part, work) => {
    work.read(Math.min(text.length, part.length));
    return text.endsWith(part);
  },
  contains: (text, part, work) => {
    work.search(text.length, part.length);
    return text.includes(part);
  },
};
const textChanges: Readonly<Record<string, (text: string) => string>> = {
  lowerAscii: (text) => text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase()),
  upperAscii: (text) => text.replaceAll(/[a-z]+/g, (letters) => letters.toUpperCase()),
};

function isList(expression: Expression): boolean {
  return expression.kind === 'list' || (expression.kind === 'call' && expression.name === 'filter');
}

/** Texts of different lengths are told apart without reading them. */
function isSame(left: Value, right: Value, work: Work): boolean {
  if (typeof left === 'string' && typeof right === 'string') return isSameText(left, right, work);
  if (typeof left !== 'object' || typeof right !== 'object') return left === right;
  return left.length === right.length && left.every((element, index) => isSameText(element, right[index]!, work));
}

function isSameText(left: string, right: string, work: Work): boolean {
  if (left.length !== right.length) return false;
  work.read(left.length);
  return left === right;
}

function isIn(text: string, list: readonly string[], work: Work): boolean {
  work.read(list.length);
  return list.some((element) => isSameText(element, text, work));
}

function charactersOf(text: string, work: Work): number {
  work.take(text.length);
  return [...text].length;
}

function wholeNumber(value: Value): number {
  if (typeof value !== 'string' || !/^[+-]?\d{1,15}$/.test(value)) throw new Unreadable('not a number');
  return Number(value);
}

type Known = Exclude<Value, undefined>;

/** Missing in, missing out. */
function one(of: Typed, change: (value: Known, frame: Frame) => Value): (frame: Frame) => Value {
  return (frame) => {
    frame.work.take(1);
    const value = of.run(frame);
    return value === undefined ? undefined : change(value, frame);
  };
}

function both(left: Typed, right: Typed, change: (left: Known, right: Known, frame: Frame) => Value): (frame: Frame) => Value {
  return (frame) => {
    frame.work.take(1);
    const [first, second] = [left.run(frame), right.run(frame)];
    return first === undefined || second === undefined ? undefined : change(first, second, frame);
  };
}

/** && and || as CEL has them: whichever side decides, decides, whatever is missing on the other. */
function junction(isOr: boolean, left: Typed, right: Typed): Typed {
  return {
    type: 'bool',
    run: (frame) => {
      frame.work.take(1);
      const first = left.run(frame);
      if (first === isOr) return isOr;
      const second = right.run(frame);
      return second === isOr ? isOr : first === undefined ? undefined : second;
    },
  };
}

function anyOf(results: readonly Value[]): Value {
  if (results.includes(true)) return true;
  return results.includes(undefined) ? undefined : false;
}

function opposite(value: Value): Value {
  return value === undefined ? undefined : value === false;
}

function readable(name: string): string {
  return name.replaceAll('_', ' ').trim();
}
