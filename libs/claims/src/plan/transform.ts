import type { AttributeValue } from '../attributes.js';
import type { RegisteredSecret } from '../ports/secrets.js';
import type { Work } from './work.js';

export type Values = readonly AttributeValue[];

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
  /** `mixed`: text stands in for some of what there was. */
  readonly gives: 'text' | 'same' | 'mixed';
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

export function text(transform: string, value: AttributeValue): string {
  if (typeof value !== 'string') throw new NotTransformable(transform);
  return value;
}

type TextChange = (values: readonly string[], scope: TransformScope) => Values;
export interface Traits extends Partial<Pick<Transform, 'yields' | 'catchesMissing' | 'bound'>> {
  readonly cost?: Cost;
}

/** What it costs, in units of `Work`, by the number of values and of all their characters. */
export type Cost = (values: number, characters: number) => number;

export const reading: Cost = (values, characters) => values + characters / 8;
/** Character by character, as objects of their own. */
export const spelling: Cost = (values, characters) => values + characters;
/** Comparing goes through equal beginnings again and again. */
export const sorting: Cost = (values, characters) => (values + characters / 32) * Math.log2(values + 2);
export const hashing: Cost = (values, characters) => 50 * values + characters / 8;
export const searching =
  (...parts: readonly (string | undefined)[]): Cost =>
  (values, characters) =>
    reading(values, characters) * parts.reduce((sum, part) => sum + 1 + (part?.length ?? 0) / 256, 1);

export function lengthOf(values: Values): number {
  return values.reduce((sum, { length }) => sum + length, 0);
}

/** A transform of all values at once. */
export const whole = (name: string, change: TextChange, { cost = reading, ...traits }: Traits = {}): Transform => ({
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
export const each = (name: string, change: (value: string, scope: TransformScope) => string, traits?: Traits): Transform =>
  whole(name, (values, scope) => values.map((value) => change(value, scope)), traits);
