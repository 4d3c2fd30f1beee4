import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answer } from '../answer.js';
import { writeAnswer, type WrittenAnswer } from '../auth-events.js';
import type { AnswerClaim } from './answer.js';

const writeClaims = (claims: ReadonlyMap<string, AnswerClaim>): WrittenAnswer =>
  writeAnswer('tokenIssuanceStart', answer.provideClaims(claims));

describe('writeClaims', () => {
  it('writes exactly one action, as Entra asks for', () => {
    const written = writeClaims(
      new Map<string, AnswerClaim>([
        ['tier', 'gold'],
        ['roles', ['a', 'b']],
      ]),
    );
    expect(written.kind === 'written' && JSON.parse(written.body)).toEqual({
      data: {
        '@odata.type': 'microsoft.graph.onTokenIssuanceStartResponseData',
        actions: [
          {
            '@odata.type': 'microsoft.graph.tokenIssuanceStart.provideClaimsForToken',
            claims: { tier: 'gold', roles: ['a', 'b'] },
          },
        ],
      },
    });
    expect(writeClaims(new Map()).kind).toBe('written');
  });

  it.each<[string, unknown, unknown]>([
    ['an empty name', '', 'x'],
    ['a blank name', '  ', 'x'],
    ['a number', 'a', 1],
    ['a boolean', 'a', true],
    ['null', 'a', null],
    ['an object', 'a', {}],
    ['a list with a number', 'a', ['x', 1]],
    ['more than Entra takes', 'a', 'é'.repeat(1_500)],
  ])('refuses %s', (_name, name, value) => {
    expect(writeClaims(new Map([[name as string, value as AnswerClaim]])).kind).toBe('malformed');
  });

  it('keeps every name and value as it is, hostile ones too', () => {
    const value = fc.oneof(fc.string({ unit: 'binary' }), fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 4 }));
    const name = fc.oneof(
      fc.constantFrom('__proto__', 'constructor', 'toString'),
      fc.string({ minLength: 1 }).filter((text) => text.trim() !== ''),
    );
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(name, value), { selector: ([key]) => key, maxLength: 5 }), (claims) => {
        const written = writeClaims(new Map(claims));
        if (written.kind !== 'written') return;
        const { data } = JSON.parse(written.body) as { data: { actions: [{ claims: object }] } };
        expect(Object.entries(data.actions[0].claims).toSorted()).toEqual(claims.toSorted());
      }),
    );
  });

  it('takes claims as a record or as a map', () => {
    expect(answer.provideClaims({ a: 'b' })).toEqual(answer.provideClaims(new Map([['a', 'b']])));
  });
});
