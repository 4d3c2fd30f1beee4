import { answer } from '#auth-events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startHandlerHost, type HandlerHost } from './handler-host.js';
import { claimsOf, theOnlyAction } from './wire-answers.js';
import { canary, eventKinds, wireEvents, type EventKind, type Json } from './wire-events.js';

let host: HandlerHost;

beforeAll(async () => {
  host = await startHandlerHost();
});

afterAll(() => host[Symbol.asyncDispose]());

async function answerTo(kind: EventKind, given: unknown) {
  host.handler.give = () => given;
  return host.post(kind, JSON.stringify(wireEvents[kind]()));
}

/** A form of answer that types would not have let a handler give. */
const evaded = (kind: string, fields: object = {}): unknown => ({ kind, ...fields });
const claims = (value: unknown, name = 'claim'): unknown => evaded('provideClaims', { claims: new Map([[name, value]]) });
const bytes = (count: number): string => 'x'.repeat(count - 'claim'.length);

const cyclic: Json = {};
cyclic['self'] = cyclic;

const anyEvent: readonly (readonly [string, unknown])[] = [
  ['nothing', undefined],
  ['null', null],
  ['a text', canary],
  ['a number', 200],
  ['an empty object', {}],
  ['an empty list', []],
  ['two answers', [answer.continueWithDefaultBehavior(), answer.provideClaims({})]],
  ['the body that Entra expects', { data: { actions: [{ claims: { claim: canary } }] } }],
  ['a kind that no event has', evaded(canary)],
  ['a kind that objects have', evaded('toString')],
  ['the kind __proto__', evaded('__proto__')],
  ['a kind that is not a text', { kind: 7 }],
  ['a failure that is a success', evaded('fail', { status: 200, code: 'x', publicMessage: 'x' })],
];

const malformed: Readonly<Record<EventKind, readonly (readonly [string, unknown])[]>> = {
  tokenIssuanceStart: [
    ['a number', claims(42)],
    ['a truth value', claims(true)],
    ['null', claims(null)],
    ['undefined', claims(undefined)],
    ['an object', claims({ text: canary })],
    ['a Date', claims(new Date(0))],
    ['a bigint', claims(1n)],
    ['a symbol', claims(Symbol(canary))],
    ['a function', claims(() => canary)],
    ['a boxed text', claims(Object(canary))],
    ['an object that writes itself', claims({ toJSON: () => canary })],
    ['a cycle', claims(cyclic)],
    ['a Set', claims(new Set([canary]))],
    ['a Buffer', claims(Buffer.from(canary))],
    ['a list with a number', claims([canary, 42])],
    ['a list with null', claims([null])],
    ['a list with a list', claims([[canary]])],
    ['a list with an object', claims([{ canary }])],
    ['a list with a hole', claims(Array(1))],
    ['a name that is empty', claims(canary, '')],
    ['a name of spaces', claims(canary, ' \t')],
    ['a name that is not a text', evaded('provideClaims', { claims: new Map<unknown, string>([[7, canary]]) })],
    ['3,001 bytes', claims(bytes(3_001))],
    ['3,002 bytes in 2,001 letters', claims(`${'ü'.repeat(1_001)}${bytes(1_000)}`)],
    ['3,001 bytes in a list', claims(['x', bytes(3_000)])],
    ['3,001 bytes of names', claims('', 'n'.repeat(3_001))],
    ['no claims', evaded('provideClaims')],
    ['claims that are null', evaded('provideClaims', { claims: null })],
    ['claims that are a list', evaded('provideClaims', { claims: [['claim', canary]] })],
    ['claims that are a text', evaded('provideClaims', { claims: canary })],
  ],
  attributeCollectionStart: [
    ['inputs with an object', evaded('setPrefillValues', { inputs: new Map([['city', { canary }]]) })],
    ['inputs with a list', evaded('setPrefillValues', { inputs: new Map([['city', [canary]]]) })],
    ['inputs with null', evaded('setPrefillValues', { inputs: new Map([['city', null]]) })],
    ['inputs with NaN', evaded('setPrefillValues', { inputs: new Map([['year', Number.NaN]]) })],
    ['inputs with Infinity', evaded('setPrefillValues', { inputs: new Map([['year', Number.POSITIVE_INFINITY]]) })],
    ['inputs without a name', evaded('setPrefillValues', { inputs: new Map([['', canary]]) })],
    ['no inputs', evaded('setPrefillValues')],
    ['a block page without a message', evaded('showBlockPage')],
    ['a block page with an empty message', answer.showBlockPage('')],
    ['a block page whose message is an object', evaded('showBlockPage', { message: { canary } })],
  ],
  attributeCollectionSubmit: [
    ['attributes with an object', evaded('modifyAttributeValues', { attributes: new Map([['city', { canary }]]) })],
    ['attributes with undefined', evaded('modifyAttributeValues', { attributes: new Map([['city', undefined]]) })],
    ['no attributes', evaded('modifyAttributeValues')],
    ['an error without a message', evaded('showValidationError', { attributeErrors: new Map([['city', canary]]) })],
    [
      'an error whose texts are numbers',
      evaded('showValidationError', { message: canary, attributeErrors: new Map([['city', 7]]) }),
    ],
    ['an error without attributes', evaded('showValidationError', { message: canary })],
    ['a block page with an empty message', answer.showBlockPage(' ')],
  ],
  emailOtpSend: [['the block page of another event', answer.showBlockPage(canary)]],
  passwordSubmit: [
    ['no nonce', evaded('migratePassword')],
    ['an empty nonce', answer.migratePassword('')],
    ['a nonce that is a number', evaded('retryPassword', { nonce: 7 })],
    ['a nonce that is an object', evaded('updatePassword', { nonce: { canary } })],
    ['a title that is an object', evaded('blockSignIn', { nonce: 'n', title: { canary } })],
  ],
  verifiedIdClaimValidation: [
    ['no failed claims', evaded('failVerification')],
    ['an empty list of failed claims', answer.failVerification([])],
    ['a text in place of a list', evaded('failVerification', { failedClaims: canary })],
    ['failed claims that are objects', evaded('failVerification', { failedClaims: [{ canary }] })],
  ],
};

interface WellFormed {
  /** The wire name of the action, or what is well-formed about it. */
  readonly name: string;
  readonly given: { readonly kind: string };
  /** Of the action. */
  readonly fields: Json;
  /** Of `data`, beside the action. */
  readonly beside: Json;
}

const row = (name: string, given: { readonly kind: string }, fields: Json = {}, beside: Json = {}): WellFormed => ({
  name,
  given,
  fields,
  beside,
});

/** Each event's own answers; what belongs to none of the others is malformed for them. */
const wellFormed: Readonly<Record<EventKind, readonly WellFormed[]>> = {
  tokenIssuanceStart: [
    row('no claims', answer.provideClaims({}), { claims: {} }),
    row('a text and a list', answer.provideClaims({ a: 'x', b: ['y', 'z'] }), { claims: { a: 'x', b: ['y', 'z'] } }),
    row('a list with one text stays a list', answer.provideClaims({ a: ['x'] }), { claims: { a: ['x'] } }),
    row('an empty text and an empty list', answer.provideClaims({ a: '', b: [] }), { claims: { a: '', b: [] } }),
    row('a Map', answer.provideClaims(new Map([['a', 'x']])), { claims: { a: 'x' } }),
    row('3,000 bytes', claims(bytes(3_000)) as { kind: string }, { claims: { claim: bytes(3_000) } }),
    row('characters of every kind', answer.provideClaims({ 'ü"\\': 'a\u2028\u0000"\\😀' }), {
      claims: { 'ü"\\': 'a\u2028\u0000"\\😀' },
    }),
    row('names that objects have', answer.provideClaims({ constructor: 'x', toString: 'y' }), {
      claims: { constructor: 'x', toString: 'y' },
    }),
  ],
  attributeCollectionStart: [
    row('continueWithDefaultBehavior', answer.continueWithDefaultBehavior(), {}),
    row('setPrefillValues', answer.setPrefillValues({ city: 'Bern', year: 2012, newsletter: false }), {
      inputs: { city: 'Bern', year: 2012, newsletter: false },
    }),
    row('showBlockPage', answer.showBlockPage('Not today.'), { message: 'Not today.' }),
  ],
  attributeCollectionSubmit: [
    row('continueWithDefaultBehavior', answer.continueWithDefaultBehavior(), {}),
    row('modifyAttributeValues', answer.modifyAttributeValues({ city: 'Bern', year: 0 }), {
      attributes: { city: 'Bern', year: 0 },
    }),
    row('showValidationError', answer.showValidationError({ message: 'Look again.', attributeErrors: { city: 'No digits.' } }), {
      message: 'Look again.',
      attributeErrors: { city: 'No digits.' },
    }),
    row('showBlockPage', answer.showBlockPage('Not today.'), { message: 'Not today.' }),
  ],
  emailOtpSend: [row('continueWithDefaultBehavior', answer.continueWithDefaultBehavior(), {})],
  passwordSubmit: [
    row('MigratePassword', answer.migratePassword('n-1'), {}, { nonce: 'n-1' }),
    row('UpdatePassword', answer.updatePassword('n-1'), {}, { nonce: 'n-1' }),
    row('Retry', answer.retryPassword('n-1'), {}, { nonce: 'n-1' }),
    row('Block', answer.blockSignIn('n-1'), {}, { nonce: 'n-1' }),
  ],
  verifiedIdClaimValidation: [
    row('pass', answer.passVerification(), {}),
    row('failed', answer.failVerification(['dateOfBirth']), { failedClaims: ['dateOfBirth'] }),
  ],
};

const wire: Readonly<Record<EventKind, { readonly data: string; readonly actions: string }>> = {
  tokenIssuanceStart: { data: 'onTokenIssuanceStartResponseData', actions: 'tokenIssuanceStart' },
  attributeCollectionStart: { data: 'onAttributeCollectionStartResponseData', actions: 'attributeCollectionStart' },
  attributeCollectionSubmit: { data: 'onAttributeCollectionSubmitResponseData', actions: 'attributeCollectionSubmit' },
  emailOtpSend: { data: 'OnOtpSendResponseData', actions: 'OtpSend' },
  passwordSubmit: { data: 'onPasswordSubmitResponseData', actions: 'passwordSubmit' },
  verifiedIdClaimValidation: { data: 'onVerifiedIdClaimValidationResponseData', actions: 'verifiedIdClaimValidation' },
};

/** Every answer that some event has, once. */
const everyAnswer = new Map(eventKinds.flatMap((kind) => wellFormed[kind].map(({ given }) => [given.kind, given] as const)));

describe.each(eventKinds)('%s', (kind) => {
  it.each(wellFormed[kind])('is answered: $name', async ({ name, given, fields, beside }) => {
    const { status, contentType, text } = await answerTo(kind, given);
    expect(status, text).toBe(200);
    expect(contentType).toMatch(/^application\/json(; charset=utf-8)?$/);
    const { data, actions } = wire[kind];
    const action = kind === 'tokenIssuanceStart' ? 'provideClaimsForToken' : name;
    const { '@odata.type': _type, ...rest } = theOnlyAction(text, { data, action: `${actions}.${action}` }, Object.keys(beside));
    expect(rest).toEqual(fields);
    expect((JSON.parse(text) as Json)['data']).toMatchObject(beside);
    if (kind === 'tokenIssuanceStart') expect(claimsOf(text)).toEqual(fields['claims']);
  });

  it('is answered later, too', async () => {
    const { given } = wellFormed[kind][0]!;
    expect((await answerTo(kind, Promise.resolve(given))).status).toBe(200);
  });

  it.each([...anyEvent, ...malformed[kind]])('never leaves malformed: %s', async (_name, given) => {
    const reported = host.reports.length;
    const { status, contentType, text } = await answerTo(kind, given);
    expect(status, text).toBe(500);
    expect(contentType).toMatch(/^application\/problem\+json/);
    expect(JSON.parse(text)).toMatchObject({ code: 'answer.malformed', status: 500 });
    expect(text).not.toContain(canary);
    expect(host.reports.slice(reported)).toMatchObject([{ code: 'answer.malformed' }]);
    expect(host.reports[reported]!.detail).not.toContain(canary);
  });

  it.each([...everyAnswer].filter(([answerKind]) => !wellFormed[kind].some(({ given }) => given.kind === answerKind)))(
    'has no answer %s',
    async (_kind, given) => {
      const { status, text } = await answerTo(kind, given);
      expect(status, text).toBe(500);
      expect(JSON.parse(text)).toMatchObject({ code: 'answer.malformed' });
    },
  );

  it('fails as its handler says', async () => {
    const { status, text } = await answerTo(kind, answer.fail('loyalty.away', 'The loyalty system did not answer.'));
    expect(status).toBe(503);
    expect(JSON.parse(text)).toMatchObject({ code: 'loyalty.away', title: 'The loyalty system did not answer.', status: 503 });
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error(canary);
      },
    ],
    [
      'throws something else',
      () => {
        throw canary;
      },
    ],
    ['rejects', () => Promise.reject(new Error(canary))],
  ])('is answered 500 when its handler %s, without the reason', async (_name, give) => {
    host.handler.give = give;
    const { status, text } = await host.post(kind, JSON.stringify(wireEvents[kind]()));
    expect(status).toBe(500);
    expect(JSON.parse(text)).toMatchObject({ code: 'service.defect' });
    expect(text).not.toContain(canary);
  });
});
