import { Expose, Transform, Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayNotEmpty,
  IsArray,
  IsInstance,
  IsObject,
  IsOptional,
  IsString,
  ValidateBy,
  ValidateNested,
  type ValidationOptions,
} from 'class-validator';
import { maximumClaimBytes } from './claim-size.js';
import { all, type DtoClass } from './decorators.js';
import { isJsonObject } from './json-body.js';
import { isScalar } from './scalar.js';

/** The vocabulary of the answer DTOs: what Entra takes, as declared contract. */

/** Exactly one action, of one of these types (Microsoft: errors 1003010, 1003012). */
export const OneActionOf = (actions: Readonly<Record<string, DtoClass>>): PropertyDecorator =>
  all(
    Expose(),
    Type(() => UnknownActionDto, {
      keepDiscriminatorProperty: true,
      discriminator: { property: '@odata.type', subTypes: Object.entries(actions).map(([name, value]) => ({ name, value })) },
    }),
    IsArray(),
    ArrayMinSize(1),
    ArrayMaxSize(1),
    IsObject({ each: true }),
    ValidateNested({ each: true }),
  );

/** An action without members of its own. */
export class PlainActionDto {
  @Expose({ name: '@odata.type' }) @IsString() odataType: string;
}

class UnknownActionDto {
  @Expose({ name: '@odata.type' }) @Never() odataType?: string;
}

/** A text that is not blank. */
export const AnswerText = (): PropertyDecorator => all(Expose(), IsString(), Satisfies('isNotBlank', isNotBlank));

export const OptionalAnswerText = (): PropertyDecorator => all(IsOptional(), AnswerText());

export const AnswerTexts = (): PropertyDecorator => all(Expose(), IsArray(), ArrayNotEmpty(), IsString({ each: true }));

/** Texts, or lists of texts, by names that are not blank. */
export const Claims = (): PropertyDecorator =>
  all(Named(), Satisfies('isClaim', isClaim, { each: true }), Satisfies('isWithinClaimSize', isWithinClaimSize));

/** Texts, numbers or truth values by names that are not blank. */
export const Scalars = (): PropertyDecorator => all(Named(), Satisfies('isScalar', isScalar, { each: true }));

/** Texts by names that are not blank. */
export const TextByName = (): PropertyDecorator => all(Named(), IsString({ each: true }));

const Named = (): PropertyDecorator =>
  all(
    Expose(),
    // Unlike in a request, null is not taken as absent: Entra does not say what it makes of it.
    Transform(({ obj, key }) => {
      const given = (obj as Record<string, unknown>)[key];
      return isJsonObject(given) ? new Map(Object.entries(given)) : given;
    }),
    IsInstance(Map),
    Satisfies('hasNames', (map) => map instanceof Map && [...map.keys()].every(isNotBlank)),
  );

function Never(): PropertyDecorator {
  return Satisfies('isKnownAction', () => false);
}

function Satisfies(name: string, validate: (value: unknown) => boolean, options?: ValidationOptions): PropertyDecorator {
  return ValidateBy({ name, validator: { validate } }, options);
}

const isNotBlank = (value: unknown): boolean => typeof value === 'string' && value.trim() !== '';

function isClaim(value: unknown): boolean {
  return typeof value === 'string' || (Array.isArray(value) && value.every((entry) => typeof entry === 'string'));
}

function isWithinClaimSize(value: unknown): boolean {
  const texts = value instanceof Map ? ([...value].flat(2) as unknown[]).filter((entry) => typeof entry === 'string') : [];
  return texts.reduce((bytes, entry) => bytes + Buffer.byteLength(entry), 0) <= maximumClaimBytes;
}
