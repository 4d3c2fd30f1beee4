import { Exclude, Expose, Transform, Type } from 'class-transformer';
import { IsEmail, IsObject, IsOptional, IsString, ValidateIf, ValidateNested } from 'class-validator';
import { describe, expect, it } from 'vitest';
import { authEventKinds, authEvents } from '../auth-events.js';
import { compileAcceptor } from './compile-acceptor.js';
import { Guid, Nested, OptionalListOf, OptionalRecordOfScalars, OptionalText, Text, type DtoClass } from './decorators.js';

const guid = 'ABCDEF00-0000-0000-0000-000000000001';

class InnerDto {
  @Text() name: string;
}

class OuterDto {
  @Guid() id: string;
  @OptionalText() note?: string;
  @Nested(() => InnerDto) inner: InnerDto;
  @OptionalListOf(() => InnerDto) list?: InnerDto[];
  @OptionalRecordOfScalars() more?: Map<string, unknown>;
}

describe('an acceptor', () => {
  const accept = compileAcceptor(OuterDto);
  const valid = { id: guid, inner: { name: 'x' } };

  it('takes what class-validator would, without nulls and unknown members', () => {
    expect(accept({ ...valid, note: null, extra: 1, inner: { name: 'x', extra: {} }, list: [{ name: 'y' }] })).toEqual({
      id: guid,
      inner: { name: 'x' },
      list: [{ name: 'y' }],
    });
    expect(accept({ ...valid, more: { a: 1, b: null, constructor: 'x' } })).toEqual({ ...valid, more: new Map([['a', 1]]) });
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
