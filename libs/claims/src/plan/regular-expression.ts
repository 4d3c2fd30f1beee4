import { RE2JS } from 're2js';
import type { Work } from './work.js';

/** Longer patterns, and those that compile to more than this, are programs and not patterns. */
const maximumPattern = 512;
const maximumProgram = 2_000;

/** A pattern of configuration, compiled once. Matches in time linear in the text (RE2), whatever the pattern is. */
export class RegularExpression {
  private constructor(private readonly compiled: RE2JS) {}

  /** A pattern in RE2's syntax; .NET's spelling of named groups, as in Entra's documentation, is read too. */
  static compile(pattern: string): RegularExpressionResult {
    if (pattern.length > maximumPattern)
      return {
        kind: 'refused',
        reason: `is longer than ${maximumPattern} characters`,
        remedy: 'split it, or use Map, Filter or Extract',
      };
    try {
      const compiled = RE2JS.compile(pattern.replaceAll(/\(\?'([A-Za-z_][A-Za-z0-9_]*)'/g, '(?P<$1>'));
      if (compiled.programSize() > maximumProgram)
        return { kind: 'refused', reason: 'repeats too much', remedy: 'use smaller counts in { }' };
      return { kind: 'compiled', expression: new RegularExpression(compiled) };
    } catch (error) {
      return { kind: 'refused', ...refusalOf(pattern, error instanceof Error ? error.message : 'is not valid') };
    }
  }

  get groups(): readonly string[] {
    return Object.keys(this.compiled.namedGroups());
  }

  /** Whether it matches anywhere in the text. @throws TooMuchWork */
  test(text: string, work: Work): boolean {
    work.take((text.length + 1) * this.compiled.programSize());
    return this.compiled.matcher(text).find();
  }

  /** What the first match gives each named group, '' where it took no part; undefined: no match. @throws TooMuchWork */
  match(text: string, work: Work): ReadonlyMap<string, string> | undefined {
    work.take((text.length + 1) * this.compiled.programSize());
    const matcher = this.compiled.matcher(text);
    if (!matcher.find()) return undefined;
    return new Map(this.groups.map((name) => [name, matcher.group(name) ?? '']));
  }
}

export type RegularExpressionResult =
  | { readonly kind: 'compiled'; readonly expression: RegularExpression }
  | { readonly kind: 'refused'; readonly reason: string; readonly remedy: string };

/** What RE2 leaves out so that no text can make it slow, and what to write instead. */
const unsupported: readonly (readonly [RegExp, string, string])[] = [
  [
    /\(\?<?[=!]/,
    'uses look-around, which takes unbounded time',
    'match the surroundings too and keep a named group, (?<name>…); instead of “not”, use Filter with not: true or a condition',
  ],
  [/\\[1-9]|\\k[<'{]/, 'uses a back-reference, which takes unbounded time', 'name two groups and compare them in a condition'],
  [/\(\?>|[*+?}]\+/, 'uses an atomic group or a possessive quantifier', 'leave it out: matching never goes back here'],
  [/\{\d*,?\d{4,}\}/, 'repeats more than 1,000 times', 'use * or +'],
];

function refusalOf(pattern: string, message: string): { readonly reason: string; readonly remedy: string } {
  const [, reason, remedy] = unsupported.find(([sign]) => sign.test(pattern)) ?? [];
  if (reason !== undefined) return { reason, remedy: remedy! };
  return {
    reason: `is not a regular expression: ${message.replace(/^error parsing regexp: /, '')}`,
    remedy: 'write it in RE2’s syntax',
  };
}
