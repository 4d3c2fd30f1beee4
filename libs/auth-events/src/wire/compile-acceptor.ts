import { TransformationType } from 'class-transformer';
import { defaultMetadataStorage } from 'class-transformer/cjs/storage.js';
import { getMetadataStorage } from 'class-validator';
import { entriesOf, knownTransformation, type DtoClass, type KnownTransformation } from './decorators.js';
import { isJsonObject, type JsonObject } from './json-body.js';
import { isScalar } from './scalar.js';

/** Accepts a value as a DTO, plain and without nulls and unknown properties; `undefined` means: ask class-validator. */
export type Acceptor<Dto extends object> = (value: JsonObject) => Dto | undefined;

type Read = (value: unknown) => unknown;
type Check = (value: unknown) => boolean;

/** How one property of a DTO is taken over. `read` answers undefined where the value is not accepted. */
interface PropertyReader {
  readonly key: string;
  readonly name: string;
  readonly alias: string | undefined;
  readonly optional: boolean;
  readonly read: Read;
}

type Validations = ReturnType<ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']>;
type Validation = Validations[number];

/** class-validator's constraints that can be compiled, by the name of their decorator. Each of them refuses null and undefined. */
const checks: Readonly<Record<string, (constraints: readonly unknown[]) => Check>> = {
  isString: () => (value) => typeof value === 'string',
  isNotEmpty: () => (value) => value !== '' && value !== null && value !== undefined,
  isObject: () => (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  isArray: () => Array.isArray,
  isScalar: () => isScalar,
  equals:
    ([expected]) =>
    (value) =>
      value === expected,
  matches: ([pattern]) => {
    if (!(pattern instanceof RegExp) || pattern.global || pattern.sticky) throw new Error('a pattern with a state');
    return (value) => typeof value === 'string' && pattern.test(value);
  },
};

/**
 * Compiles a DTO's decorators into closures that accept what class-validator and class-transformer together would, for a fraction of
 * their time. Recursion follows the DTO, not the value.
 * @throws Error naming the property, where a decorator is not known: a contract that is only half enforced must not start
 */
export function compileAcceptor<Dto extends object>(type: DtoClass<Dto>): Acceptor<Dto> {
  const readers = compileProperties(type);
  return (value) => readObject(readers, value) as Dto | undefined;
}

function readObject(readers: readonly PropertyReader[], value: unknown): object | undefined {
  if (!isJsonObject(value)) return undefined;
  const accepted: Record<string, unknown> = {};
  for (const { key, name, alias, optional, read } of readers) {
    const given = value[name] ?? (alias === undefined ? undefined : value[alias]);
    if (given === undefined || given === null) {
      if (optional) continue;
      return undefined;
    }
    const taken = read(given);
    if (taken === undefined) return undefined;
    accepted[key] = taken;
  }
  return accepted;
}

function compileProperties(type: DtoClass): readonly PropertyReader[] {
  const validations = getMetadataStorage().getTargetValidationMetadatas(type, '', false, false);
  const exposed = new Map(defaultMetadataStorage.getExposedMetadatas(type).map((entry) => [entry.propertyName, entry.options]));
  if (defaultMetadataStorage.getStrategy(type) !== 'none' || defaultMetadataStorage.getExcludedMetadatas(type).length > 0)
    throw new Error(`${type.name}: a class that is exposed or excluded as a whole cannot be compiled`);
  const unexposed = validations.find(({ propertyName }) => !exposed.has(propertyName));
  if (unexposed) throw new Error(`${type.name}.${unexposed.propertyName} is validated, but not exposed`);
  return [...exposed].map(([property, options]) => {
    if (property === undefined) throw new Error(`${type.name} is exposed as a whole`);
    const { name = property, ...unknown } = options ?? {};
    const own = validations.filter(({ propertyName }) => propertyName === property);
    try {
      if (Object.keys(unknown).length > 0) throw new Error(`Expose with ${Object.keys(unknown).join(', ')}`);
      return { key: property, name, ...compileProperty(type, property, own) };
    } catch (error) {
      throw new Error(`${type.name}.${property} cannot be compiled: ${(error as Error).message}`, { cause: error });
    }
  });
}

function compileProperty(
  type: DtoClass,
  property: string,
  validations: Validations,
): Pick<PropertyReader, 'alias' | 'optional' | 'read'> {
  const transformation = transformationOf(type, property);
  const elementType = elementTypeOf(type, property, transformation);
  const nested = validations.some((validation) => kindOf(validation) === 'nested');
  const own = validations.filter((validation) => kindOf(validation) === 'check');
  if (own.length === 0) throw new Error('nothing says what it must be');
  if (nested !== (elementType !== undefined)) throw new Error('ValidateNested and Type belong together');
  const checkValue = every(own.filter(({ each }) => !each));
  const checkEntry = every(own.filter(({ each }) => each));
  const readEntry = elementType && nestedReader(elementType);
  const isList = own.some(({ name, each }) => name === 'isArray' && !each);
  const isRecord = transformation?.kind === 'record';
  if (own.some(({ each }) => each) && !isList && !isRecord) throw new Error('each without a list or a record');
  return {
    alias: transformation?.kind === 'alias' ? transformation.name : undefined,
    optional: validations.some((validation) => kindOf(validation) === 'optional'),
    read: (value) => {
      if (!checkValue(value)) return undefined;
      if (isList) return readList(value as readonly unknown[], checkEntry, readEntry);
      if (isRecord) return readRecord(value as object, checkEntry, readEntry);
      return readEntry ? readEntry(value) : value;
    },
  };
}

function readList(list: readonly unknown[], check: Check, read: Read = (value) => value): readonly unknown[] | undefined {
  const accepted: unknown[] = [];
  for (const entry of list) {
    const taken = check(entry) ? read(entry) : undefined;
    if (taken === undefined) return undefined;
    accepted.push(taken);
  }
  return accepted;
}

function readRecord(record: object, check: Check, read: Read = (value) => value): ReadonlyMap<string, unknown> | undefined {
  const accepted = new Map<string, unknown>();
  for (const [name, entry] of entriesOf(record)) {
    const taken = check(entry) ? read(entry) : undefined;
    if (taken === undefined) return undefined;
    accepted.set(name, taken);
  }
  return accepted;
}

function nestedReader(type: DtoClass): Read {
  const readers = compileProperties(type);
  return (value) => readObject(readers, value);
}

function kindOf(validation: Validation): 'check' | 'nested' | 'optional' {
  const { type, name, validateIf, always, groups } = validation;
  if (validateIf || always || groups?.length) throw new Error(`${name ?? type} with a condition`);
  if (type === 'nestedValidation') return 'nested';
  if (type === 'conditionalValidation' && name === 'isOptional') return 'optional';
  if (type === 'customValidation' && name !== undefined && Object.hasOwn(checks, name)) return 'check';
  throw new Error(`the decorator ${name ?? type} is not known`);
}

function every(validations: Validations): Check {
  const [first, second, third, ...more] = validations.map(({ name, constraints }) => checks[name!]!(constraints ?? []));
  if (more.length > 0) throw new Error('more than three checks');
  if (!first) return () => true;
  if (!second) return first;
  if (!third) return (value) => first(value) && second(value);
  return (value) => first(value) && second(value) && third(value);
}

function transformationOf(type: DtoClass, property: string): KnownTransformation | undefined {
  const metadata = defaultMetadataStorage.findTransformMetadatas(type, property, TransformationType.PLAIN_TO_CLASS);
  if (metadata.length === 0) return undefined;
  const [{ transformFn, options } = metadata[0]!] = metadata;
  const known = knownTransformation(transformFn);
  if (metadata.length > 1 || !known || Object.keys(options ?? {}).length > 0) throw new Error('a Transform that is not known');
  return known;
}

function elementTypeOf(type: DtoClass, property: string, transformation: KnownTransformation | undefined): DtoClass | undefined {
  const metadata = defaultMetadataStorage.findTypeMetadata(type, property);
  if (transformation && metadata) throw new Error('Type and Transform together');
  if (transformation) return transformation.kind === 'record' ? transformation.element?.() : undefined;
  if (!metadata) return undefined;
  if (Object.keys(metadata.options ?? {}).length > 0) throw new Error('Type with options');
  return metadata.typeFunction() as DtoClass;
}
