import { configurationName, type LocateRule } from '#claims';
import { z } from 'zod';
import { fileReference, lookupCache, lookupParameters, secretReference, sourceKeys } from '../connector.js';
import { checkTrust, locateRuleKeys } from '../locate-rule.js';
import { JsonPointer } from './json-pointer.js';
import { RequestTemplate } from './request-template.js';

/** RFC 9110 §5.6.2: token. */
const headerName = z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, { error: 'must be the name of a header' });
const headerValue = z
  .string()
  .regex(/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/, { error: 'must be printable ASCII', abort: true });

/** What the protocol, the connection and the service itself decide. */
const ownHeaders: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'authorization',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
const freeHeaderName = headerName.refine((name) => !ownHeaders.has(name.toLowerCase()), {
  error: 'is a header that the connector sets itself',
});

const request = z
  .strictObject({
    method: z.enum(['GET', 'POST']).default('GET').describe('POST for systems that take their questions as JSON.'),
    path: z.string().default('').describe('Behind the source’s url; {name} stands for a whole segment.'),
    query: z.record(z.string().min(1), z.string()).default({}).describe('By name; {name} stands for a whole value.'),
    headers: z.record(freeHeaderName, headerValue).default({}).describe('Further headers, without placeholders.'),
    body: z.json().optional().describe('Sent as JSON; {name} stands for a whole string in it.'),
    idempotent: z
      .boolean()
      .optional()
      .describe('Whether it may be sent again where its connection was lost. GET may; POST only where this says so.'),
  })
  .transform((document, context) => {
    const refuse = (path: readonly (string | number)[], message: string): void =>
      context.addIssue({ code: 'custom', path: [...path], message });
    const { method, path, query, body, headers, idempotent = method === 'GET' } = document;
    if ((method === 'POST') !== (body !== undefined)) refuse(['body'], method === 'POST' ? 'is missing' : 'needs method: POST');
    const parsed = RequestTemplate.parse({ path, query, body });
    if (parsed.kind === 'parsed') return { method, headers, idempotent, template: parsed.template };
    refuse(parsed.at, parsed.reason);
    return z.NEVER;
  });

const pointer = z.string().transform((text, context) => {
  const parsed = JsonPointer.parse(text);
  if (parsed) return parsed;
  context.addIssue({ code: 'custom', message: 'must be a JSON Pointer (RFC 6901), such as /organisation/costCentre' });
  return z.NEVER;
});

const notFoundStatus = z
  .int()
  .refine((status) => status === 204 || (status >= 400 && status <= 499 && ![401, 403, 407, 408, 429].includes(status)), {
    error: 'must be 204 or a status from 400 to 499 that is about the entry: not 401, 403, 407, 408, 429',
  });

const locateRule = z
  .strictObject({ ...locateRuleKeys, request: request.describe('With the placeholder {value}, the key.') })
  .superRefine((rule, context) => {
    checkTrust(rule, context);
    if (!sameNames(rule.request.template.parameters, ['value']))
      context.addIssue({
        code: 'custom',
        path: ['request'],
        message: 'must have the placeholder {value}, the key, and no other',
      });
  });

const lookup = z
  .strictObject({
    locate: z.array(locateRule).min(1).optional().describe('How this source finds the person signing in.'),
    parameters: lookupParameters,
    request: request.optional().describe('What is asked, where the lookup has parameters.'),
    cache: lookupCache,
    entries: pointer
      .optional()
      .describe(
        'Where the answer has its list of entries: none is nobody, several are ambiguous. Without it the answer is one entry.',
      ),
    attributes: z.record(z.string().min(1), pointer).describe('Where an entry has each attribute (JSON Pointer, RFC 6901).'),
    notFound: z.array(notFoundStatus).default([404]).describe('The statuses that mean that there is no such entry.'),
  })
  .superRefine((document, context) => {
    const refuse = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
    const names = Object.keys(document.attributes).map((name) => name.toLowerCase());
    if (new Set(names).size < names.length) refuse('attributes', 'names an attribute twice: case does not count');
    if (document.locate) {
      if (document.parameters) refuse('parameters', 'is not allowed beside locate');
      if (document.request) refuse('request', 'is not allowed beside locate: each rule has its own');
    } else if (!document.parameters || !document.request) {
      refuse('locate', 'is missing: a lookup has either locate, or parameters and a request');
    } else if (new Set(document.parameters).size < document.parameters.length) {
      refuse('parameters', 'names a parameter twice');
    } else if (!sameNames(document.request.template.parameters, document.parameters)) {
      refuse('request', `must use exactly the parameters ${document.parameters.map((name) => `{${name}}`).join(', ')}`);
    }
  })
  .transform(({ locate, parameters = [], request: own, cache, entries, attributes, notFound }) => ({
    cache,
    parameters: parameters as readonly string[],
    locate: (locate ?? []).map(({ key, when, fallThrough }): LocateRule => ({ key, when, fallThrough })),
    /** By locate rule; a lookup with parameters has one. */
    requests: locate ? locate.map((rule) => rule.request) : [own!],
    shape: { attributes, entries },
    notFound: new Set(notFound) as ReadonlySet<number>,
  }));

/** A `?` or `#` alone would make the path that goes behind it something else; blanks and control characters `URL` leaves out. */
const address = z.string().superRefine((text, context) => {
  const url = /[\s\p{Cc}?#]/u.test(text) ? null : URL.parse(text);
  const plain = url && url.username === '' && url.password === '';
  if (!plain || !['https:', 'http:'].includes(url.protocol))
    context.addIssue({ code: 'custom', message: 'must be https://host/path, without user, query and fragment' });
});

const tlsFiles = z
  .strictObject({
    ca: fileReference.optional().describe('The authorities that are trusted, and no others; those of the system by default.'),
    certificate: fileReference.optional().describe('The service’s own certificate with its chain, for mutual TLS.'),
    key: secretReference.optional().describe('The key of that certificate.'),
    servername: z.string().min(1).optional().describe('The name that the server’s certificate has, where it is not the host’s.'),
  })
  .refine((tls) => (tls.certificate === undefined) === (tls.key === undefined), {
    error: 'needs both, certificate and key, or neither',
    path: ['key'],
  });

const auth = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('none').describe('No credentials, or mutual TLS alone.') }),
  z.strictObject({
    type: z.literal('bearer').describe('A token that does not change by itself.'),
    token: secretReference.describe('The token.'),
  }),
  z.strictObject({
    type: z.literal('apiKey').describe('A key in a header.'),
    header: freeHeaderName.default('X-Api-Key').describe('The header’s name.'),
    key: secretReference.describe('The key.'),
  }),
  z.strictObject({
    type: z.literal('basic').describe('User and password (RFC 7617).'),
    user: z
      .string()
      .regex(/^[^:]+$/, { error: 'must not have a colon' })
      .describe('The user’s name.'),
    password: secretReference.describe('The password.'),
  }),
  z.strictObject({
    type: z.literal('clientCredentials').describe('OAuth 2.0 client credentials (RFC 6749 §4.4).'),
    tokenUrl: address.describe('The address of the token endpoint.'),
    clientId: z.string().min(1).describe('The client’s id.'),
    clientSecret: secretReference.describe('The client’s secret.'),
    clientAuthentication: z
      .enum(['basic', 'body'])
      .default('basic')
      .describe('Where id and secret are sent: in the header (client_secret_basic) or in the body (client_secret_post).'),
    scope: z.string().min(1).optional().describe('What is asked for, separated by spaces.'),
    tokenParameters: z
      .record(z.string().min(1), z.string())
      .default({})
      .refine(
        (parameters) => ['grant_type', 'client_id', 'client_secret', 'scope'].every((name) => !Object.hasOwn(parameters, name)),
        { error: 'must not have grant_type, client_id, client_secret or scope' },
      )
      .describe('Further parameters of the token request, such as audience.'),
    tls: tlsFiles.prefault({}).describe('Files for the token endpoint.'),
  }),
]);

/** The configuration of a source of type `http`; README.md describes every key. */
export const httpConfig = z
  .strictObject({
    ...sourceKeys('http'),
    url: address.describe('The address of the API; each lookup’s path goes behind it.'),
    allowClearText: z
      .boolean()
      .default(false)
      .describe('Allows http://: credentials and values cross the network readable, and anybody on it can answer.'),
    privateAddresses: z
      .boolean()
      .default(false)
      .describe('Allows addresses of the company’s own network (RFC 1918, RFC 6598, RFC 4193).'),
    allowAddresses: z
      .array(z.union([z.cidrv4(), z.cidrv6()], { error: 'must be a network (CIDR), such as 127.0.0.1/32' }))
      .default([])
      .describe('Networks that are allowed whatever they are, this machine and link-local ones too.'),
    tls: tlsFiles.prefault({}).describe('Files for the API.'),
    auth: auth.prefault({ type: 'none' }).describe('The service’s credentials.'),
    maximumBytes: z
      .int()
      .min(1_024)
      .max(4 * 1_024 * 1_024)
      .default(256 * 1_024)
      .describe('The longest answer that is read.'),
    probe: z
      .strictObject({ path: z.string().startsWith('/').describe('Asked by GET with the service’s credentials; 2xx is up.') })
      .optional()
      .describe('How the system’s health is asked. Without it any answer below 500 to HEAD of the url is up.'),
    lookups: z.record(configurationName, lookup).describe('The questions that mappings may ask, by name.'),
  })
  .superRefine((document, context) => {
    const clear = (url: string): boolean => URL.parse(url)?.protocol === 'http:' && !document.allowClearText;
    const refuse = (path: string[], message: string): void => context.addIssue({ code: 'custom', path, message });
    if (clear(document.url)) refuse(['url'], 'is not encrypted; use https://, or say allowClearText: true');
    if (document.auth.type === 'clientCredentials' && clear(document.auth.tokenUrl))
      refuse(['auth', 'tokenUrl'], 'is not encrypted; use https://, or say allowClearText: true');
    if (document.probe) {
      const parsed = RequestTemplate.parse({ path: document.probe.path, query: {} });
      if (parsed.kind === 'refused') refuse(['probe', 'path'], parsed.reason);
      else if (parsed.template.parameters.size > 0) refuse(['probe', 'path'], 'must not have placeholders');
    }
  })
  .transform((document) => ({ ...document, url: document.url.replace(/\/+$/, '') }));

export type HttpConfig = z.output<typeof httpConfig>;
export type HttpLookup = HttpConfig['lookups'][string];

function sameNames(left: ReadonlySet<string>, right: readonly string[]): boolean {
  return left.size === right.length && right.every((name) => left.has(name));
}
