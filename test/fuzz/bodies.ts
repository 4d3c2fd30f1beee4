import { canary, type Json } from '../conformance/events/wire-events.js';
import { Random } from './random.js';

/** What the service takes at most; the generator stays below it, but for rare inputs just above. */
const maximumBytes = 65_536;

const scalars: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  9_007_199_254_740_992,
  1e308,
  '',
  ' ',
  canary,
  `${canary}\u0000`,
  '__proto__',
  'null',
  '12345678',
  '00000000-0000-0000-0000-000000000000',
  'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF',
  '95d40617-4f5e-4061-8273-8e9fa0b1c2d3 ',
  '\u202E\uFEFF\u2028👩🏽‍🚀',
  'a\uD83Db',
  '\uDC00',
  '\u0000',
  'x'.repeat(3_000),
  'microsoft.graph.authenticationEvent.tokenIssuanceStart',
  '*)(objectClass=*',
  "' or 1=1 --",
  '${jndi:ldap://x}',
];
const keys: readonly string[] = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'then',
  'toJSON',
  'valueOf',
  'length',
  '0',
  '',
  'unknownKey',
  '@odata.type',
  '@odata.Type',
  '\uD800',
  'id',
  'user',
  'data',
];
const tokens: readonly string[] = [
  ...'{}[]:,"\\ \n\0-'.split(''),
  ...['{}', '[]', 'null', 'true', 'NaN', '1e400', '1E5', '.5', '0x1', '//', '/*', '\uFEFF'].concat([
    '"type"',
    '"data"',
    '"source"',
    '"__proto__"',
    `"${canary}"`,
    String.raw`\ud800`,
    String.raw`\u0000`,
  ]),
];

type Container = Json | unknown[];

/**
 * The body number `index` of a seed: the same bytes every time. Mostly an event of `events` with a few things otherwise, down to
 * bytes that are no text at all.
 */
export function bodyOf(seed: number, index: number, events: readonly string[]): Uint8Array {
  const random = new Random(seed, index);
  const how = random.below(100);
  if (how < 4) return randomBytes(random, random.below(400));
  if (how < 8) return Buffer.from(soup(random, 1 + random.below(60)));
  const event = random.one(events);
  if (how < 12) return Buffer.from(event);
  const document = JSON.parse(event) as Json;
  if (how < 85) for (let left = random.below(4); left >= 0; left--) changeDocument(random, document);
  const text = changeText(random, JSON.stringify(document), how >= 70);
  return how % 10 === 0 ? changeBytes(random, Buffer.from(text)) : Buffer.from(text);
}

function changeDocument(random: Random, document: Json): void {
  const [parent, key] = aPlace(random, document);
  const at = parent as Record<string, unknown>;
  switch (random.below(10)) {
    case 0:
      delete at[key];
      return;
    case 1:
      at[key] = null;
      return;
    case 2:
      put(at, random.one(keys), aValue(random, 2));
      return;
    case 3:
      at[key] = [at[key]];
      return;
    case 4: {
      const [other, otherKey] = aPlace(random, document);
      const moved = at[key];
      at[key] = typeof (other as Json)[otherKey] === 'object' ? canary : (other as Json)[otherKey];
      if (typeof moved !== 'object') (other as Json)[otherKey] = moved;
      return;
    }
    case 5: {
      const value = at[key];
      delete at[key];
      put(at, random.once(2) ? key.toUpperCase() : `${key} `, value);
      return;
    }
    case 6: {
      const value = at[key];
      if (typeof value === 'string') at[key] = changeString(random, value);
      return;
    }
    default:
      at[key] = aValue(random, 3);
  }
}

/** Defines, so that `__proto__` becomes a key of its own. */
function put(at: object, key: string, value: unknown): void {
  if (Array.isArray(at)) at.push(value);
  else Object.defineProperty(at, key, { value, enumerable: true, configurable: true, writable: true });
}

function aPlace(random: Random, document: Json): readonly [Container, string] {
  let at: Container = document;
  for (;;) {
    const names = Object.keys(at);
    if (names.length === 0) return [at, 'unknownKey'];
    const name = random.one(names);
    const next: unknown = (at as Json)[name];
    if (typeof next !== 'object' || next === null || random.once(5)) return [at, name];
    at = next as Container;
  }
}

function aValue(random: Random, depth: number): unknown {
  const how = random.below(10);
  if (depth === 0 || how < 6) return random.one(scalars);
  const size = random.below(4);
  if (how < 8) return Array.from({ length: size }, () => aValue(random, depth - 1));
  const made = {};
  for (let left = size; left > 0; left--) put(made, random.one(keys), aValue(random, depth - 1));
  return made;
}

function changeString(random: Random, text: string): string {
  const at = random.below(text.length + 1);
  const how = random.below(6);
  if (how === 0) return text.toUpperCase();
  if (how === 1) return text.slice(0, at);
  if (how === 2) return text.slice(0, at) + String.fromCharCode(random.below(0x10000)) + text.slice(at);
  if (how === 3) return text.slice(0, at) + text.slice(at + 1);
  if (how === 4) return text + text;
  return text.slice(0, at) + random.one(['\n', '\0', '\u2028', '\uD83D', 'İ', 'ſ', '９']) + text.slice(at + 1);
}

function changeText(random: Random, text: string, much: boolean): string {
  if (random.once(400)) return nested(random, text);
  if (!much) return text;
  const at = random.below(text.length);
  const to = at + random.below(40);
  switch (random.below(8)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(0, at) + random.one(tokens) + text.slice(at);
    case 2:
      return text.slice(0, at) + text.slice(to);
    case 3:
      return text.slice(0, to) + text.slice(at, to) + text.slice(to);
    case 4:
      return twice(random, text);
    case 5:
      return `\uFEFF${text}`;
    case 6:
      return text.slice(0, at) + random.one(tokens) + text.slice(at + 1);
    default:
      return text;
  }
}

/** With some value of the text replaced by one that nests as deep as the size of a body allows. */
function nested(random: Random, text: string): string {
  const values = [...text.matchAll(/:("[^"]*"|null|true|\{)/g)];
  const value = random.one(values);
  if (!value) return text;
  const [open, close] = random.one([
    ['[', ']'],
    ['{"user":', '}'],
    ['{"__proto__":', '}'],
  ]);
  const most = Math.floor((maximumBytes - text.length) / (open!.length + close!.length));
  const depth = 1 + random.below(Math.max(1, most - 1));
  return `${text.slice(0, value.index + 1)}${open!.repeat(depth)}1${close!.repeat(depth)}${text.slice(value.index + value[0].length)}`;
}

/** With a key of the text there twice, the second time with another value. */
function twice(random: Random, text: string): string {
  const all = [...text.matchAll(/"[A-Za-z@.]+":/g)];
  const key = random.one(all);
  return key ? `${text.slice(0, key.index)}${key[0]}${JSON.stringify(aValue(random, 1))},${text.slice(key.index)}` : text;
}

function changeBytes(random: Random, bytes: Uint8Array): Uint8Array {
  const how = random.below(5);
  if (how === 0) return Buffer.from(Buffer.from(bytes).toString('utf8'), 'utf16le');
  if (how === 1) return Buffer.concat([bytes, randomBytes(random, 1 + random.below(8))]);
  if (how === 2 && random.once(50))
    return Buffer.concat([bytes, Buffer.alloc(maximumBytes - bytes.length + random.below(3), ' ')]);
  for (let left = random.below(4); left >= 0 && bytes.length > 0; left--)
    bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
  return bytes;
}

function randomBytes(random: Random, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, () => random.below(256));
}

function soup(random: Random, size: number): string {
  return Array.from({ length: size }, () => random.one(tokens)).join('');
}
