import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAnswer } from './json-answer.js';
import { JsonPointer } from './json-pointer.js';

const at = (text: string): JsonPointer => JsonPointer.parse(text)!;
const read = (body: string | Uint8Array, entries?: string, type: string | undefined = 'application/json') =>
  readAnswer(
    type,
    typeof body === 'string' ? Buffer.from(body) : body,
    { attributes: { v: at('/v') }, entries: entries === undefined ? undefined : at(entries) },
    ['V'],
  );
const values = (body: string): readonly unknown[] | string => {
  const outcome = read(body);
  return outcome.kind === 'found' ? outcome.attributes.get('v') : outcome.kind;
};

describe('values', () => {
  it.each<[string, readonly string[]]>([
    ['"text"', ['text']],
    ['""', ['']],
    ['true', ['true']],
    ['42', ['42']],
    ['9007199254740993', ['9007199254740993']],
    ['123456789012345678901234567890', ['123456789012345678901234567890']],
    ['1.10', ['1.10']],
    ['-0', ['-0']],
    ['1e400', ['1e400']],
    ['null', []],
    ['[]', []],
    ['["a", null, 1, false]', ['a', '1', 'false']],
  ])('of %s', (json, expected) => {
    expect(values(`{"v": ${json}}`)).toEqual(expected);
  });

  it('are the text of every whole number, however large', () => {
    fc.assert(
      fc.property(fc.bigInt(), (number) => {
        expect(values(`{"v":${number}}`)).toEqual([String(number)]);
      }),
    );
  });

  it('are none where there is nothing', () => {
    expect(values('{"w": 1}')).toEqual([]);
    expect(values('[1]')).toEqual([]);
  });

  it.each(['{"v": {}}', '{"v": [[1]]}', '{"v": ["a", {"b": 1}]}'])('are not to be had of %s', (json) => {
    expect(read(json)).toEqual({
      kind: 'unavailable',
      reason: 'refused',
      detail: 'v: an object or a list of lists at /v',
    });
  });
});

describe('entries', () => {
  it.each([
    ['{"items": []}', { kind: 'notFound', reason: 'noEntry' }],
    ['{"items": [{"v": 1}]}', { kind: 'found' }],
    ['{"items": [{"v": 1}, {"v": 1}]}', { kind: 'ambiguous' }],
    ['{"items": null}', { reason: 'refused' }],
    ['{"items": {"v": 1}}', { reason: 'refused' }],
    ['{"items": ["v"]}', { reason: 'refused' }],
    ['{}', { reason: 'refused' }],
  ])('of %s', (json, expected) => {
    expect(read(json, '/items')).toMatchObject(expected);
  });

  it('may be the whole answer', () => {
    expect(read('[{"v": "one"}]', '').kind).toBe('found');
    expect(read('[]', '')).toEqual({ kind: 'notFound', reason: 'noEntry' });
  });
});

describe('what is not JSON', () => {
  it.each(['text/html', 'application/jsonp', 'text/json; application/json', 'application/xml+jsonx', ''])(
    'is told by its type: %j',
    (type) => {
      expect(read('{"v": 1}', undefined, type)).toMatchObject({ reason: 'malformed', detail: 'not application/json' });
    },
  );

  it.each(['application/json', 'Application/JSON; charset=utf-8', 'application/scim+json', 'application/hal+json ; v=1'])(
    'is not %j',
    (type) => {
      expect(read('{"v": 1}', undefined, type).kind).toBe('found');
    },
  );

  it.each<[string, string | Uint8Array]>([
    ['nothing', ''],
    ['a half', '{"v": "secret'],
    ['a text', '"secret"'],
    ['a number', '1'],
    ['null', 'null'],
    ['two documents', '{"v": 1} {"v": 2}'],
    ['bytes that are not UTF-8', Buffer.from('{"v": "\xff"}', 'latin1')],
    ['what is nested without end', '['.repeat(200_000)],
    ['what is nested very deep', `${'['.repeat(100_000)}${']'.repeat(100_000)}`.replace('[[', '{"v":[').replace(/\]$/, '}')],
  ])('is %s', (_, body) => {
    expect(read(body)).toEqual({ kind: 'unavailable', reason: 'refused', detail: expect.not.stringContaining('secret') });
  });
});
