import type { AdminClient } from '../api/admin-client.js';
import { CommandError, exitCodes, type ExitCode } from '../exit-codes.js';
import type { Output } from '../output.js';
import { emittedNames, registrationPlan, type RegistrationStep } from './registration-plan.js';

export interface EntraPlanOptions {
  readonly tenant: string;
  readonly application: string;
  /** Where Entra reaches the service: https://claims.contoso.com, or the address at a gateway, with the query that it asks for. */
  readonly endpoint: string;
  readonly saml?: boolean;
}

/** What GET /admin/v1/registration answers. */
interface Registration {
  readonly tenantId: string;
  readonly audience: readonly string[];
  readonly timeoutMs: number;
  readonly eventPath: string;
  readonly mappings: readonly { readonly name: string; readonly revision: string }[];
  readonly claims: readonly { readonly name: string; readonly restricted: readonly ('jwt' | 'saml')[] }[];
}

/** Prints the registration of an application's claims in Entra, for review. Nothing is sent anywhere but to the admin API. */
export async function entraPlan(api: AdminClient, output: Output, options: EntraPlanOptions): Promise<ExitCode> {
  const { tenant, application, endpoint, saml = false } = options;
  const base = baseOf(endpoint);
  const registration = (await api.call('GET', '/admin/v1/registration', { query: { tenant, application } })).body as Registration;
  const kind = saml ? 'saml' : 'jwt';
  const restricted = registration.claims.filter((claim) => claim.restricted.includes(kind)).map(({ name }) => name);
  const claims = registration.claims.map(({ name }) => name);
  const names = emittedNames(claims, restricted);
  const apiAppId = registration.audience.find((audience) => /^[0-9a-f-]{36}$/i.test(audience));
  if (apiAppId === undefined)
    throw new CommandError(
      exitCodes.findings,
      `the tenant ${tenant} has no client id among its audiences`,
      'Version 2 tokens carry the client id of the API’s app registration: add it to tenants.*.audience.',
    );
  const steps = registrationPlan({
    tenantId: registration.tenantId,
    apiAppId,
    targetUrl: targetOf(base, registration.eventPath),
    timeout: registration.timeoutMs,
    application,
    mappings: registration.mappings,
    claims,
    restricted,
    saml,
  });
  output.result({ steps, restricted }, () => [
    ...steps.flatMap(stepLines),
    ...restricted.map((name) =>
      output.bad(
        `! ${name} is a restricted name: in the token it is ${names.get(name)}, or any other name that you write into the policy.`,
      ),
    ),
  ]);
  return exitCodes.ok;
}

function baseOf(endpoint: string): URL {
  const base = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (base?.protocol !== 'https:')
    throw new CommandError(
      exitCodes.usage,
      'the endpoint must be https://',
      'Entra calls no other. Such as --endpoint https://claims.contoso.com.',
    );
  if (base.hash !== '' || base.username !== '' || base.password !== '')
    throw new CommandError(
      exitCodes.usage,
      'the endpoint must have no user, password or fragment',
      'Entra posts to its host, path and query, with a token of its own.',
    );
  return base;
}

/** A gateway passes on what is behind its own path; Entra keeps a query. */
function targetOf(base: URL, eventPath: string): string {
  const target = new URL(base);
  const path = target.pathname.replace(/\/+$/, '');
  target.pathname = path.endsWith(eventPath) ? path : `${path}${eventPath}`;
  return target.href;
}

function stepLines({ title, why, method, path, body }: RegistrationStep, index: number): readonly string[] {
  return [
    `${index + 1}. ${title}`,
    `   ${why}`,
    ...(method === undefined ? [] : [`   ${method} https://graph.microsoft.com${path}`]),
    ...(body === undefined
      ? []
      : JSON.stringify(body, undefined, 2)
          .split('\n')
          .map((line) => `   ${line}`)),
    '',
  ];
}
