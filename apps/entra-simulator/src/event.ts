import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Application, Tenant, User } from './config.js';
import { SimulatorError } from './simulator-error.js';

/** The body of the callout, as JSON. */
export type CalloutEvent = Record<string, unknown>;

/** What a test wants otherwise in an event. Places are JSON Pointers (RFC 6901), such as `/data/authenticationContext/user/mail`. */
export const eventOverrides = z.strictObject({
  /** Properties of the user; null is sent as null. */
  user: z.record(z.string(), z.unknown()).optional(),
  set: z.record(z.string(), z.unknown()).optional(),
  remove: z.array(z.string()).optional(),
});

export type EventOverrides = z.output<typeof eventOverrides>;

export interface EventParts {
  readonly tenant: Tenant;
  readonly extensionId: string;
  readonly listenerId: string;
  /** The application that the person signs in to. */
  readonly client: Application;
  /** Whom the token is for. */
  readonly resource: Application;
  /** Absent where a service signs in: the event then has no user. */
  readonly user?: User | undefined;
  readonly protocol: string;
}

/** The tokenIssuanceStart event, field by field as Microsoft's reference of custom claims providers has it. */
export function buildEvent(
  parts: EventParts,
  overrides: EventOverrides = {},
): { readonly correlationId: string; readonly event: CalloutEvent } {
  const { tenant, client, resource, user, protocol } = parts;
  if (user === undefined && overrides.user !== undefined)
    throw new SimulatorError('signIn.noUser', 400, 'There is no user whose properties could be overridden.');
  const correlationId = randomUUID();
  const event: CalloutEvent = {
    type: 'microsoft.graph.authenticationEvent.tokenIssuanceStart',
    source: `/tenants/${tenant.tenantId}/applications/${resource.appId}`,
    data: {
      '@odata.type': 'microsoft.graph.onTokenIssuanceStartCalloutData',
      tenantId: tenant.tenantId,
      authenticationEventListenerId: parts.listenerId,
      customAuthenticationExtensionId: parts.extensionId,
      authenticationContext: {
        correlationId,
        client: { ip: '192.0.2.10', locale: 'en-us', market: 'en-us' },
        protocol,
        clientServicePrincipal: servicePrincipal(client),
        resourceServicePrincipal: servicePrincipal(resource),
        ...(user !== undefined && { user: { ...user, ...overrides.user } }),
      },
    },
  };
  for (const [pointer, value] of Object.entries(overrides.set ?? {}))
    change(event, pointer, (parent, name) => void (parent[name] = value));
  for (const pointer of overrides.remove ?? []) change(event, pointer, (parent, name) => delete parent[name]);
  return { correlationId, event };
}

function servicePrincipal({ objectId, appId, displayName }: Application): object {
  return { id: objectId, appId, appDisplayName: displayName, displayName };
}

function change(event: CalloutEvent, pointer: string, act: (parent: Record<string, unknown>, name: string) => void): void {
  const names = pointer.split('/').map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = names.pop()!;
  let parent: unknown = names.shift() === '' ? event : undefined;
  for (const name of names) parent = isObject(parent) && Object.hasOwn(parent, name) ? parent[name] : undefined;
  if (!isObject(parent) || last === '__proto__')
    throw new SimulatorError('signIn.pointer', 400, `The event has nothing that holds ${pointer} (a JSON Pointer, RFC 6901).`);
  act(parent, last);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
