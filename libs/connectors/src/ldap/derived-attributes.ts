import { accountAttributes, accountConditions, type AccountCondition, type AccountState } from './account-state.js';
import { groupForms, memberAttributes, type GroupForm } from './group-membership.js';

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
  /** A name that looks like one that is worked out, and is none. */
  readonly unknown: string | undefined;
  /** An attribute for which a search must be of base scope: Active Directory answers others with an error. */
  readonly baseOnly: string | undefined;
}

/** @param conditions the states that decide whether the entry counts */
export function projectionOf(asked: readonly string[], conditions: readonly AccountCondition[]): Projection {
  const account = new Map<string, AccountCondition | 'flags'>();
  const groups = new Map<string, GroupForm>();
  const passedOn: string[] = [];
  let unknown: string | undefined;
  for (const name of asked) {
    const accountName = ignoringCase(['flags', ...accountConditions] as const, 'account.', name);
    const form = ignoringCase(groupForms, 'groups.', name);
    if (accountName) account.set(name, accountName);
    else if (form) groups.set(name, form);
    else if (/^[A-Za-z][^;]*\./.test(name)) unknown ??= name;
    else passedOn.push(name);
  }
  const needed = [
    ...passedOn,
    ...(account.size > 0 || conditions.length > 0 ? accountAttributes : []),
    ...(groups.size > 0 ? memberAttributes : []),
  ];
  const fetched = [...new Map(needed.map((name) => [name.toLowerCase(), name])).values()];
  const baseOnly = passedOn.find((name) => /^(?:msds-)?tokenGroup/i.test(name));
  return { fetched, passedOn, account, groups, unknown, baseOnly };
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
