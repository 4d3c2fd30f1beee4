/** The properties of a user that Entra's event carries, in Entra's spelling (Microsoft: custom claims provider reference). */
export const subjectProperties = [
  'id',
  'userPrincipalName',
  'userType',
  'displayName',
  'givenName',
  'surname',
  'mail',
  'companyName',
  'createdDateTime',
  'preferredLanguage',
  'preferredDataLocation',
  'onPremisesSamAccountName',
  'onPremisesUserPrincipalName',
  'onPremisesSecurityIdentifier',
] as const;

export type SubjectProperty = (typeof subjectProperties)[number];

/** The person signing in, as the event describes them. A property that the event lacks, or has as null or '', is absent. */
export type Subject = { readonly [property in SubjectProperty]?: string };

/**
 * Properties that the person, or an administrator of another tenant, can set to somebody else's value: a guest brings its own
 * mail, UPN and names. Finding a person by one of them needs `trustUnverified: true` and a condition.
 */
export const unverifiedProperties: ReadonlySet<SubjectProperty> = new Set([
  'userPrincipalName',
  'displayName',
  'givenName',
  'surname',
  'mail',
  'companyName',
  'preferredLanguage',
]);

/**
 * The value by which the person may be looked for: one that somebody else could have set only for a member of the tenant, for whom
 * Entra itself, or the tenant's own administrator, has set it. A guest, or who is not said to be a member, has none.
 */
export function certainKey(subject: Subject, property: SubjectProperty): string | undefined {
  const certain = !unverifiedProperties.has(property) || subject.userType?.toLowerCase() === 'member';
  return certain ? subject[property] : undefined;
}
