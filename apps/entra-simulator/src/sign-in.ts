import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Caller } from './callout.js';
import { patienceOf, type Application, type SimulatorConfiguration, type Tenant, type User } from './config.js';
import { buildEvent, eventOverrides, type CalloutEvent } from './event.js';
import { passGates, type DroppedClaim } from './gates.js';
import { errorNames, judge, type ClaimValue, type ErrorCode, type Verdict } from './judge.js';
import { SimulatorError } from './simulator-error.js';
import { times, tokenOverrides, uniqueTokenId, type TokenIssuer } from './tokens.js';

/** A sign-in to play. Everything is named by its key in the configuration. */
export const signInRequest = z.strictObject({
  /** The only tenant, where it is left out. */
  tenant: z.string().optional(),
  /** Whom the token is for. */
  application: z.string(),
  /** Who asks for it: the application itself by default (an ID token), else another (an access token). */
  client: z.string().optional(),
  /** Absent where a service signs in (client credentials). */
  user: z.string().optional(),
  protocol: z.string().default('OAUTH2.0'),
  overrides: z.strictObject({ token: tokenOverrides.optional(), ...eventOverrides.shape }).default({}),
});

export type SignInRequest = z.input<typeof signInRequest>;

/** What the callout came to, as the sign-in log of Entra would show it. */
export interface CalloutReport {
  readonly attempts: number;
  /** Of the last attempt; absent where none came. */
  readonly status?: number;
  /** All attempts together. */
  readonly ms: number;
  readonly errorCode?: ErrorCode;
  readonly errorName?: string;
  /** Where the answer is wrong. Never has a claim's value. */
  readonly detail?: string;
  /** The body, where it was JSON. */
  readonly response?: unknown;
}

/** A sign-in that was played: with the token that results, or with the error that the person sees. */
export interface PlayedSignIn {
  readonly correlationId?: string;
  readonly application: string;
  readonly user?: string;
  /** The body of the callout. Absent, like the callout, where the application has no extension. */
  readonly event?: CalloutEvent;
  readonly callout?: CalloutReport;
  /** What the claims provider gave, before the gates. */
  readonly claims: Readonly<Record<string, ClaimValue>>;
  readonly dropped: readonly DroppedClaim[];
  readonly token?: { readonly type: 'id' | 'access'; readonly claims: Readonly<Record<string, unknown>> };
  readonly error?: {
    readonly code: 'AADSTS1100001';
    readonly message: string;
    readonly detailCode: ErrorCode;
    readonly detailName: string;
  };
}

export interface SignInParts {
  readonly configuration: SimulatorConfiguration;
  readonly tokens: TokenIssuer;
  readonly caller: Caller;
}

/**
 * Plays a sign-in: event, callout, judgement, gates, token. A provider that fails makes a sign-in that fails, not an error.
 * @throws SimulatorError where the request names what the configuration does not have
 */
export async function playSignIn(
  { configuration, tokens, caller }: SignInParts,
  request: z.output<typeof signInRequest>,
): Promise<PlayedSignIn> {
  const tenant = tenantOf(configuration, request.tenant);
  const resource = named('application', tenant.applications, request.application);
  const client = request.client === undefined ? resource : named('application', tenant.applications, request.client);
  const user = request.user === undefined ? undefined : named('user', tenant.users, request.user);
  const base = { application: request.application, ...(request.user !== undefined && { user: request.user }) };
  const token = (emitted: ReadonlyMap<string, ClaimValue>) => ({
    type: client === resource && user !== undefined ? ('id' as const) : ('access' as const),
    claims: tokenClaims({ issuer: tokens.issuer(tenant, 2), tenant, client, resource, user }, emitted),
  });
  if (resource.extension === undefined || resource.listenerId === undefined)
    return { ...base, claims: {}, dropped: [], token: token(new Map()) };

  const extension = tenant.extensions[resource.extension]!;
  const { token: tokenChanges, ...eventChanges } = request.overrides;
  const { correlationId, event } = buildEvent(
    { tenant, extensionId: extension.id, listenerId: resource.listenerId, client, resource, user, protocol: request.protocol },
    eventChanges,
  );
  const called = await caller.call({
    targetUrl: extension.targetUrl,
    token:
      tokenChanges === undefined ? await tokens.extensionToken(tenant) : await tokens.mintExtensionToken(tenant, tokenChanges),
    event,
    ...patienceOf(extension),
  });
  const verdict = judge(called.answer);
  const callout = reportOf(called, verdict);
  if (verdict.kind === 'refused')
    return { correlationId, ...base, event, callout, claims: {}, dropped: [], error: errorOf(verdict.errorCode, correlationId) };
  const { emitted, dropped } = passGates(verdict.claims, extension, resource);
  return { correlationId, ...base, event, callout, claims: Object.fromEntries(verdict.claims), dropped, token: token(emitted) };
}

/**
 * The tenant with this alias; without one, the only tenant.
 * @throws SimulatorError where there is none
 */
export function tenantOf({ tenants }: SimulatorConfiguration, alias: string | undefined): Tenant {
  if (alias !== undefined) return named('tenant', tenants, alias);
  const [only, ...others] = Object.values(tenants);
  if (only === undefined || others.length > 0)
    throw new SimulatorError('tenant.unnamed', 400, 'There are several tenants: name one.');
  return only;
}

function named<Entry>(kind: string, entries: Readonly<Record<string, Entry>>, key: string): Entry {
  const entry = Object.hasOwn(entries, key) ? entries[key] : undefined;
  if (entry === undefined)
    throw new SimulatorError(`${kind}.unknown`, 400, `There is no ${kind} ${JSON.stringify(key)} in the configuration.`);
  return entry;
}

function reportOf(
  { attempts, ms, answer }: { attempts: number; ms: number; answer: { status?: number } },
  verdict: Verdict,
): CalloutReport {
  return {
    attempts,
    ...(answer.status !== undefined && { status: answer.status }),
    ms,
    ...(verdict.kind === 'refused' && {
      errorCode: verdict.errorCode,
      errorName: errorNames[verdict.errorCode],
      detail: verdict.detail,
    }),
    ...('response' in verdict && { response: verdict.response }),
  };
}

/** The person sees the general code only; the detail is in the sign-in log. */
function errorOf(detailCode: ErrorCode, correlationId: string): NonNullable<PlayedSignIn['error']> {
  const message = `AADSTS1100001: Non-retryable error has occurred. Correlation ID: ${correlationId}`;
  return { code: 'AADSTS1100001', message, detailCode, detailName: errorNames[detailCode] };
}

interface TokenParts {
  readonly issuer: string;
  readonly tenant: Tenant;
  readonly client: Application;
  readonly resource: Application;
  readonly user: User | undefined;
}

function tokenClaims(parts: TokenParts, emitted: ReadonlyMap<string, ClaimValue>): Record<string, unknown> {
  const { issuer, tenant, client, resource, user } = parts;
  const person = user && {
    ...(typeof user.displayName === 'string' && { name: user.displayName }),
    ...(typeof user.userPrincipalName === 'string' && { preferred_username: user.userPrincipalName }),
  };
  return {
    aud: resource.appId,
    iss: issuer,
    ...times(),
    ...((client !== resource || user === undefined) && { azp: client.appId, azpacr: user === undefined ? '1' : '0' }),
    ...person,
    oid: user?.id ?? client.objectId,
    sub: user === undefined ? client.objectId : pairwiseSubject(user, resource),
    tid: tenant.tenantId,
    uti: uniqueTokenId(),
    ver: '2.0',
    ...Object.fromEntries(emitted),
  };
}

/** A person has another `sub` at each application (OpenID Connect Core §8.1). */
function pairwiseSubject(user: User, application: Application): string {
  return createHash('sha256').update(`${user.id} ${application.appId}`).digest('base64url');
}
