import { configurationName } from '#claims';
import { z } from 'zod';
import { fileReference, secretReference, sourceKeys } from '../connector.js';
import { ldapLookup } from './ldap-lookup.js';

/** A directory server, and how its connection is protected. */
export interface LdapServer {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly security: 'tls' | 'startTls' | 'none';
}

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
    lookups: z.record(configurationName, ldapLookup).describe('The questions that mappings may ask, by name.'),
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
