import { constants } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { part, publicForms, unsigned, withCurve, withHmac, withRsa } from './forgery.js';
import {
  claims,
  accountOfToken,
  flipped,
  forged,
  header,
  kid,
  odd,
  pieces,
  signed,
  withMember,
  type TokenAttack,
} from './token-attack.js';
import { unauthenticated } from './refusal.js';
import { claimsOf, startTrustStack, type TrustStack } from './trust-stack.js';

let running: TrustStack;

beforeAll(async () => {
  running = await startTrustStack();
  await running.ready();
});

afterAll(() => running[Symbol.asyncDispose]());

describe('the algorithm', () => {
  const forms = ['PEM', 'PEM without the last line break', 'DER', 'PKCS #1', 'JWK', 'modulus', 'nothing'];
  const cases: TokenAttack[] = [
    ...['none', 'None', 'NONE', 'nOnE'].map((alg): TokenAttack => [
      `${alg}, without a signature`,
      'token.algorithm',
      () => unsigned({ ...header, alg }, claims()),
    ]),
    [
      'none, with the signature of a good token',
      'token.algorithm',
      async (stack) => {
        const [, payload, signature] = await pieces(stack);
        return `${part({ ...header, alg: 'none' })}.${payload}.${signature}`;
      },
    ],
    ...forms.flatMap((form): TokenAttack[] => [
      [
        `HS256 with the public key (${form})`,
        'token.algorithm',
        (stack) => withHmac({ ...header, alg: 'HS256' }, claims(), publicForms(stack.keys['contoso-2'])[form]!),
      ],
      [
        `an HMAC with the public key (${form}) that calls itself RS256`,
        'token.signature',
        (stack) => withHmac(header, claims(), publicForms(stack.keys['contoso-2'])[form]!),
      ],
    ]),
    [
      'HS512 with the public key',
      'token.algorithm',
      (stack) => withHmac({ ...header, alg: 'HS512' }, claims(), stack.keys['contoso-2'].publicPem, 'sha512'),
    ],
    [
      'RS384 by the right key',
      'token.algorithm',
      (stack) => withRsa(stack.keys['contoso-2'], { ...header, alg: 'RS384' }, claims(), { hash: 'sha384' }),
    ],
    [
      'RS512 by the right key',
      'token.algorithm',
      (stack) => withRsa(stack.keys['contoso-2'], { ...header, alg: 'RS512' }, claims(), { hash: 'sha512' }),
    ],
    [
      'RS1 (SHA-1) by the right key',
      'token.algorithm',
      (stack) => withRsa(stack.keys['contoso-2'], { ...header, alg: 'RS1' }, claims(), { hash: 'sha1' }),
    ],
    [
      'PS256 by the right key',
      'token.algorithm',
      (stack) =>
        withRsa(stack.keys['contoso-2'], { ...header, alg: 'PS256' }, claims(), {
          hash: 'sha256',
          padding: constants.RSA_PKCS1_PSS_PADDING,
          saltLength: 32,
        }),
    ],
    [
      'PS256 by the right key that calls itself RS256',
      'token.signature',
      (stack) =>
        withRsa(stack.keys['contoso-2'], header, claims(), {
          hash: 'sha256',
          padding: constants.RSA_PKCS1_PSS_PADDING,
          saltLength: 32,
        }),
    ],
    [
      'SHA-1 by the right key that calls itself RS256',
      'token.signature',
      (stack) => withRsa(stack.keys['contoso-2'], header, claims(), { hash: 'sha1' }),
    ],
    ['ES256 by a key of the attacker', 'token.algorithm', () => withCurve({ ...header, alg: 'ES256' }, claims(), 'P-256')],
    ['ES256 that calls itself RS256', 'token.signature', () => withCurve(header, claims(), 'P-256')],
    ['EdDSA by a key of the attacker', 'token.algorithm', () => withCurve({ ...header, alg: 'EdDSA' }, claims(), 'ed25519')],
    ['RSA1_5, an algorithm of encryption', 'token.algorithm', odd({ ...header, alg: 'RSA1_5' })],
    ['rs256 in lower case', 'token.algorithm', odd({ ...header, alg: 'rs256' })],
    ['RS256 and a space', 'token.algorithm', odd({ ...header, alg: 'RS256 ' })],
    ['RS256 and a NUL', 'token.algorithm', odd({ ...header, alg: 'RS256\0' })],
    ['RS256 in Greek and Cyrillic letters', 'token.algorithm', odd({ ...header, alg: 'RЅ256' })],
    ['RS256 in a list', 'token.algorithm', odd({ ...header, alg: ['RS256'] })],
    ['null', 'token.algorithm', odd({ ...header, alg: null })],
    ['none at all', 'token.algorithm', odd({ typ: 'JWT', kid })],
    ['an inherited member', 'token.algorithm', odd(`{"__proto__":{"alg":"RS256"},"typ":"JWT","kid":"${kid}"}`)],
    ['RS256 first and none after it', 'token.algorithm', odd(withMember(header, '"alg":"none"'))],
    [
      'none first and RS256 after it, unsigned',
      'token.signature',
      () => `${part(`{"alg":"none",${JSON.stringify(header).slice(1)}`)}.${part(claims())}.`,
    ],
  ];
  it.each(cases)('%s is refused: %s', async (_name, refusal, make) => {
    expect(await accountOfToken(running, make)).toEqual(unauthenticated(refusal));
  });
});

describe('the key', () => {
  const cases: TokenAttack[] = [
    ['of the attacker under a good key id', 'token.signature', forged({})],
    ['of the attacker in jwk', 'token.signature', (stack) => forged({ jwk: stack.foreign.publicJwk })(stack)],
    [
      'of the attacker in jwk, without a key id',
      'key.missing',
      (stack) => forged({ kid: undefined, jwk: stack.foreign.publicJwk })(stack),
    ],
    ['of the attacker at jku', 'token.signature', (stack) => forged({ jku: `${stack.server.origin}/attacker/keys` })(stack)],
    [
      'of the attacker at jku, under an unknown key id',
      'key.unknown',
      (stack) => forged({ kid: 'foreign', jku: `${stack.server.origin}/attacker/keys` })(stack),
    ],
    ['of the attacker at x5u', 'token.signature', (stack) => forged({ x5u: `${stack.server.origin}/attacker/keys` })(stack)],
    ['of the attacker in x5c', 'token.signature', forged({ x5c: [Buffer.from('certificate').toString('base64')] })],
    ['of the attacker under a good thumbprint', 'token.signature', forged({ x5t: kid, 'x5t#S256': kid })],
    ['named by a thumbprint only', 'key.missing', signed({}, { kid: undefined, x5t: kid })],
    ['of another issuer of the tenant', 'key.unknown', (stack) => stack.mint('contoso-2', {}, {}, stack.keys['contoso-1'])],
    [
      'of another issuer under the right key id',
      'token.signature',
      (stack) => stack.mint('contoso-2', {}, { kid }, stack.keys['contoso-1']),
    ],
    ['of another tenant', 'key.unknown', (stack) => stack.mint('contoso-2', {}, {}, stack.keys['fabrikam-id'])],
    [
      'of another tenant under the right key id',
      'token.signature',
      (stack) => stack.mint('contoso-2', {}, { kid }, stack.keys['fabrikam-id']),
    ],
    ['of contoso for fabrikam', 'key.unknown', (stack) => stack.mint('fabrikam-id', {}, {}, stack.keys['contoso-2'])],
    [
      'of the other host of an external tenant',
      'key.unknown',
      (stack) => stack.mint('fabrikam-name', {}, {}, stack.keys['fabrikam-id']),
    ],
    ['of the operators’ tenant', 'key.unknown', (stack) => stack.mint('contoso-2', {}, {}, stack.keys['admin-2'])],
    ...[undefined, '', null, 7, true, [kid], { kid }, 'k'.repeat(257)].map((id): TokenAttack => [
      `whose id is ${JSON.stringify(id)?.slice(0, 24)}`,
      'key.missing',
      odd({ ...header, kid: id }),
    ]),
    ...[
      'made-up',
      kid.toUpperCase(),
      `${kid} `,
      `${kid}\0`,
      '../../../../dev/null',
      "' or '1'='1",
      'https://attacker.example/keys',
      '__proto__',
      'constructor',
      'k\r\nx-injected: yes',
      '${jndi:ldap://attacker.example/a}',
      'k'.repeat(256),
      'ключ',
    ].map((id): TokenAttack => [`whose id is ${JSON.stringify(id).slice(0, 36)}`, 'key.unknown', odd({ ...header, kid: id })]),
    ['whose id is given twice, the unknown one last', 'key.unknown', odd(withMember(header, '"kid":"made-up"'))],
  ];
  it.each(cases)('%s is refused: %s', async (_name, refusal, make) => {
    expect(await accountOfToken(running, make)).toEqual(unauthenticated(refusal));
  });

  it('is never fetched from where a token says', () => {
    expect(running.server.asked('attacker', 'keys')).toBe(0);
  });
});

describe('header and signature', () => {
  const cases: TokenAttack[] = [
    ...[undefined, null, '', 'JWE', 'JOSE', 'dpop+jwt', 'logout+jwt', 'JWT ', 'text/JWT', ['JWT'], 'ＪＷＴ'].map(
      (typ): TokenAttack => [`the type ${JSON.stringify(typ)}`, 'token.type', odd({ ...header, typ })],
    ),
    ['a critical extension that is unknown', 'token.malformed', odd({ ...header, crit: ['x'], x: 1 })],
    ['critical extensions that are none', 'token.malformed', odd({ ...header, crit: [] })],
    ['critical extensions in text', 'token.malformed', odd({ ...header, crit: 'exp' })],
    ['a payload that is not encoded (b64)', 'token.malformed', odd({ ...header, b64: false, crit: ['b64'] })],
    ['no signature', 'token.signature', async (stack) => (await pieces(stack)).slice(0, 2).join('.') + '.'],
    [
      'a signature of zeros',
      'token.signature',
      async (stack) => [...(await pieces(stack)).slice(0, 2), part(Buffer.alloc(256))].join('.'),
    ],
    ['half a signature', 'token.signature', async (stack) => (await stack.mint('contoso-2')).slice(0, -171)],
    [
      'a signature of one byte more',
      'token.signature',
      async (stack) => {
        const [first, payload, signature] = await pieces(stack);
        return `${first}.${payload}.${part(Buffer.concat([Buffer.from(signature, 'base64url'), Buffer.alloc(1)]))}`;
      },
    ],
    [
      'the signature of another token',
      'token.signature',
      async (stack) => [...(await pieces(stack)).slice(0, 2), (await pieces(stack))[2]].join('.'),
    ],
    [
      'a bit of the signature changed',
      'token.signature',
      async (stack) => {
        const [first, payload, signature] = await pieces(stack);
        return `${first}.${payload}.${flipped(signature, 7)}`;
      },
    ],
    [
      'claims that were changed',
      'token.signature',
      async (stack) => {
        const [first, , signature] = await pieces(stack);
        return `${first}.${part(claims({ roles: ['Claims.Publish'] }))}.${signature}`;
      },
    ],
    [
      'a header that was changed',
      'token.signature',
      async (stack) => {
        const [, payload, signature] = await pieces(stack);
        return `${part({ ...header, x5t: kid })}.${payload}.${signature}`;
      },
    ],
    [
      'the signature of one issuer over the claims of another',
      'key.unknown',
      (stack) => withRsa(stack.keys['contoso-2'], header, claimsOf('contoso-1')),
    ],
  ];
  it.each(cases)('%s: refused, %s', async (_name, refusal, make) => {
    expect(await accountOfToken(running, make)).toEqual(unauthenticated(refusal));
  });
});
