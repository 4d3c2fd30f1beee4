import { accountAttributes, accountConditions, type AccountCondition, type AccountState } from './account-state.js';

/**
 * The forms in which a person's groups are given, as `groups.name` and so on; the qualified ones have the names that AD FS has for
 * them, as in `tokenGroups(domainQualifiedName)`.
 */
const groupForms = ['name', 'domainQualifiedName', 'longDomainQualifiedName', 'sid', 'dn'] as const;
export type GroupForm = (typeof groupForms)[number];

const accountNames = ['flags', ...accountConditions] as const;

/** What is needed of a person, besides the name, to work groups out. */
const memberAttributes = ['objectSid', 'primaryGroupID'];

/**
 * What a lookup must fetch and work out for the attributes that were asked for. Names with a dot are worked out: no attribute of a
 * directory has one, but an object identifier, which begins with a digit (RFC 4512 §1.4).
 */
export interface Projection {
  /** To ask the directory for; empty: nothing but whether there is an entry. */
  readonly fetched: readonly string[];
  /** Those of them that the answer has. */
  readonly passedOn: readonly string[];
  readonly account: ReadonlyMap<string, AccountCondition | 'flags'>;
  readonly groups: ReadonlyMap<string, GroupForm>;
}

/** @param conditions the states that decide whether the entry counts */
export function projectionOf(asked: readonly string[], conditions: readonly AccountCondition[]): Projection {
  const account = new Map<string, AccountCondition | 'flags'>();
  const groups = new Map<string, GroupForm>();
  const passedOn: string[] = [];
  for (const name of asked) {
    const accountName = ignoringCase(accountNames, 'account.', name);
    const form = ignoringCase(groupForms, 'groups.', name);
    if (accountName) account.set(name, accountName);
    else if (form) groups.set(name, form);
    else passedOn.push(name);
  }
  const needed = [
    ...passedOn,
    ...(account.size > 0 || conditions.length > 0 ? accountAttributes : []),
    ...(groups.size > 0 ? memberAttributes : []),
  ];
  const fetched = [...new Map(needed.map((name) => [name.toLowerCase(), name])).values()];
  return { fetched, passedOn, account, groups };
}

/** Why a lookup cannot answer an attribute of this name. */
export function refusalOf(
  attribute: string,
  lookup: { readonly many: boolean; readonly baseScope: boolean },
): string | undefined {
  const isWorkedOut =
    ignoringCase(accountNames, 'account.', attribute) !== undefined ||
    ignoringCase(groupForms, 'groups.', attribute) !== undefined;
  if (isWorkedOut) return lookup.many ? 'it is worked out for one entry, and the lookup has entries: many' : undefined;
  if (/^[A-Za-z][^;]*\./.test(attribute))
    return `there are ${accountNames.map((name) => `account.${name}`).join(', ')}, ${groupForms.map((form) => `groups.${form}`).join(', ')}`;
  // Active Directory answers others with an error, after which the connection counts as not authenticated.
  return /^(?:msds-)?tokenGroup/i.test(attribute) && !lookup.baseScope ? 'it needs scope: base; groups.sid does not' : undefined;
}

/** The texts of `account.…`; undefined where the directory does not say. */
export function accountValue(state: AccountState, wanted: AccountCondition | 'flags'): readonly string[] | undefined {
  if (wanted === 'flags') return state.flags;
  const is = state.is(wanted);
  return is === undefined ? undefined : [String(is)];
}

function ignoringCase<Name extends string>(names: readonly Name[], prefix: string, asked: string): Name | undefined {
  return names.find((name) => `${prefix}${name}`.toLowerCase() === asked.toLowerCase());
}
