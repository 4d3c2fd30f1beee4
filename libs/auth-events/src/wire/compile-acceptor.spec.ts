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

  it.each<[string, object]>([
    ['a missing member', { id: guid }],
    ['a wrong type', { ...valid, note: 1 }],
    ['no GUID', { ...valid, id: 'x' }],
    ['a list for an object', { ...valid, inner: [] }],
    ['an object for a list', { ...valid, list: {} }],
    ['a list of texts', { ...valid, list: ['x'] }],
    ['an object in a record of scalars', { ...valid, more: { a: {} } }],
    ['a number that is none', { ...valid, more: { a: Infinity } }],
  ])('leaves %s to class-validator', (_name, value) => {
    expect(accept(value as Record<string, unknown>)).toBeUndefined();
  });
});

describe('what cannot be compiled stops the start, by its name', () => {
  class UnknownCheckDto {
    @Expose() @IsEmail() mail: string;
  }
  class ConditionalDto {
    @Expose() @ValidateIf(() => true) @IsString() text: string;
  }
  class UnknownTransformDto {
    @Expose() @Transform(({ value }: { value: unknown }) => value) @IsString() text: string;
  }
  class HiddenDto {
    @IsString() text: string;
  }
  class ExcludedDto {
    @Expose() @IsString() text: string;
    @Exclude() other: string;
  }
  class UncheckedDto {
    @Expose() @IsOptional() text: string;
  }
  class HalfNestedDto {
    @Expose() @Type(() => InnerDto) @IsObject() inner: InnerDto;
  }
  class NestedUnknownDto {
    @Expose() @Type(() => UnknownCheckDto) @IsObject() @ValidateNested() inner: UnknownCheckDto;
  }
  class GroupedDto {
    @Expose({ groups: ['a'] }) @IsString() text: string;
  }

  it.each<[DtoClass, string]>([
    [UnknownCheckDto, 'UnknownCheckDto.mail cannot be compiled: the decorator isEmail is not known'],
    [ConditionalDto, 'ConditionalDto.text cannot be compiled: the decorator'],
    [UnknownTransformDto, 'UnknownTransformDto.text cannot be compiled: a Transform that is not known'],
    [HiddenDto, 'HiddenDto.text is validated, but not exposed'],
    [ExcludedDto, 'ExcludedDto: a class that is exposed or excluded as a whole cannot be compiled'],
    [UncheckedDto, 'UncheckedDto.text cannot be compiled: nothing says what it must be'],
    [HalfNestedDto, 'HalfNestedDto.inner cannot be compiled: ValidateNested and Type belong together'],
    [NestedUnknownDto, 'NestedUnknownDto.inner cannot be compiled: UnknownCheckDto.mail cannot be compiled'],
    [GroupedDto, 'GroupedDto.text cannot be compiled: Expose with groups'],
  ])('%o', (type, reason) => {
    expect(() => compileAcceptor(type)).toThrow(reason);
  });

  it('and none of the events is among it', () => {
    for (const kind of authEventKinds) expect(() => authEvents[kind].reader.prepare(), kind).not.toThrow();
  });
});
