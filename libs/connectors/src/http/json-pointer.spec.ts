import { describe, expect, it } from 'vitest';
import { JsonPointer } from './json-pointer.js';

/** RFC 6901 §5. */
const document = { foo: ['bar', 'baz'], '': 0, 'a/b': 1, 'c%d': 2, 'e^f': 3, 'g|h': 4, 'i\\j': 5, 'k"l': 6, ' ': 7, 'm~n': 8 };

describe('JsonPointer', () => {
  it.each<[string, unknown]>([
    ['', document],
    ['/foo', ['bar', 'baz']],
    ['/foo/0', 'bar'],
    ['/', 0],
    ['/a~1b', 1],
    ['/c%d', 2],
    ['/e^f', 3],
    ['/g|h', 4],
    ['/i\\j', 5],
    ['/k"l', 6],
    ['/ ', 7],
    ['/m~0n', 8],
  ])('finds what RFC 6901 says at %j', (text, expected) => {
    expect(JsonPointer.parse(text)!.find(document)).toEqual(expected);
  });

  it.each(['/nothing', '/foo/2', '/foo/-', '/foo/00', '/foo/length', '/foo/0/0', '/constructor', '/__proto__', '/foo/map'])(
    'finds nothing at %j',
    (text) => {
      expect(JsonPointer.parse(text)!.find(document)).toBeUndefined();
    },
  );

  it('undoes ~01 once: it is ~1', () => {
    expect(JsonPointer.parse('/~01')!.find({ '~1': 'here', '/': 'not here' })).toBe('here');
  });

  it.each(['foo', 'foo/bar', '/a~', '/a~2b', '#/foo'])('refuses %j', (text) => {
    expect(JsonPointer.parse(text)).toBeUndefined();
  });
});
