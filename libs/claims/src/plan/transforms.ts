import type { AttributeValue } from '../attributes.js';
import type { TransformDocument } from '../mapping/transform-document.js';
import { guidText, sidText } from './formats.js';

/** Whether a transform leaves a list, makes one text of it, or keeps what there was. */
type Yields = 'text' | 'list' | 'same';

/** A compiled transform: a pure function over all values of a claim. Throws `NotTransformable` for bytes where text is needed. */
export interface Transform {
  readonly name: string;
  readonly yields: Yields;
  apply(values: readonly AttributeValue[]): readonly AttributeValue[];
}

/** A value of a source that a transform cannot take, such as bytes where text is needed. Carries no value. */
export class NotTransformable extends Error {
  constructor(readonly transform: string) {
    super(`${transform} cannot take a value of this kind`);
  }
}

function text(transform: string, value: AttributeValue): string {
  if (typeof value !== 'string') throw new NotTransformable(transform);
  return value;
}

const each = (name: string, change: (value: string) => string): Transform => ({
  name,
  yields: 'same',
  apply: (values) => values.map((value) => change(text(name, value))),
});

const whole = (name: string, yields: Yields, change: (values: readonly string[]) => readonly string[]): Transform => ({
  name,
  yields,
  apply: (values) => change(values.map((value) => text(name, value))),
});

function inCodePointOrder(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The part before the last @, as Entra's ExtractMailPrefix gives it; a text without @ stays as it is. */
function mailPrefix(value: string): string {
  const at = value.lastIndexOf('@');
  return at < 0 ? value : value.slice(0, at);
}

/**
 * The value of the first relative distinguished name, unescaped (RFC 4514 §3): `CN=Finance\, EMEA,OU=Groups,DC=corp` gives
 * `Finance, EMEA`. Text that is not a distinguished name stays as it is.
 */
function groupName(value: string): string {
  const match = /^[A-Za-z][A-Za-z0-9-]*=((?:\\.|[^,+\\])*)(?:[,+]|$)/s.exec(value);
  if (!match) return value;
  const encoded = match[1]!.trim();
  if (!encoded.includes('\\')) return encoded.toWellFormed();
  const bytes: number[] = [];
  for (let index = 0; index < encoded.length; index++) {
    const pair = /^\\([0-9A-Fa-f]{2})/.exec(encoded.slice(index, index + 3));
    if (pair) {
      bytes.push(Number.parseInt(pair[1]!, 16));
      index += 2;
      continue;
    }
    if (encoded[index] === '\\') index++;
    const character = String.fromCodePoint(encoded.codePointAt(index)!);
    bytes.push(...Buffer.from(character, 'utf8'));
    index += character.length - 1;
  }
  return Buffer.from(bytes).toString('utf8');
}

const plain = {
  ToLowercase: each('ToLowercase', (value) => value.toLowerCase()),
  ToUppercase: each('ToUppercase', (value) => value.toUpperCase()),
  ExtractMailPrefix: each('ExtractMailPrefix', mailPrefix),
  GroupName: each('GroupName', groupName),
  First: { name: 'First', yields: 'text', apply: (values) => values.slice(0, 1) },
  Sort: whole('Sort', 'same', (values) => values.toSorted(inCodePointOrder)),
  Unique: whole('Unique', 'same', (values) => [...new Set(values)]),
} satisfies Record<string, Transform>;

function format(kind: 'guid' | 'sid' | 'base64'): Transform {
  return {
    name: 'Format',
    yields: 'same',
    apply: (values) =>
      values.map((value) => {
        if (typeof value === 'string') throw new NotTransformable('Format');
        const written =
          kind === 'guid' ? guidText(value) : kind === 'sid' ? sidText(value) : Buffer.from(value).toString('base64');
        if (written === undefined) throw new NotTransformable('Format');
        return written;
      }),
  };
}

function map(table: Readonly<Record<string, string>>, otherwise: 'drop' | 'keep' | { readonly default: string }): Transform {
  const byValue = new Map(Object.entries(table).map(([from, to]) => [from.toLowerCase(), to]));
  return whole('Map', 'same', (values) =>
    values.flatMap((value) => {
      const mapped = byValue.get(value.toLowerCase());
      if (mapped !== undefined) return [mapped];
      if (otherwise === 'drop') return [];
      return [otherwise === 'keep' ? value : otherwise.default];
    }),
  );
}

/** The transform that a document describes. */
export function compileTransform(document: TransformDocument): Transform {
  if (typeof document === 'string') return plain[document];
  if ('Join' in document) return whole('Join', 'text', (values) => (values.length === 0 ? [] : [values.join(document.Join)]));
  if ('Split' in document)
    return whole('Split', 'list', (values) =>
      values.flatMap((value) => value.split(document.Split).filter((part) => part !== '')),
    );
  if ('Format' in document) return format(document.Format);
  return map(document.Map, document.otherwise);
}
