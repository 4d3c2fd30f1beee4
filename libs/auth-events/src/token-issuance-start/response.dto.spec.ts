import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answer } from '../answer.js';
import { writeAnswer } from '../auth-events.js';
import type { AnswerClaim } from './answer.js';
import { TokenIssuanceStartResponseDto } from './response.dto.js';

function faults(body: unknown): number {
  const response = plainToInstance(TokenIssuanceStartResponseDto, body, { excludeExtraneousValues: true });
  return validateSync(response, { forbidUnknownValues: true }).length;
}

const action = { '@odata.type': 'microsoft.graph.tokenIssuanceStart.provideClaimsForToken', claims: { tier: 'gold' } };
const response = (change: object = {}): object => ({
  data: { '@odata.type': 'microsoft.graph.onTokenIssuanceStartResponseData', actions: [action], ...change },
});

describe('the declared answer', () => {
  it('takes what Entra takes', () => {
    expect(faults(response())).toBe(0);
    expect(faults(response({ actions: [{ ...action, claims: {} }] }))).toBe(0);
  });

  it.each<[string, object]>([
    ['no data', {}],
    ['another type', response({ '@odata.type': 'microsoft.graph.onOtpSendResponseData' })],
    ['no action', response({ actions: [] })],
    ['two actions', response({ actions: [action, action] })],
    ['another action', response({ actions: [{ ...action, '@odata.type': 'x' }] })],
    ['a claim without a name', response({ actions: [{ ...action, claims: { ' ': 'x' } }] })],
    ['a number', response({ actions: [{ ...action, claims: { tier: 1 } }] })],
    ['null', response({ actions: [{ ...action, claims: { tier: null } }] })],
    ['a list of numbers', response({ actions: [{ ...action, claims: { tier: [1] } }] })],
  ])('refuses %s', (_name, body) => expect(faults(body)).toBe(1));

  it('is what is written, whatever claims a handler gives', () => {
    const value = fc.oneof(fc.string({ unit: 'binary' }), fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 4 }));
    const name = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => text.trim() !== '' && text !== '__proto__');
    fc.assert(
      fc.property(fc.dictionary(name, value), (claims) => {
        const written = writeAnswer('tokenIssuanceStart', answer.provideClaims(claims as Record<string, AnswerClaim>));
        if (written.kind !== 'written') return;
        const plain = response({ actions: [{ ...action, claims }] });
        expect(faults(JSON.parse(written.body))).toBe(0);
        expect(written.body).toBe(JSON.stringify(plain));
      }),
    );
  });
});
