import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { guid, wireEvents } from '../../test/wire-events.js';
import { authEventKinds, authEvents, type AuthEventKind } from '../auth-events.js';
import { TokenIssuanceStartDto } from '../token-issuance-start/request.dto.js';
import { tokenIssuanceStartEvent } from '../token-issuance-start/event.js';
import type { Acceptor } from './compile-acceptor.js';
import { EventReader, type AcceptorDisagreement } from './event-reader.js';

const runs = Number(process.env['CLAIMBRIDGE_DIFFERENTIAL_RUNS'] ?? 3_000);
const seed = Number(process.env['CLAIMBRIDGE_DIFFERENTIAL_SEED'] ?? 1);

const bytes = (value: unknown): Uint8Array => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const wire = bytes(wireEvents.tokenIssuanceStart());

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** Names that matter somewhere: those of the contract, their other spellings, and those of JavaScript's own objects. */
const names = [
  'type',
  'source',
  'data',
  '@odata.type',
  '@odata.Type',
  'tenantId',
  'authenticationContext',
  'user',
  'id',
  'mail',
  'client',
  'clientIp',
  'ip',
  'onetimecode',
  'oneTimeCode',
  'attributes',
  'identities',
  'claims',
  'value',
  'userSignUpInfo',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'then',
  'length',
  'size',
  'get',
  '0',
  '',
  'unknown',
];

const { leaf } = fc.letrec<{ leaf: Json; object: Json; list: Json }>((tie) => ({
  leaf: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<Json>(null, '', ' ', 'text', 0, 1, 1e308, true, false, [], {}, [null], [[]], [{}], [[{}]]),
    fc.constantFrom<Json>(guid(9), guid(9).toLowerCase(), `${guid(9)}\n`, `{${guid(9)}}`, 'microsoft.graph.x'),
    fc.string({ unit: 'binary' }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    tie('object'),
    tie('list'),
  ),
  object: fc
    .array(fc.tuple(fc.constantFrom(...names), tie('leaf')), { maxLength: 4 })
    .map((entries) => Object.fromEntries(entries) as Json),
  list: fc.array(tie('leaf'), { maxLength: 3 }),
}));

type Change = {
  readonly at: number;
  readonly how: 'set' | 'remove' | 'add' | 'rename' | 'wrap';
  readonly name: string;
  readonly to: Json;
};

const change: fc.Arbitrary<Change> = fc.record({
  at: fc.nat(),
  how: fc.constantFrom<Change['how']>('set', 'set', 'set', 'remove', 'add', 'add', 'rename', 'wrap'),
  name: fc.constantFrom(...names),
  to: leaf,
});

/** Every place of a value: the object or list that has it, and its name there. */
function placesOf(value: Json): [Record<string, Json>, string][] {
  if (typeof value !== 'object' || value === null) return [];
  const holder = value as Record<string, Json>;
  return Object.keys(holder).flatMap((name) => [[holder, name], ...placesOf(holder[name]!)] as [Record<string, Json>, string][]);
}

/** An own member, whatever its name; of a list, one more entry where the name is not that of one. */
function put(holder: Record<string, Json>, name: string, value: Json): void {
  if (Array.isArray(holder) && !Object.hasOwn(holder, Number(name))) {
    holder.push(value);
    return;
  }
  Object.defineProperty(holder, name, { value, enumerable: true, configurable: true, writable: true });
}

function changedBy(event: Json, changes: readonly Change[]): Json {
  for (const { at, how, name, to: given } of changes) {
    const to = structuredClone(given);
    const places = placesOf(event);
    const [holder, own] = places[at % places.length]!;
    const value = holder[own]!;
    if (how === 'set') put(holder, own, to);
    if (how === 'wrap') put(holder, own, [value]);
    if (how === 'add') put(typeof value === 'object' && value !== null ? (value as Record<string, Json>) : holder, name, to);
    if (how === 'remove' || how === 'rename') delete holder[own];
    if (how === 'rename') put(holder, name, value);
    if (places.length === 1) break;
  }
  return event;
}

const body = fc
  .tuple(fc.constantFrom(...authEventKinds), fc.array(change, { maxLength: 4 }))
  .map(([kind, changes]) => ({ kind, text: JSON.stringify(changedBy(wireEvents[kind]() as Json, changes)) }));

function read(kind: AuthEventKind, given: unknown) {
  const disagreements: AcceptorDisagreement[] = [];
  const result = authEvents[kind].reader.read(bytes(given), { recheck: 1, report: (found) => disagreements.push(found) });
  expect(disagreements).toEqual([]);
  return result;
}

describe('the compiled acceptor and class-validator', () => {
  it(`agree on ${runs} generated bodies of all events: the same verdict, a deeply equal event`, { timeout: 600_000 }, () => {
    const verdicts = { event: 0, refused: 0 };
    fc.assert(
      fc.property(body, ({ kind, text }) => {
        verdicts[read(kind, text).kind]++;
      }),
      { seed, numRuns: runs },
    );
    // Neither verdict may be a rarity, or the comparison would say little.
    expect(Math.min(verdicts.event, verdicts.refused)).toBeGreaterThan(runs / 5);
  });

  it.each(authEventKinds)('agree on each %s with one property taken away, null, or of another type', (kind) => {
    const verdicts = new Set<string>();
    const places = placesOf(wireEvents[kind]() as Json).length;
    for (let at = 0; at < places; at++)
      for (const to of [undefined, null, '', 'x', 0, 1.5, true, [], {}, [{}], [[{}]], { constructor: {} }, { then: 'x' }]) {
        const event = wireEvents[kind]() as Json;
        const [holder, name] = placesOf(event)[at]!;
        if (to === undefined) delete holder[name];
        else put(holder, name, to as Json);
        verdicts.add(read(kind, event).kind);
      }
    expect(verdicts).toEqual(new Set(['event', 'refused']));
  });
});

describe('EventReader', () => {
  const report = (acceptor: Acceptor<TokenIssuanceStartDto>, recheck: number, given = wire) => {
    const found: AcceptorDisagreement[] = [];
    const reader = new EventReader('tokenIssuanceStart', TokenIssuanceStartDto, tokenIssuanceStartEvent, acceptor);
    return { result: reader.read(given, { recheck, report: (each) => found.push(each) }), found };
  };
  const right = authEvents.tokenIssuanceStart.reader.prepare();

  it('asks class-validator where the acceptor does not accept, and says so where class-validator does', () => {
    const { result, found } = report(() => undefined, 0);
    expect(result.kind).toBe('event');
    expect(found).toEqual([{ event: 'tokenIssuanceStart', difference: 'acceptedOnlyByValidator' }]);
  });

  it('takes back what only the acceptor accepted, where it is checked again', () => {
    const accepted = right(wireEvents.tokenIssuanceStart())!;
    const { result, found } = report(() => structuredClone(accepted), 1, bytes('{}'));
    expect(result.kind).toBe('refused');
    expect(found).toEqual([{ event: 'tokenIssuanceStart', difference: 'acceptedOnlyByAcceptor' }]);
    expect(report(() => structuredClone(accepted), 0, bytes('{}')).result.kind).toBe('event');
  });

  it("gives class-validator's event where the two differ", () => {
    const { result, found } = report((value) => ({ ...right(value)!, source: 'another' }), 1);
    expect(result.kind === 'event' && result.event.source).toBe(wireEvents.tokenIssuanceStart().source);
    expect(found).toEqual([{ event: 'tokenIssuanceStart', difference: 'eventsDiffer' }]);
  });

  it('reports nothing where they agree', () => {
    expect(report(right, 1).found).toEqual([]);
    expect(report(right, 1, bytes('{}')).found).toEqual([]);
  });
});
