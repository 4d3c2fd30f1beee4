import { describe, expect, it } from 'vitest';
import { startClaimsService } from '../conformance/events/claims-service.js';
import { canary, tokenIssuanceStart } from '../conformance/events/wire-events.js';
import { bodyOf } from './bodies.js';
import { fuzzHttp } from './http.js';
import { fuzzParse, type ParseTarget } from './parse.js';
import { growth } from './report.js';
import { parseTargets, serviceEvents } from './targets.js';

const seed = 20_260_401;
const event = JSON.stringify(tokenIssuanceStart());

describe('a share of the fuzz run; npm run fuzz is the whole', () => {
  it.each(parseTargets)('$name takes or refuses every body', (target) => {
    const { accepted, refused } = fuzzParse(target, 3_000, seed);
    expect(accepted).toBeGreaterThan(100);
    expect(refused).toBeGreaterThan(1_000);
  });

  it('the service answers every body, and none with a failure', async () => {
    await using service = await startClaimsService();
    const statuses = await fuzzHttp(service, serviceEvents, 2_000, seed);
    expect(Object.values(statuses).reduce((sum, count) => sum + count, 0)).toBe(2_000);
    expect(statuses[200]).toBeGreaterThan(100);
    expect(statuses[400]).toBeGreaterThan(500);
  });
});

describe('the fuzzer', () => {
  const target = (parse: ParseTarget['parse']): ParseTarget => ({ name: 'a parser', events: [event], parse });

  it('makes the same body again from seed and index', () => {
    for (const index of [0, 7, 4_711]) expect(bodyOf(seed, index, [event])).toEqual(bodyOf(seed, index, [event]));
    expect(bodyOf(seed, 4, [event])).not.toEqual(bodyOf(seed + 1, 4, [event]));
  });

  it.each<[string, ParseTarget['parse'], string]>([
    ['throws', (body) => JSON.parse(Buffer.from(body).toString()) as never, 'threw SyntaxError'],
    [
      'repeats a value',
      (body) => ({ kind: 'refused', issues: [{ path: '', reason: `must not be ${Buffer.from(body).toString()}` }] }),
      'repeated a value',
    ],
    ['refuses without a reason', () => ({ kind: 'refused', issues: [] }), 'refused without a reason'],
    ['accepts what has no tenant', () => ({ kind: 'event', event: { correlationId: canary } }), 'tenantId is no GUID'],
    [
      'pollutes the prototype',
      () => {
        Reflect.defineProperty(Object.getPrototypeOf({}) as object, canary, { value: 1, configurable: true });
        return { kind: 'refused', issues: [{ path: '', reason: 'must be an object' }] };
      },
      'polluted the prototype',
    ],
  ])('finds a parser that %s, and prints seed and input', (_name, parse, fault) => {
    expect(() => fuzzParse(target(parse), 1_000, seed)).toThrow(
      new RegExp(`${fault}.*\n.*seed ${seed}, input \\d+, in base64: `),
    );
    Reflect.deleteProperty(Object.prototype, canary);
  });

  it('tells memory that grows from memory that is flat', () => {
    const at = (megabytes: number) => ({ resident: megabytes * 1_048_576, heap: 40 * 1_048_576 });
    expect(growth([60, 100, 110, 105, 120].map(at))).toBeUndefined();
    expect(growth([60, 100, 130, 160, 190].map(at))).toContain('resident memory grew');
  });
});
