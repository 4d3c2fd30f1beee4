import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { answer } from './answer.js';
import type { AttributeCollectionStartAnswer } from './attribute-collection-start/answer.js';
import { AttributeCollectionStartResponseDto } from './attribute-collection-start/response.dto.js';
import { AttributeCollectionSubmitResponseDto } from './attribute-collection-submit/response.dto.js';
import { authEventKinds, writeAnswer, type AuthEventKind } from './auth-events.js';
import type { EmailOtpSendAnswer } from './email-otp-send/answer.js';
import { EmailOtpSendResponseDto } from './email-otp-send/response.dto.js';
import { AuthEventHandler, type AuthEventAnswer } from './http/auth-event-handler.js';
import { PasswordSubmitResponseDto } from './password-submit/response.dto.js';
import type { AnswerClaim, TokenIssuanceStartAnswer } from './token-issuance-start/answer.js';
import { TokenIssuanceStartResponseDto } from './token-issuance-start/response.dto.js';
import { VerifiedIdClaimValidationResponseDto } from './verified-id-claim-validation/response.dto.js';
import type { DtoClass } from './wire/decorators.js';
import { validateDto } from './wire/validate-dto.js';

const responses: Readonly<Record<AuthEventKind, DtoClass>> = {
  tokenIssuanceStart: TokenIssuanceStartResponseDto,
  attributeCollectionStart: AttributeCollectionStartResponseDto,
  attributeCollectionSubmit: AttributeCollectionSubmitResponseDto,
  emailOtpSend: EmailOtpSendResponseDto,
  passwordSubmit: PasswordSubmitResponseDto,
  verifiedIdClaimValidation: VerifiedIdClaimValidationResponseDto,
};

type Given = Exclude<AuthEventAnswer, { kind: 'fail' }>;

/** Each decision, and the document that Entra must get. */
const wire: readonly [AuthEventKind, Given, string, object, object?][] = [
  [
    'tokenIssuanceStart',
    answer.provideClaims({ tier: 'gold', roles: ['a', 'b'], none: [] }),
    'tokenIssuanceStart.provideClaimsForToken',
    { claims: { tier: 'gold', roles: ['a', 'b'], none: [] } },
  ],
  ['tokenIssuanceStart', answer.provideClaims({}), 'tokenIssuanceStart.provideClaimsForToken', { claims: {} }],
  ['attributeCollectionStart', answer.continueWithDefaultBehavior(), 'attributeCollectionStart.continueWithDefaultBehavior', {}],
  [
    'attributeCollectionStart',
    answer.setPrefillValues({ city: 'Bern', year: 2010, list: true }),
    'attributeCollectionStart.setPrefillValues',
    { inputs: { city: 'Bern', year: 2010, list: true } },
  ],
  [
    'attributeCollectionStart',
    answer.showBlockPage('Not yet.'),
    'attributeCollectionStart.showBlockPage',
    { message: 'Not yet.' },
  ],
  [
    'attributeCollectionSubmit',
    answer.continueWithDefaultBehavior(),
    'attributeCollectionSubmit.continueWithDefaultBehavior',
    {},
  ],
  [
    'attributeCollectionSubmit',
    answer.modifyAttributeValues({ city: 'Bern' }),
    'attributeCollectionSubmit.modifyAttributeValues',
    { attributes: { city: 'Bern' } },
  ],
  [
    'attributeCollectionSubmit',
    answer.showValidationError({ message: 'Please correct.', attributeErrors: { city: 'Not a city.' } }),
    'attributeCollectionSubmit.showValidationError',
    { message: 'Please correct.', attributeErrors: { city: 'Not a city.' } },
  ],
  ['attributeCollectionSubmit', answer.showBlockPage('No.'), 'attributeCollectionSubmit.showBlockPage', { message: 'No.' }],
  ['emailOtpSend', answer.continueWithDefaultBehavior(), 'OtpSend.continueWithDefaultBehavior', {}],
  ['passwordSubmit', answer.migratePassword('n'), 'passwordSubmit.MigratePassword', {}, { nonce: 'n' }],
  ['passwordSubmit', answer.updatePassword('n'), 'passwordSubmit.UpdatePassword', {}, { nonce: 'n' }],
  ['passwordSubmit', answer.retryPassword('n'), 'passwordSubmit.Retry', {}, { nonce: 'n' }],
  ['passwordSubmit', answer.blockSignIn('n'), 'passwordSubmit.Block', {}, { nonce: 'n' }],
  [
    'passwordSubmit',
    answer.blockSignIn('n', { title: 'Blocked', message: 'Call us.' }),
    'passwordSubmit.Block',
    { title: 'Blocked', message: 'Call us.' },
    { nonce: 'n' },
  ],
  ['verifiedIdClaimValidation', answer.passVerification(), 'verifiedIdClaimValidation.pass', {}],
  [
    'verifiedIdClaimValidation',
    answer.failVerification(['dateOfBirth']),
    'verifiedIdClaimValidation.failed',
    { failedClaims: ['dateOfBirth'] },
  ],
];

const dataTypes: Readonly<Record<AuthEventKind, string>> = {
  tokenIssuanceStart: 'onTokenIssuanceStartResponseData',
  attributeCollectionStart: 'onAttributeCollectionStartResponseData',
  attributeCollectionSubmit: 'onAttributeCollectionSubmitResponseData',
  emailOtpSend: 'OnOtpSendResponseData',
  passwordSubmit: 'onPasswordSubmitResponseData',
  verifiedIdClaimValidation: 'onVerifiedIdClaimValidationResponseData',
};

const written = (kind: AuthEventKind, given: unknown): string => {
  const result = writeAnswer(kind, given as Given);
  if (result.kind === 'malformed') expect.unreachable(result.reason);
  return (result as { body: string }).body;
};

const refusal = (kind: AuthEventKind, given: unknown): string => {
  const result = writeAnswer(kind, given as Given);
  return result.kind === 'malformed' ? result.reason : 'written';
};

describe('writeAnswer', () => {
  it.each(wire)('writes the answer of %s: %j', (kind, given, type, members, data = {}) => {
    const action = { '@odata.type': `microsoft.graph.${type}`, ...members };
    const document = { data: { '@odata.type': `microsoft.graph.${dataTypes[kind]}`, actions: [action], ...data } };
    expect(written(kind, given)).toBe(JSON.stringify(document));
    expect(validateDto(responses[kind], document).kind).toBe('valid');
  });

  it('writes for no event the action of another', () => {
    const kindsOf = (kind: AuthEventKind) => wire.filter(([own]) => own === kind).map(([, given]) => given.kind);
    for (const kind of authEventKinds)
      for (const [, given] of wire)
        expect(writeAnswer(kind, given).kind).toBe(kindsOf(kind).includes(given.kind) ? 'written' : 'malformed');
  });

  it.each([undefined, null, 'text', 1, [], {}, { kind: 'toString' }, { kind: '__proto__' }, { kind: 'fail' }])(
    'refuses %j',
    (given) => {
      for (const kind of authEventKinds) expect(refusal(kind, given)).toBe('the event has no such answer');
    },
  );

  it.each<[string, unknown, unknown]>([
    ['an empty name', '', 'x'],
    ['a blank name', '  ', 'x'],
    ['a name that is no text', 1, 'x'],
    ['a number', 'a', 1],
    ['a boolean', 'a', true],
    ['null', 'a', null],
    ['an object', 'a', {}],
    ['a list with a number', 'a', ['x', 1]],
    ['a list with null', 'a', [null]],
    // oxlint-disable-next-line no-sparse-arrays
    ['a list with a hole', 'a', ['x', , 'y']],
    ['a list in a list', 'a', [['x']]],
    ['more than Entra takes', 'a', 'é'.repeat(1_500)],
    ['a list of more than Entra takes', 'a', Array.from({ length: 4 }, () => 'x'.repeat(750))],
    ['a name of more than Entra takes', 'a'.repeat(3_000), 'x'],
  ])('refuses claims with %s', (_name, name, value) => {
    const given = answer.provideClaims(new Map([[name as string, value as AnswerClaim]]));
    expect(refusal('tokenIssuanceStart', given)).toContain('claims');
  });

  it('takes claims of exactly 3,000 bytes', () => {
    expect(written('tokenIssuanceStart', answer.provideClaims({ a: `${'é'.repeat(1_499)}x` }))).toContain('éx');
    expect(written('tokenIssuanceStart', answer.provideClaims({ '"': '"'.repeat(2_999) }))).toContain('\\"');
  });

  it.each<[AuthEventKind, unknown]>([
    ['tokenIssuanceStart', { kind: 'provideClaims' }],
    ['tokenIssuanceStart', { kind: 'provideClaims', claims: { a: 'b' } }],
    ['attributeCollectionStart', answer.showBlockPage(' ')],
    ['attributeCollectionStart', answer.setPrefillValues({ a: Number.NaN })],
    ['attributeCollectionStart', answer.setPrefillValues({ '': 'a' })],
    ['attributeCollectionStart', { kind: 'setPrefillValues', inputs: new Map([['a', {}]]) }],
    ['attributeCollectionSubmit', { kind: 'showValidationError', message: 'x', attributeErrors: new Map([['a', 1]]) }],
    ['attributeCollectionSubmit', { kind: 'modifyAttributeValues', attributes: new Map([['a', null]]) }],
    ['passwordSubmit', answer.migratePassword('')],
    ['passwordSubmit', { kind: 'retryPassword' }],
    ['passwordSubmit', answer.blockSignIn('n', { title: '' })],
    ['verifiedIdClaimValidation', answer.failVerification([])],
    ['verifiedIdClaimValidation', { kind: 'failVerification', failedClaims: 'dateOfBirth' }],
  ])('refuses what %s cannot send: %j', (kind, given) => {
    expect(writeAnswer(kind, given as Given).kind).toBe('malformed');
  });

  it('says nothing of a value in a reason', () => {
    const given = answer.provideClaims(new Map([['a', ['secret', 1] as unknown as string]]));
    expect(refusal('tokenIssuanceStart', given)).not.toContain('secret');
  });
});

const text = fc.string({ unit: 'binary', minLength: 1 }).filter((given) => given.trim() !== '');
const name = fc.oneof(fc.constantFrom('__proto__', 'constructor', 'toString', '@odata.type'), text);
const scalar = fc.oneof(fc.string({ unit: 'binary' }), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean());
const map = <Value>(value: fc.Arbitrary<Value>) =>
  fc.uniqueArray(fc.tuple(name, value), { selector: ([key]) => key, maxLength: 5 }).map((entries) => new Map(entries));
const claim = fc.oneof(fc.string({ unit: 'binary' }), fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 4 }));

const decisions: { readonly [Kind in AuthEventKind]: fc.Arbitrary<AuthEventAnswer<Kind>> } = {
  tokenIssuanceStart: map(claim).map(answer.provideClaims),
  attributeCollectionStart: fc.oneof(map(scalar).map(answer.setPrefillValues), text.map(answer.showBlockPage)),
  attributeCollectionSubmit: fc.oneof(
    map(scalar).map(answer.modifyAttributeValues),
    fc.record({ message: text, attributeErrors: map(fc.string()) }).map(answer.showValidationError),
    text.map(answer.showBlockPage),
  ),
  emailOtpSend: fc.constant(answer.continueWithDefaultBehavior()),
  passwordSubmit: fc.oneof(
    text.map(answer.migratePassword),
    fc.tuple(text, fc.record({ title: text, message: text }, { requiredKeys: [] })).map((given) => answer.blockSignIn(...given)),
  ),
  verifiedIdClaimValidation: fc.array(text, { minLength: 1 }).map(answer.failVerification),
};

/** What an object with these members would have, if the order of its members were theirs. */
function asJson(given: unknown): string {
  if (given instanceof Map)
    return `{${[...given].map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')}}`;
  return JSON.stringify(given);
}

describe('every answer that is written', () => {
  it.each(authEventKinds)('of %s is what JSON.stringify would give, and valid by its DTO', (kind) => {
    fc.assert(
      fc.property(decisions[kind] as fc.Arbitrary<AuthEventAnswer>, (given) => {
        const body = written(kind, given);
        expect(JSON.stringify(JSON.parse(body))).toBeDefined();
        expect(validateDto(responses[kind], JSON.parse(body) as Record<string, unknown>)).toMatchObject({ kind: 'valid' });
        const { kind: _kind, nonce, ...members } = given as unknown as Record<string, unknown>;
        for (const [member, value] of Object.entries(members))
          expect(body).toContain(`${JSON.stringify(member)}:${asJson(value)}`);
        if (nonce !== undefined) expect(JSON.parse(body)).toMatchObject({ data: { nonce } });
      }),
    );
  });

  it('is byte for byte the JSON of the object', () => {
    // Names that look like indexes come first in an object, whatever the order of the map.
    const isIndex = (key: string): boolean => /^\d+$/.test(key);
    fc.assert(
      fc.property(map(claim), (claims) => {
        fc.pre(![...claims.keys()].some(isIndex));
        const action = {
          '@odata.type': 'microsoft.graph.tokenIssuanceStart.provideClaimsForToken',
          claims: Object.fromEntries(claims),
        };
        const data = { '@odata.type': 'microsoft.graph.onTokenIssuanceStartResponseData', actions: [action] };
        expect(written('tokenIssuanceStart', answer.provideClaims(claims))).toBe(JSON.stringify({ data }));
      }),
    );
  });

  it('is refused by its DTO with another action, no action or two', () => {
    for (const [kind, given] of wire) {
      const { data } = JSON.parse(written(kind, given)) as { data: { actions: [object] } };
      for (const actions of [
        [],
        [...data.actions, ...data.actions],
        [{ '@odata.type': 'microsoft.graph.x' }],
        [{}],
        {},
        undefined,
      ])
        expect(validateDto(responses[kind], { data: { ...data, actions } }).kind).toBe('invalid');
    }
  });
});

describe('the declared answer to tokenIssuanceStart', () => {
  const action = { '@odata.type': 'microsoft.graph.tokenIssuanceStart.provideClaimsForToken', claims: { tier: 'gold' } };
  const response = (change: object = {}) => ({
    data: { '@odata.type': 'microsoft.graph.onTokenIssuanceStartResponseData', actions: [action], ...change },
  });
  const withClaims = (claims: unknown) => response({ actions: [{ ...action, claims }] });
  const verdict = (body: object): string => validateDto(TokenIssuanceStartResponseDto, { ...body }).kind;

  it('takes what Entra takes', () => {
    expect(verdict(response())).toBe('valid');
    expect(verdict(withClaims({}))).toBe('valid');
  });

  it.each<[string, object]>([
    ['no data', {}],
    ['another type', response({ '@odata.type': 'microsoft.graph.onOtpSendResponseData' })],
    ['no claims', withClaims(undefined)],
    ['claims that are null', withClaims(null)],
    ['claims that are a list', withClaims([])],
    ['a claim without a name', withClaims({ ' ': 'x' })],
    ['a number', withClaims({ tier: 1 })],
    ['null', withClaims({ tier: null })],
    ['a list of numbers', withClaims({ tier: [1] })],
    ['more than 3,000 bytes', withClaims({ tier: ['é'.repeat(1_000), 'é'.repeat(499)] })],
  ])('refuses %s', (_name, body) => expect(verdict(body)).toBe('invalid'));
});

describe('the types', () => {
  it('let a handler give the answers of its event only', () => {
    expectTypeOf(answer.provideClaims({})).toExtend<TokenIssuanceStartAnswer>();
    expectTypeOf(answer.continueWithDefaultBehavior()).toExtend<EmailOtpSendAnswer>();
    expectTypeOf(answer.fail('a', 'b')).toExtend<AuthEventAnswer<'passwordSubmit'>>();
    expectTypeOf(answer.provideClaims({})).not.toExtend<EmailOtpSendAnswer>();
    expectTypeOf(answer.modifyAttributeValues({})).not.toExtend<AttributeCollectionStartAnswer>();
    expectTypeOf(answer.showBlockPage('x')).not.toExtend<TokenIssuanceStartAnswer>();
    class Wrong extends AuthEventHandler {
      // @ts-expect-error a block page is no answer to tokenIssuanceStart
      override onTokenIssuanceStart() {
        return answer.showBlockPage('no');
      }
    }
    expect(Wrong).toBeDefined();
    // @ts-expect-error Entra takes texts and lists of texts
    expect(answer.provideClaims({ a: 1 }).kind).toBe('provideClaims');
  });

  it('take a record or a map', () => {
    expect(answer.provideClaims({ a: 'b' })).toEqual(answer.provideClaims(new Map([['a', 'b']])));
  });
});
