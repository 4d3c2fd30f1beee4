import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CalloutAnswer } from './callout.js';
import { judge, type ErrorCode } from './judge.js';

const good = (claims: unknown): object => ({
  data: {
    '@odata.type': 'microsoft.graph.onTokenIssuanceStartResponseData',
    actions: [{ '@odata.type': 'microsoft.graph.tokenIssuanceStart.provideClaimsForToken', claims }],
  },
});

const answered = (body: unknown, more: Partial<Extract<CalloutAnswer, { kind: 'answered' }>> = {}): CalloutAnswer => ({
  kind: 'answered',
  status: 200,
  contentType: 'application/json',
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
  ...more,
});

const changed = (act: (data: Record<string, unknown>) => void): object => {
  const body = structuredClone(good({ tier: 'gold' })) as { data: Record<string, unknown> };
  act(body.data);
  return body;
};

describe('judge', () => {
  it.each([
    ['texts and lists of texts', { tier: 'gold', roles: ['a', 'b'], none: [] }],
    ['no claims at all', {}],
    ['exactly 3,000 bytes', { n: 'x'.repeat(2_999) }],
  ])('accepts %s', (_name, claims) => {
    const verdict = judge(answered(good(claims)));
    expect(verdict).toMatchObject({ kind: 'provided', claims: new Map(Object.entries(claims)) });
  });

  it('accepts a content type with a charset', () => {
    expect(judge(answered(good({}), { contentType: 'Application/JSON; charset=utf-8' }))).toMatchObject({ kind: 'provided' });
  });

  it.each<[string, CalloutAnswer, ErrorCode]>([
    ['another status', answered(good({}), { status: 503 }), 1003002],
    ['a status that only looks good', answered(good({}), { status: 201 }), 1003002],
    ['a time-out', { kind: 'timedOut' }, 1003005],
    ['no connection', { kind: 'notConnected' }, 1003027],
    ['too large an answer', { kind: 'tooLarge', status: 200 }, 1003024],
    ['another content type', answered(good({}), { contentType: 'text/plain' }), 1003006],
    ['no content type', answered(good({}), { contentType: undefined }), 1003006],
    ['an empty body', answered(''), 1003009],
    ['a body that is not JSON', answered('{"data":'), 1003003],
    ['a body that is not UTF-8', answered('', { body: Uint8Array.of(0x7b, 0xff, 0x7d) }), 1003003],
    ['no data', answered({}), 1003003],
    ['another type of data', answered(changed((data) => (data['@odata.type'] = 'microsoft.graph.other'))), 1003003],
    ['no actions', answered(changed((data) => delete data['actions'])), 1003003],
    ['zero actions', answered(changed((data) => (data['actions'] = []))), 1003010],
    ['two actions', answered(changed((data) => (data['actions'] = [{}, {}]))), 1003010],
    ['an action without type', answered(changed((data) => (data['actions'] = [{ claims: {} }]))), 1003003],
    [
      'the old name of the action',
      answered(changed((data) => (data['actions'] = [{ '@odata.type': 'microsoft.graph.provideClaimsForToken' }]))),
      1003012,
    ],
    ['null claims', answered(good(null)), 1003007],
    ['a list of claims', answered(good([])), 1003003],
    ['a number', answered(good({ level: 3 })), 1003003],
    ['a boolean', answered(good({ active: true })), 1003003],
    ['an object', answered(good({ address: { city: 'Ulm' } })), 1003003],
    ['null', answered(good({ tier: null })), 1003003],
    ['a list with a number', answered(good({ roles: ['a', 1] })), 1003003],
    ['an empty name', answered(good({ '': 'x' })), 1003026],
    ['3,001 bytes', answered(good({ n: 'x'.repeat(3_000) })), 1003025],
    ['3,001 bytes in fewer characters', answered(good({ n: 'ü'.repeat(1_500) })), 1003025],
  ])('refuses %s', (_name, answer, errorCode) => {
    expect(judge(answer)).toMatchObject({ kind: 'refused', errorCode, detail: expect.any(String) });
  });

  it('never repeats a value', () => {
    const verdict = judge(answered(good({ tier: { secret: 'hunter2' } })));
    expect(verdict.kind === 'refused' && verdict.detail).not.toContain('hunter2');
  });

  it('judges whatever JSON comes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(['provided', 'refused']).toContain(judge(answered(JSON.stringify(value))).kind);
        expect(['provided', 'refused']).toContain(judge(answered(good(value))).kind);
      }),
    );
  });
});
