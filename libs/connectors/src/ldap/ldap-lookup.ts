import { duration, type LocateRule } from '#claims';
import { z } from 'zod';
import { lookupCache, lookupParameters } from '../connector.js';
import { checkTrust, locateRuleKeys } from '../locate-rule.js';
import { accountConditions } from './account-state.js';
import { BaseTemplate } from './base-template.js';
import { refusalOf } from './derived-attributes.js';
import { FilterTemplate } from './filter-template.js';

/** What a search of a lookup looks for, and where. */
export interface LdapQuestion {
  readonly base: BaseTemplate;
  readonly scope: 'base' | 'one' | 'sub';
  readonly filter: FilterTemplate;
}

const scopes = { base: 'base', one: 'one', subtree: 'sub' } as const;
const scope = z.enum(['base', 'one', 'subtree']);

const base = z.string().transform((text, context) => orRefuse(BaseTemplate.parse(text), context));

const filter = z.string().transform((text, context) => orRefuse(FilterTemplate.parse(text), context));

function orRefuse<Template>(
  result: { readonly kind: 'parsed'; readonly template: Template } | { readonly kind: 'refused'; readonly reason: string },
  context: z.RefinementCtx,
): Template {
  if (result.kind === 'parsed') return result.template;
  context.addIssue({ code: 'custom', message: result.reason });
  return z.NEVER;
}

const locateRule = z
  .strictObject({
    ...locateRuleKeys,
    base: base.optional().describe('Where this rule searches instead; {value} may stand in it.'),
    scope: scope.optional().describe('How deep this rule searches instead.'),
    filter: filter.describe('With the placeholder {value}, the key, unless the base has it.'),
  })
  .superRefine((rule, context) => {
    checkTrust(rule, context);
    if (!sameNames(parametersOf(rule.base, rule.filter), ['value']))
      context.addIssue({
        code: 'custom',
        path: ['filter'],
        message: 'must have the placeholder {value}, the key, and no other, unless the base has it',
      });
  });

const attributeName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.;-]*$/, { error: 'must be the name of an attribute' });

const plainFilter = z.string().superRefine((text, context) => {
  const result = FilterTemplate.parse(text);
  const reason = result.kind === 'refused' ? result.reason : result.template.parameters.size > 0 && 'takes no placeholder';
  if (reason) context.addIssue({ code: 'custom', message: reason });
});

const groups = z.strictObject({
  by: z
    .enum(['tokenGroups', 'tokenGroupsGlobalAndUniversal', 'chain', 'member'])
    .default('tokenGroups')
    .describe(
      'tokenGroups, or tokenGroupsGlobalAndUniversal: nested security groups as the domain controller computes them. chain: nested ones by Active Directory’s matching rule, slower. member: direct ones.',
    ),
  base: z.string().optional().describe('Below which entry groups are searched; by default the directory’s own naming context.'),
  filter: plainFilter.default('(objectClass=group)').describe('What is a group, where they are searched by chain or member.'),
  name: attributeName.default('sAMAccountName').describe('The attribute that is a group’s name.'),
  domains: z
    .record(
      z
        .string()
        .min(1)
        .transform((name) => name.toLowerCase()),
      z.string().min(1),
    )
    .default({})
    .describe('DNS name → NetBIOS name of domains, where the directory does not give it.'),
  leaveOut: z
    .array(z.enum(['builtin', 'distribution', 'domainLocal']))
    .default(['builtin', 'distribution'])
    .describe('Groups that do not count: those of S-1-5-32, those without security, domain local ones.'),
  unresolved: z
    .enum(['omit', 'unavailable'])
    .default('omit')
    .describe(
      'What becomes of a SID whose group this directory does not show: its name is left out, or the lookup is unavailable.',
    ),
  names: z
    .strictObject({
      ttl: duration.prefault('1h').describe('The name of a SID serves that long.'),
      entries: z.int().min(100).max(1_000_000).default(10_000).describe('The number of SIDs.'),
    })
    .prefault({})
    .describe('How much is kept of which SID is which group.'),
});

export type GroupsConfig = z.output<typeof groups>;

/** A lookup of a source of type `ldap`; README.md describes every key. */
export const ldapLookup = z
  .strictObject({
    base: base.describe(
      'The entry below which is searched: a distinguished name, <SID={name:sid}>, <GUID={name:guid}>, or nothing: the forest of a global catalog.',
    ),
    scope: scope.default('subtree').describe('How deep is searched.'),
    locate: z.array(locateRule).min(1).optional().describe('How this source finds the person signing in.'),
    parameters: lookupParameters,
    filter: filter.optional().describe('What is searched for, where the lookup has parameters (RFC 4515).'),
    entries: z
      .enum(['one', 'many'])
      .default('one')
      .describe('one: several entries are ambiguous. many: each attribute has the values of all entries.'),
    cache: lookupCache,
    binaryAttributes: z.array(attributeName).default([]).describe('Attributes whose values are bytes, besides the usual ones.'),
    referrals: z
      .enum(['unavailable', 'ignore'])
      .default('unavailable')
      .describe('What it means that nobody was found here and the directory names other places: nobody knows, or nobody.'),
    notFoundWhen: z
      .array(z.enum(accountConditions))
      .default([])
      .describe('Accounts in one of these states are not found (excluded).'),
    lockoutDuration: duration
      .optional()
      .describe('How long a lock lasts, where the directory does not compute it (msDS-User-Account-Control-Computed).'),
    withoutLockoutTime: z
      .enum(['unknown', 'notLocked'])
      .default('unknown')
      .describe(
        'What it means that an account has no lockoutTime, where the directory does not compute whether it is locked. notLocked only where lockoutTime can be read: by default a global catalog has it of nobody.',
      ),
    groups: groups.prefault({}).describe('How groups.name and the like are worked out.'),
  })
  .superRefine((document, context) => {
    const refuse = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
    if (document.entries === 'many' && document.notFoundWhen.length > 0) refuse('notFoundWhen', 'is for entries: one');
    if (document.locate) {
      if (document.parameters) refuse('parameters', 'is not allowed beside locate');
      if (document.filter) refuse('filter', 'is not allowed beside locate: each rule has its own');
      if (document.base.isFilled) refuse('base', 'takes no placeholder beside locate: give the rule a base of its own');
    } else if (!document.parameters || !document.filter) {
      refuse('locate', 'is missing: a lookup has either locate, or parameters and a filter');
    } else if (new Set(document.parameters).size < document.parameters.length) {
      refuse('parameters', 'names a parameter twice');
    } else if (!sameNames(parametersOf(document.base, document.filter), document.parameters)) {
      refuse(
        'filter',
        `must use exactly the parameters ${document.parameters.map((name) => `{${name}}`).join(', ')}, unless the base does`,
      );
    }
  })
  .transform(({ base: ownBase, scope: ownScope, locate, parameters = [], filter: ownFilter, ...rest }) => {
    /** By locate rule; a lookup with parameters has one. */
    const questions: readonly LdapQuestion[] = locate
      ? locate.map((rule) => ({ base: rule.base ?? ownBase, scope: scopes[rule.scope ?? ownScope], filter: rule.filter }))
      : [{ base: ownBase, scope: scopes[ownScope], filter: ownFilter! }];
    const properties = { many: rest.entries === 'many', baseScope: questions.every((question) => question.scope === 'base') };
    return {
      ...rest,
      parameters: parameters as readonly string[],
      locate: (locate ?? []).map(({ key, when, fallThrough }): LocateRule => ({ key, when, fallThrough })),
      questions,
      refuses: (attribute: string): string | undefined => refusalOf(attribute, properties),
    };
  });

export type LdapLookup = z.output<typeof ldapLookup>;

function parametersOf(...templates: readonly ({ readonly parameters: ReadonlySet<string> } | undefined)[]): ReadonlySet<string> {
  return new Set(templates.flatMap((template) => [...(template?.parameters ?? [])]));
}

function sameNames(left: ReadonlySet<string>, right: readonly string[]): boolean {
  return left.size === right.length && right.every((name) => left.has(name));
}
