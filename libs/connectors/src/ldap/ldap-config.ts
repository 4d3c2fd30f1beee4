import { configurationName, type LocateRule } from '#claims';
import { z } from 'zod';
import { lookupCache, sourceKeys } from '../connector.js';
import { checkTrust, locateRuleKeys } from '../locate-rule.js';
import { checkConnection, connectionKeys, connectionOf } from './connection-config.js';
import { FilterTemplate } from './filter-template.js';

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

/** The configuration of a source of type `ldap`; README.md describes every key. */
export const ldapConfig = z
  .strictObject({
    ...sourceKeys('ldap'),
    ...connectionKeys,
    lookups: z.record(configurationName, lookup).describe('The questions that mappings may ask, by name.'),
  })
  .superRefine((document, context) =>
    checkConnection(document, (path, message) => context.addIssue({ code: 'custom', path: [...path], message })),
  )
  .transform((document) => ({ ...document, ...connectionOf(document) }));

export type LdapConfig = z.output<typeof ldapConfig>;
export type LdapLookup = LdapConfig['lookups'][string];

function sameNames(left: ReadonlySet<string>, right: readonly string[]): boolean {
  return left.size === right.length && right.every((name) => left.has(name));
}
