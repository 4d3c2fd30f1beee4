import { configurationName } from '#claims';
import { z } from 'zod';
import { sourceKeys } from '../connector.js';
import { checkConnection, connectionKeys, connectionOf } from './connection-config.js';
import { ldapLookup } from './ldap-lookup.js';

/** The configuration of a source of type `ldap`; README.md describes every key. */
export const ldapConfig = z
  .strictObject({
    ...sourceKeys('ldap'),
    ...connectionKeys,
    lookups: z.record(configurationName, ldapLookup).describe('The questions that mappings may ask, by name.'),
  })
  .superRefine((document, context) =>
    checkConnection(document, (path, message) => context.addIssue({ code: 'custom', path: [...path], message })),
  )
  .transform((document) => ({ ...document, ...connectionOf(document) }));

export type LdapConfig = z.output<typeof ldapConfig>;
