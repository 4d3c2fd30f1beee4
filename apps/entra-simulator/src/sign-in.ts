import { z } from 'zod';
import type { Caller } from './callout.js';
import { patienceOf, type Application, type SimulatorConfiguration, type Tenant, type User } from './config.js';
import { buildEvent, eventOverrides, type CalloutEvent } from './event.js';
import { passGates, type DroppedClaim } from './gates.js';
import { errorNames, judge, type ClaimValue, type ErrorCode } from './judge.js';
import { SimulatorError } from './simulator-error.js';
import { times, tokenOverrides, uniqueTokenId, type TokenIssuer } from './tokens.js';
const protocols = ['OAUTH2.0', 'SAML', 'WS-FED', 'unknownFutureValue'] as const;
/** Who signs in to what, by the names of the configuration. */
export const signInRequest = z.strictObject({
  /** May be left out where there is one tenant. */
  tenant: z.string().optional(),
  /** Whom the token is for. */
  application: z.string(),
  /** The application that asks for the token; the same by default, which makes it an ID token. */
  client: z.string().optional(),
  /** Without: a service signs in, and the event has no user. */
  user: z.string().optional(),
  protocol: z.enum(protocols).default('OAUTH2.0'),
  overrides: z.strictObject({ token: tokenOverrides.optional(), event: eventOverrides.optional() }).default({}),
});
export type SignInRequest = z.input<typeof signInRequest>;

/** What a sign-in came to: with the token that results, or with the error that the user sees. */
export interface SignIn {
  readonly application: string;
  readonly user?: string;
  readonly correlationId: string;
  /** The body of the callout. */
  readonly event: CalloutEvent;
  readonly callout: {
    /** 0 where the application has no extension. */
    readonly attempts: number;
    /** All attempts together. */
    readonly ms: number;
    /** Of the last attempt. */
    readonly status?: number | undefined;
    readonly response?: unknown;
    readonly errorCode?: ErrorCode;
    readonly errorName?: string;
  };
  /** What the claims provider gave, before the gates. */
  readonly claims?: Readonly<Record<string, ClaimValue>>;
  readonly dropped: readonly DroppedClaim[];
  readonly token?: { readonly kind: TokenKind; readonly claims: Readonly<Record<string, unknown>> };
  readonly error?: { readonly code: string; readonly message: string; readonly detail: string };
}

type TokenKind = 'idToken' | 'accessToken';

export interface SignInParts {
  readonly configuration: SimulatorConfiguration;
  readonly tokens: TokenIssuer;
  readonly caller: Caller;
  /** Instead of each extension's own. */
  readonly targetUrl: string | undefined;
}

/** Plays a sign-in as Entra does: event, callout, judgement, gates, token. */
export async function playSignIn(request: z.output<typeof signInRequest>, parts: SignInParts): Promise<SignIn> {
  const tenant = tenantOf(parts.configuration, request.tenant);
  const resource = pick(tenant.applications, request.application, 'application');
  const client = request.client === undefined ? resource : pick(tenant.applications, request.client, 'client');
  const user = request.user === undefined ? undefined : pick(tenant.users, request.user, 'user');
  const kind = client === resource && user !== undefined ? 'idToken' : 'accessToken';
  const played = { application: request.application, ...(request.user !== undefined && { user: request.user }) };
  const { extension: extensionName, listenerId } = resource;
  const { correlationId, event } = buildEvent(
    {
      tenant,
      extensionId: extensionName === undefined ? '' : tenant.extensions[extensionName]!.id,
      listenerId: listenerId ?? '',
      client,
      resource,
      user,
      protocol: request.protocol,
    },
    request.overrides.event,
  );
  const issue = (claims: ReadonlyMap<string, ClaimValue>): NonNullable<SignIn['token']> => ({
    kind,
    claims: {
      ...builtIn({ tenant, client, resource, user, kind, issuer: parts.tokens.issuer(tenant, 2) }),
      ...Object.fromEntries(claims),
    },
  });
  if (extensionName === undefined)
    return { ...played, correlationId, event, callout: { attempts: 0, ms: 0 }, dropped: [], token: issue(new Map()) };
  const extension = tenant.extensions[extensionName]!;
  const { token: overrides } = request.overrides;
  const token = overrides ? await parts.tokens.mintExtensionToken(tenant, overrides) : await parts.tokens.extensionToken(tenant);
  const { attempts, ms, answer } = await parts.caller.call({
    targetUrl: parts.targetUrl ?? extension.targetUrl,
    token,
    event,
    ...patienceOf(extension),
  });
  const verdict = judge(answer);
  const callout = { attempts, ms, status: answer.status, ...(verdict.response !== undefined && { response: verdict.response }) };
  if (verdict.kind === 'refused') {
    const { errorCode, detail } = verdict;
    return {
      ...played,
      correlationId,
      event,
      callout: { ...callout, errorCode, errorName: errorNames[errorCode] },
      dropped: [],
      // The user sees the general code alone; the particular one is in the sign-in log (Microsoft: troubleshoot custom extensions).
      error: {
        code: 'AADSTS1100001',
        message: 'An error occurred while the custom authentication extension was called.',
        detail: `${errorCode} ${errorNames[errorCode]}: ${detail}`,
      },
    };
  }
  const { emitted, dropped } = passGates(verdict.claims, extension, resource);
  return {
    ...played,
    correlationId,
    event,
    callout,
    claims: Object.fromEntries(verdict.claims),
    dropped,
    token: issue(emitted),
  };
}
/** The tenant of this name; the only one where none is named. */
export function tenantOf({ tenants }: SimulatorConfiguration, name: string | undefined): Tenant {
  if (name !== undefined) return pick(tenants, name, 'tenant');
  const [only, another] = Object.values(tenants);
  if (only === undefined || another !== undefined)
    throw new SimulatorError('signIn.tenant', 400, 'There are several tenants: name one.');
  return only;
}
function pick<Item>(items: Readonly<Record<string, Item>>, name: string, what: string): Item {
  const item = Object.hasOwn(items, name) ? items[name] : undefined;
  if (item !== undefined) return item;
  throw new SimulatorError(
    `signIn.${what}`,
    400,
    `There is no ${what} of this name; there are ${Object.keys(items).join(', ')}.`,
  );
}
/** What Entra puts into a version 2.0 token by itself, in as far as people look for it. */
function builtIn(parts: {
  readonly tenant: Tenant;
  readonly client: Application;
  readonly resource: Application;
  readonly user: User | undefined;
  readonly kind: TokenKind;
  readonly issuer: string;
}): Record<string, unknown> {
  const { tenant, client, resource, user, kind, issuer } = parts;
  const person = user && {
    oid: user.id,
    sub: user.id,
    name: user.displayName,
    preferred_username: user.userPrincipalName ?? user.mail,
  };
  const claims = {
    aud: resource.appId,
    iss: issuer,
    ...times(),
    ...(kind === 'accessToken' && { azp: client.appId }),
    ...(person ?? { oid: client.objectId, sub: client.objectId }),
    tid: tenant.tenantId,
    uti: uniqueTokenId(),
    ver: '2.0',
  };
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined && value !== null));
}
