import { Exclude, Expose, Transform, Type } from 'class-transformer';
import { IsDefined, IsEmail, IsObject, IsOptional, IsString, Matches, ValidateIf, ValidateNested } from 'class-validator';
import { describe, expect, it } from 'vitest';
import { compileAcceptor } from './compile-acceptor.js';
import { AlsoNamed, Guid, Nested, OptionalListOf, OptionalRecordOf, OptionalText, Text, type DtoClass } from './decorators.js';

class Inner {
  @Guid() id: string;
}

class Outer {
  @Text() @AlsoNamed('Name') name: string;
  @OptionalText() note?: string;
  @OptionalListOf(() => Inner) list?: Inner[];
  @OptionalRecordOf(() => Inner) record?: Map<string, Inner>;
  @Nested(() => Inner) inner: Inner;
}

const guid = '00000000-0000-0000-0000-000000000001';

/** A class with one property that is decorated so. */
function decorated(...decorators: readonly PropertyDecorator[]): DtoClass {
  class Dto {
    property?: unknown;
  }
  for (const decorate of decorators) decorate(Dto.prototype, 'property');
  return Dto;
}

describe('compileAcceptor', () => {
  const accept = compileAcceptor(Outer);

  it('takes over what the DTO names, and nothing else', () => {
    const inner = { id: guid, more: 1 };
    expect(accept({ Name: 'x', note: null, list: [inner], record: { a: inner, b: null }, inner, more: { deep: [] } })).toEqual({
      name: 'x',
      list: [{ id: guid }],
      record: new Map([['a', { id: guid }]]),
      inner: { id: guid },
    });
  });

  it('leaves every doubt to class-validator', () => {
    const given = { name: 'x', inner: { id: guid } };
    expect(accept(given)).toBeDefined();
    for (const doubt of [
      { name: undefined },
      { name: '' },
      { name: 1 },
      { note: 1 },
      { inner: null },
      { inner: [] },
      { inner: { id: `${guid}0` } },
      { list: {} },
      { list: [null] },
      { list: [[{ id: guid }]] },
      { record: [] },
      { record: { a: 'x' } },
    ])
      expect(accept({ ...given, ...doubt }), JSON.stringify(doubt)).toBeUndefined();
  });

  it.each<[string, DtoClass, string]>([
    ['a constraint that is not known', decorated(Expose(), IsEmail()), 'isEmail is not known'],
    ['IsDefined', decorated(Expose(), IsDefined()), 'isDefined is not known'],
    [
      'a condition',
      decorated(
        Expose(),
        IsString(),
        ValidateIf(() => true),
      ),
      'is not known',
    ],
    ['a condition of one constraint', decorated(Expose(), IsString({ validateIf: () => true })), 'with a condition'],
    ['groups', decorated(Expose(), IsString({ groups: ['a'] })), 'with a condition'],
    ['always', decorated(Expose(), IsString({ always: true })), 'with a condition'],
    [
      'a Transform of somebody else',
      decorated(
        Expose(),
        IsString(),
        Transform(() => 'x'),
      ),
      'a Transform that is not known',
    ],
    ['Exclude', decorated(Expose(), IsString(), Exclude()), 'excluded'],
    ['a property that is not exposed', decorated(IsString()), 'not exposed'],
    ['a property without a constraint', decorated(Expose(), IsOptional()), 'nothing says'],
    ['Expose for groups', decorated(Expose({ groups: ['a'] }), IsString()), 'Expose with groups'],
    ['a pattern with a state', decorated(Expose(), Matches(/x/g)), 'a pattern with a state'],
    [
      'Type without ValidateNested',
      decorated(
        Expose(),
        IsObject(),
        Type(() => Inner),
      ),
      'belong together',
    ],
    ['ValidateNested without Type', decorated(Expose(), IsObject(), ValidateNested()), 'belong together'],
    ['each of a single value', decorated(Expose(), IsString({ each: true })), 'each without a list'],
    ['a nested class that cannot be compiled', decorated(Nested(() => decorated(Expose(), IsEmail()))), 'isEmail is not known'],
  ])('does not compile %s', (_name, type, reason) => {
    expect(() => compileAcceptor(type)).toThrow(reason);
  });
});
