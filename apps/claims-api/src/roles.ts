import { RequireRole } from '#entra-auth';

/** The app roles of the admin API, as they stand in its app registration. */
export const claimsRoles = ['Claims.Read', 'Claims.Edit', 'Claims.Publish', 'Claims.Preview', 'Claims.ReadValues'] as const;
export type ClaimsRole = (typeof claimsRoles)[number];

/** Operators with one of these roles may use the route, or every route of the controller that says nothing else. */
export const RequireClaimsRole = (...roles: [ClaimsRole, ...ClaimsRole[]]): ReturnType<typeof RequireRole> =>
  RequireRole(...roles);
