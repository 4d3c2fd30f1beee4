import { plainToInstance } from 'class-transformer';
import { validateSync, type ValidationError } from 'class-validator';
import type { DtoClass } from './decorators.js';
import { isJsonObject, type BodyIssue, type JsonObject } from './json-body.js';

export type Validated<Dto> =
  | { readonly kind: 'valid'; readonly dto: Dto }
  | { readonly kind: 'invalid'; readonly issues: readonly BodyIssue[] };

/** Deeper than any DTO goes, so that what is cut off there cannot change a verdict. */
const maximumDepth = 16;

/** The verdict of class-validator on a value of JSON. Unknown properties are dropped at every level, and so are nulls. */
export function validateDto<Dto extends object>(type: DtoClass<Dto>, value: JsonObject): Validated<Dto> {
  const instance = plainToInstance(type, harmless(value), { excludeExtraneousValues: true });
  const errors = validateSync(instance, {
    forbidUnknownValues: true,
    stopAtFirstError: true,
    validationError: { target: true, value: false },
  });
  return errors.length > 0
    ? { kind: 'invalid', issues: errors.flatMap((error) => issuesOf(error, '')) }
    : { kind: 'valid', dto: plain(instance) as Dto };
}

/**
 * A copy that class-transformer can be given: it recurses into whatever it meets, which exhausts the stack at the nesting that 64 KB
 * allow, and it calls what it finds under `constructor`.
 */
function harmless(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return depth === maximumDepth ? [] : value.map((entry) => harmless(entry, depth + 1));
  const copy: Record<string, unknown> = {};
  if (depth === maximumDepth) return copy;
  for (const [name, entry] of Object.entries(value))
    if (name !== '__proto__' && name !== 'constructor') copy[name] = harmless(entry, depth + 1);
  return copy;
}

/** DTO instances as plain objects without what is null or undefined. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return new Map([...value].map(([name, entry]) => [name, plain(entry)]));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, entry]) => (entry === null || entry === undefined ? [] : [[name, plain(entry)]])),
  );
}

function issuesOf(error: ValidationError, parent: string): readonly BodyIssue[] {
  const path = parent === '' ? nameOf(error) : `${parent}.${nameOf(error)}`;
  const own = Object.values(error.constraints ?? {})
    .slice(0, 1)
    .map((reason) => ({ path, reason }));
  return [...own, ...(error.children ?? []).flatMap((child) => issuesOf(child, path))];
}

/** The names of a record are data of the sender: they are not repeated. */
function nameOf({ target, property }: ValidationError): string {
  if (target instanceof Map) return '*';
  return property === 'odataType' ? '@odata.type' : property;
}
