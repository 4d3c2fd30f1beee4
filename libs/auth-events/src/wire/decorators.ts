import 'reflect-metadata';
import { Expose, Transform, Type, plainToInstance, type TransformFnParams } from 'class-transformer';
import {
  Equals,
  IsArray,
  IsNotEmpty,
  IsObject,
  IsOptional,
  IsString,
  Matches,
  ValidateBy,
  ValidateNested,
  type ValidationOptions,
} from 'class-validator';
import { isJsonObject } from './json-body.js';
import { isScalar } from './scalar.js';

/**
 * The vocabulary of the request DTOs. Each decorator is made of class-validator's and class-transformer's own; a DTO says nothing in
 * another way, so that `compileAcceptor` knows all that it can say. Null is taken as absent everywhere.
 */

export type DtoClass<Dto extends object = object> = new () => Dto;

type Transformation = (parameters: TransformFnParams) => unknown;

/** What a `Transform` of ours does, for those who must do the same without class-transformer. */
export type KnownTransformation =
  /** the value of another name counts where the first has none */
  | { readonly kind: 'alias'; readonly name: string }
  /** an object with arbitrary names becomes a Map */
  | { readonly kind: 'record'; readonly element: (() => DtoClass) | undefined };

const transformations = new WeakMap<Transformation, KnownTransformation>();

export function knownTransformation(transformation: Transformation): KnownTransformation | undefined {
  return transformations.get(transformation);
}

function transform(known: KnownTransformation, transformation: Transformation): PropertyDecorator {
  transformations.set(transformation, known);
  return Transform(transformation);
}

/** Several decorators as one. */
export const all =
  (...decorators: readonly PropertyDecorator[]): PropertyDecorator =>
  (target, property) => {
    for (const decorate of decorators) decorate(target, property);
  };

/** 8-4-4-4-12 hexadecimal digits of any version: Microsoft's own samples are not RFC 9562 versions. */
export const Guid = (): PropertyDecorator =>
  all(Expose(), Matches(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i, { message: 'must be a GUID' }));

export const OptionalGuid = (): PropertyDecorator => all(IsOptional(), Guid());

/** A text that is not empty. */
export const Text = (): PropertyDecorator =>
  all(Expose(), IsString({ message: 'must be a text' }), IsNotEmpty({ message: 'must not be empty' }));

export const OptionalText = (): PropertyDecorator => all(Expose(), IsOptional(), IsString({ message: 'must be a text' }));

/** The name of an event; compared ignoring case, as Microsoft's own trigger library does. */
export const EventType = (name: string): PropertyDecorator =>
  all(Expose(), Matches(new RegExp(`^${name.replaceAll('.', '\\.')}$`, 'i'), { message: `must be ${name}` }));

/** The type that OData gives an object. */
export const ODataType = (name: string): PropertyDecorator =>
  all(Expose({ name: '@odata.type' }), Equals(name, { message: `must be ${name}` }));

/** The type that OData gives an object, whichever it is. Microsoft's own samples also spell the name `@odata.Type`. */
export const OptionalODataType = (): PropertyDecorator =>
  all(Expose({ name: '@odata.type' }), AlsoNamed('@odata.Type'), IsOptional(), IsString({ message: 'must be a text' }));

/** Microsoft spells some names in more than one way; the first name counts, then this one. */
export const AlsoNamed = (name: string): PropertyDecorator =>
  transform({ kind: 'alias', name }, ({ value, obj }: TransformFnParams) => value ?? (obj as Record<string, unknown>)[name]);

export const Nested = (type: () => DtoClass): PropertyDecorator =>
  all(Expose(), Type(type), IsObject({ message: 'must be an object' }), ValidateNested({ message: 'must be an object' }));

export const OptionalNested = (type: () => DtoClass): PropertyDecorator => all(IsOptional(), Nested(type));

export const OptionalListOf = (type: () => DtoClass): PropertyDecorator =>
  all(
    Expose(),
    Type(type),
    IsOptional(),
    // ValidateNested alone would look for objects at any depth of lists in lists.
    IsObject({ each: true, message: 'must be a list of objects' }),
    IsArray({ message: 'must be a list' }),
    ValidateNested({ each: true, message: 'must be a list of objects' }),
  );

/** An object whose names are data; becomes a Map. Its entries are of one DTO. */
export const OptionalRecordOf = (element: () => DtoClass): PropertyDecorator =>
  all(
    Expose(),
    record(element),
    IsOptional(),
    IsObject({ each: true, message: 'must be an object of objects' }),
    IsObject({ message: 'must be an object' }),
    ValidateNested({ message: 'must be an object of objects' }),
  );

/** An object whose names are data; becomes a Map. Its entries are texts, numbers or truth values. */
export const OptionalRecordOfScalars = (): PropertyDecorator =>
  all(
    Expose(),
    record(),
    IsOptional(),
    IsScalar({ each: true, message: 'must be an object of texts, numbers and truth values' }),
    IsObject({ message: 'must be an object' }),
  );

/** A text, a number or a truth value. */
export const OptionalScalar = (): PropertyDecorator =>
  all(Expose(), IsOptional(), IsScalar({ message: 'must be a text, a number or a truth value' }));

const IsScalar = (options: ValidationOptions): PropertyDecorator =>
  ValidateBy({ name: 'isScalar', validator: { validate: isScalar } }, options);

const record = (element?: () => DtoClass): PropertyDecorator =>
  transform({ kind: 'record', element }, ({ obj, key, options }) => {
    const given = (obj as Record<string, unknown>)[key];
    if (!isJsonObject(given)) return given;
    const instance = (entry: unknown): unknown =>
      element && isJsonObject(entry) ? plainToInstance(element(), entry, options) : entry;
    return new Map(entriesOf(given).map(([name, entry]) => [name, instance(entry)]));
  });

/** The entries that count: class-transformer does not carry `__proto__` and `constructor`, and null is taken as absent. */
export function entriesOf(given: object): readonly (readonly [string, unknown])[] {
  return Object.entries(given).filter(
    ([name, entry]) => name !== '__proto__' && name !== 'constructor' && entry !== null && entry !== undefined,
  );
}
