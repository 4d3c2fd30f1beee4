import { readDate, writeDate, type DateFormat } from './dates.js';
import { guidText, sidText } from './formats.js';
import { NotTransformable, hashing, lengthOf, spelling, text, whole, type Transform } from './transform.js';

export function join(separator: string, operands: readonly number[]): Transform {
  return whole(
    'Join',
    (values, scope) => {
      const more = operands.map((index) => scope.operands[index]!.map((value) => text('Join', value)));
      const joined = values.length + lengthOf(more.flat()) + separator.length * (values.length + more.length);
      scope.work.read(joined);
      if (values.length === 0 || more.some(({ length }) => length === 0)) return [];
      return [[values, ...more].flat().join(separator)];
    },
    {
      yields: 'text',
      bound: ({ values, bytes }) => ({
        values: 1,
        bytes: operands.length > 0 || values === Infinity ? Infinity : values * (bytes + Buffer.byteLength(separator)),
      }),
    },
  );
}

export function split(separator: string): Transform {
  return whole('Split', (values) => values.flatMap((value) => value.split(separator).filter((part) => part !== '')), {
    yields: 'list',
    bound: ({ bytes }) => ({ values: Infinity, bytes }),
    cost: spelling,
  });
}

export function formatBytes(kind: string): Transform {
  const write = (bytes: Uint8Array): string | undefined =>
    kind === 'guid' ? guidText(bytes) : kind === 'sid' ? sidText(bytes) : Buffer.from(bytes).toString('base64');
  return {
    name: 'Format',
    yields: 'same',
    takes: 'bytes',
    gives: 'text',
    catchesMissing: false,
    bound: (input) => ({ ...input, bytes: kind === 'guid' ? 36 : kind === 'sid' ? 184 : Math.ceil(input.bytes / 3) * 4 }),
    apply: (values, { work }) => {
      work.take(spelling(values.length, lengthOf(values)));
      return values.map((value) => {
        const written = typeof value === 'string' ? undefined : write(value);
        if (written === undefined) throw new NotTransformable('Format');
        return written;
      });
    },
  };
}

export function formatDate(format: string, from: DateFormat): Transform {
  return whole(
    'Format',
    (values) =>
      values.flatMap((value) => {
        const read = readDate(value, from);
        if (read === undefined) throw new NotTransformable('Format');
        return read === 'never' ? [] : [writeDate(read, format)];
      }),
    { cost: hashing, bound: (input) => ({ ...input, bytes: Math.max(format.length, 20) }) },
  );
}

export function map(
  table: Readonly<Record<string, string>>,
  otherwise: 'drop' | 'keep' | { readonly default: string },
): Transform {
  const byValue = new Map(Object.entries(table).map(([from, to]) => [from.toLowerCase(), to]));
  const longest = Math.max(0, ...[...byValue.values()].map((value) => Buffer.byteLength(value)));
  return whole(
    'Map',
    (values) =>
      values.flatMap((value) => {
        const mapped = byValue.get(value.toLowerCase());
        if (mapped !== undefined) return [mapped];
        if (otherwise === 'drop') return [];
        return [otherwise === 'keep' ? value : otherwise.default];
      }),
    {
      bound: ({ values, bytes }) => ({
        values,
        bytes:
          otherwise === 'keep'
            ? Math.max(bytes, longest)
            : Math.max(longest, otherwise === 'drop' ? 0 : Buffer.byteLength(otherwise.default)),
      }),
    },
  );
}
