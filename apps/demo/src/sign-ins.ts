export type Claims = Readonly<Record<string, string | readonly string[]>>;

/** A sign-in to play, and the claims that must come of it. */
export interface PlannedSignIn {
  /** What is special about it. */
  readonly about: string;
  readonly application: string;
  /** The application that asks for a token of `application`, where it is another one. */
  readonly client?: string;
  /** Without: a service signs in. */
  readonly user?: string;
  readonly expected: Claims;
}

const nobody: Claims = { billingTier: 'free' };

/** The people and applications are those of docker/seeds. */
export const signIns: readonly PlannedSignIn[] = [
  {
    about: 'a member, with a tier from PostgreSQL and department and roles from the directory',
    application: 'billing-portal',
    user: 'adele',
    expected: { billingTier: 'gold', department: 'Finance', customRoles: ['admin', 'reader'] },
  },
  {
    about: 'the same member, another application with another mapping',
    application: 'legacy-hr',
    user: 'adele',
    expected: {
      employeeNumber: '10042',
      fullName: 'Adele Vance',
      costCenter: 'cc-4711',
      immutableId: 'Hi0MXwAAAECAAAAAAAARBA==',
      groups: ['All-Staff', 'Finance-Admins', 'Finance-Readers'],
      departmentHead: 'ben.olsen@corp.example',
      source: 'corp.example',
    },
  },
  {
    about: 'a member without a security identifier, with umlauts and a group whose name has a comma',
    application: 'legacy-hr',
    user: 'zoe',
    expected: {
      employeeNumber: '10108',
      fullName: 'Zoë Müller',
      costCenter: 'cc-0815',
      immutableId: 'Hi0MXwAAAECAAAAAAAARBg==',
      groups: ['All-Staff', 'Works Council, EMEA'],
      departmentHead: 'none',
      source: 'corp.example',
    },
  },
  {
    about: "a guest that carries the chief executive's mail address",
    application: 'billing-portal',
    user: 'guest',
    expected: nobody,
  },
  { about: 'a social account, without a user principal name', application: 'billing-portal', user: 'social', expected: nobody },
  { about: 'a person whom the directory does not know', application: 'billing-portal', user: 'departed', expected: nobody },
  { about: 'an application without a mapping', application: 'cafeteria', user: 'adele', expected: {} },
  { about: 'a service, so an event without a user', application: 'billing-api', expected: nobody },
  {
    about: 'an access token for an API: its claims belong to the API, not to the client',
    application: 'billing-api',
    client: 'billing-portal',
    user: 'adele',
    expected: { billingTier: 'gold', products: ['ledger', 'invoices'] },
  },
];
