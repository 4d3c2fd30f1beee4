import { eventText } from '../e2e/event.js';

/** The application whose tokens are wanted. */
export const applicationId = '3a1c9f52-6d0e-4b7a-8f11-5b2e7c4d9a01';

export const account = {
  dn: 'cn=claimbridge,ou=Services,dc=corp,dc=example',
  password: 'bench-directory-password',
  role: 'claimbridge',
  rolePassword: 'bench-database-password',
};

interface Person {
  readonly upn: string;
  readonly department: string;
  readonly employeeId: string;
  readonly groups: readonly string[];
  readonly tier: string;
  readonly products: readonly string[];
}

const tiers = ['free', 'silver', 'gold', 'platinum'];
const products = ['ledger', 'invoices', 'audit', 'payroll', 'travel'];

/** Nobody else has the same answer. */
function person(number: number): Person {
  return {
    upn: `user${number}@corp.example`,
    department: `Department ${number % 20}`,
    employeeId: `E${100_000 + number}`,
    groups: [`Role-${number % 7}`, `Team-${number % 50}`].toSorted(),
    tier: tiers[number % tiers.length]!,
    products: products.filter((_, index) => (number >> index) % 2 === 0),
  };
}

const everybody = (count: number): readonly Person[] => Array.from({ length: count }, (_, number) => person(number));

/** The directory (RFC 2849). */
export function directoryLdif(count: number): string {
  const people = everybody(count);
  const entry = (dn: string, ...lines: string[]): string => [`dn: ${dn}`, ...lines].join('\n');
  const unit = (name: string): string => entry(`ou=${name},dc=corp,dc=example`, 'objectClass: organizationalUnit', `ou: ${name}`);
  const members = new Map<string, string[]>();
  for (const { upn, groups } of people)
    for (const group of groups) members.set(group, [...(members.get(group) ?? []), `member: ${personDn(upn)}`]);
  return [
    entry('dc=corp,dc=example', 'objectClass: top', 'objectClass: dcObject', 'objectClass: organization', 'dc: corp', 'o: Corp'),
    ...['People', 'Groups', 'Services'].map(unit),
    entry(account.dn, 'objectClass: user', 'cn: claimbridge', 'sAMAccountName: claimbridge', `userPassword: ${account.password}`),
    ...people.map(({ upn, department, employeeId }) =>
      entry(
        personDn(upn),
        'objectClass: user',
        `cn: ${nameOf(upn)}`,
        `sAMAccountName: ${nameOf(upn)}`,
        `userPrincipalName: ${upn}`,
        `displayName: Person ${nameOf(upn)}`,
        `mail: ${upn}`,
        `department: ${department}`,
        `employeeID: ${employeeId}`,
      ),
    ),
    ...[...members].map(([group, lines]) =>
      entry(`cn=${group},ou=Groups,dc=corp,dc=example`, 'objectClass: group', `cn: ${group}`, ...lines),
    ),
    '',
  ].join('\n\n');
}

const nameOf = (upn: string): string => upn.slice(0, upn.indexOf('@'));
const personDn = (upn: string): string => `cn=${nameOf(upn)},ou=People,dc=corp,dc=example`;

/** The database. */
export function databaseSql(count: number): string {
  const rows = everybody(count).map(({ upn, tier, products: owned }) => `('${upn}', '${tier}', '{${owned.join(',')}}')`);
  return `
create schema billing;
create table billing.accounts (upn text primary key, tier text not null, products text[] not null);
insert into billing.accounts (upn, tier, products) values ${rows.join(',\n')};
analyze billing.accounts;
create role ${account.role} login password '${account.rolePassword}';
grant usage on schema billing to ${account.role};
grant select on billing.accounts to ${account.role};`;
}

/** A request for each person, and the only answer that is right for it. */
export interface Exchange {
  readonly body: string;
  readonly answer: string;
}

export function exchanges(count: number, application = applicationId): readonly Exchange[] {
  return everybody(count).map(({ upn, department, employeeId, groups, tier, products: owned }, number) => ({
    body: eventText(application, {
      id: `90847c2a-e29d-4d2f-9f54-${String(number).padStart(12, '0')}`,
      userPrincipalName: upn.replace('corp', 'contoso'),
      userType: 'Member',
      displayName: `Person ${nameOf(upn)}`,
      givenName: 'Person',
      surname: nameOf(upn),
      mail: upn,
      companyName: 'Corp',
      createdDateTime: '2019-03-01T15:23:40Z',
      preferredLanguage: 'en-us',
      onPremisesSamAccountName: nameOf(upn),
      onPremisesUserPrincipalName: upn,
    }),
    answer: JSON.stringify({
      data: {
        '@odata.type': 'microsoft.graph.onTokenIssuanceStartResponseData',
        actions: [
          {
            '@odata.type': 'microsoft.graph.tokenIssuanceStart.provideClaimsForToken',
            claims: {
              tier,
              ...(owned.length > 0 && { products: owned }),
              department,
              employeeNumber: employeeId,
              roles: groups,
            },
          },
        ],
      },
    }),
  }));
}
