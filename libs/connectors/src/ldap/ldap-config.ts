import { configurationName, type LocateRule } from '#claims';
import { z } from 'zod';
import { fileReference, lookupCache, secretReference, sourceKeys } from '../connector.js';
import { checkTrust, locateRuleKeys } from '../locate-rule.js';
import { FilterTemplate } from './filter-template.js';

/** A directory server, and how its connection is protected. */
export interface LdapServer {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly security: 'tls' | 'startTls' | 'none';
}

const filter = z.string().transform((text, context) => {
  const result = FilterTemplate.parse(text);
  if (result.kind === 'parsed') return result.template;
  context.addIssue({ code: 'custom', message: result.reason });
  return z.NEVER;
});

const locateRule = z
  .strictObject({ ...locateRuleKeys, filter: filter.describe('With the placeholder {value}, the key.') })
  .superRefine((rule, context) => {
    checkTrust(rule, context);
    if (!sameNames(rule.filter.parameters, ['value']))
      context.addIssue({ code: 'custom', path: ['filter'], message: 'must have the placeholder {value}, the key, and no other' });
  });

const attributeName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.;-]*$/, { error: 'must be the name of an attribute' });

const lookup = z
  .strictObject({
    base: z.string().min(1).describe('The distinguished name below which is searched.'),
    scope: z.enum(['base', 'one', 'subtree']).default('subtree').describe('How deep is searched.'),
    locate: z.array(locateRule).min(1).optional().describe('How this source finds the person signing in.'),
    parameters: z
      .array(z.string().regex(/^[A-Za-z][A-Za-z0-9_]*$/, { error: 'must be letters, digits and _' }))
      .min(1)
      .optional()
      .describe('What a mapping fills by `with`.'),
    filter: filter.optional().describe('What is searched for, where the lookup has parameters (RFC 4515).'),
    cache: lookupCache,
    binaryAttributes: z.array(attributeName).default([]).describe('Attributes whose values are bytes, besides the usual ones.'),
  })
  .superRefine((document, context) => {
    const refuse = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
    if (document.locate) {
      if (document.parameters) refuse('parameters', 'is not allowed beside locate');
      if (document.filter) refuse('filter', 'is not allowed beside locate: each rule has its own');
    } else if (!document.parameters || !document.filter) {
      refuse('locate', 'is missing: a lookup has either locate, or parameters and a filter');
    } else if (new Set(document.parameters).size < document.parameters.length) {
      refuse('parameters', 'names a parameter twice');
    } else if (!sameNames(document.filter.parameters, document.parameters)) {
      refuse('filter', `must use exactly the parameters ${document.parameters.map((name) => `{${name}}`).join(', ')}`);
    }
  })
  .transform(({ locate, parameters = [], filter: own, ...rest }) => ({
    ...rest,
    parameters: parameters as readonly string[],
    locate: (locate ?? []).map(({ key, when, fallThrough }): LocateRule => ({ key, when, fallThrough })),
    /** By locate rule; a lookup with parameters has one. */
    filters: locate ? locate.map((rule) => rule.filter) : [own!],
  }));

const address = z.string().superRefine((text, context) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const plain =
    url && url.username === '' && url.password === '' && url.search === '' && url.hash === '' && /^\/?$/.test(url.pathname);
  if (!plain || !['ldap:', 'ldaps:'].includes(url.protocol) || url.hostname === '')
    context.addIssue({ code: 'custom', message: 'must be ldaps://host, ldaps://host:port, or the same with ldap' });
});

/** The configuration of a source of type `ldap`; README.md describes every key. */
export const ldapConfig = z
  .strictObject({
    ...sourceKeys('ldap'),
    urls: z.array(address).min(1).describe('The servers of the directory, the preferred one first.'),
    startTls: z.boolean().default(false).describe('Upgrades ldap:// connections before anything is sent.'),
    allowClearText: z
      .boolean()
      .default(false)
      .describe('Allows ldap:// without startTls: the service’s password crosses the network readable.'),
    tls: z
      .strictObject({
        ca: fileReference.optional().describe('The authorities that are trusted, and no others; those of the system by default.'),
        servername: z.string().min(1).optional().describe('The name that the certificate has, where it is not the host’s.'),
      })
      .prefault({})
      .describe('Whom TLS trusts.'),
    bind: z
      .strictObject({
        dn: z.string().min(1).describe('The service’s distinguished name.'),
        password: secretReference.describe('Its password.'),
      })
      .describe('The service’s credentials.'),
    lookups: z.record(configurationName, lookup).describe('The questions that mappings may ask, by name.'),
  })
  .superRefine((document, context) => {
    for (const [index, url] of document.urls.entries()) {
      const refuse = (message: string): void => context.addIssue({ code: 'custom', path: ['urls', index], message });
      const clear = url.toLowerCase().startsWith('ldap:');
      if (clear && !document.startTls && !document.allowClearText)
        refuse('is not encrypted; use ldaps://, or startTls: true, or say allowClearText: true');
      if (!clear && document.startTls) refuse('is encrypted from the start; startTls is for ldap://');
    }
  })
  .transform(({ urls, startTls, ...rest }) => ({
    ...rest,
    servers: urls.map((text): LdapServer => {
      const url = new URL(text);
      const encrypted = url.protocol === 'ldaps:';
      return {
        url: text,
        host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
        port: url.port === '' ? (encrypted ? 636 : 389) : Number(url.port),
        security: encrypted ? 'tls' : startTls ? 'startTls' : 'none',
      };
    }),
  }));

export type LdapConfig = z.output<typeof ldapConfig>;
export type LdapLookup = LdapConfig['lookups'][string];

function sameNames(left: ReadonlySet<string>, right: readonly string[]): boolean {
  return left.size === right.length && right.every((name) => left.has(name));
}
