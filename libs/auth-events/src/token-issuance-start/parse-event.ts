import { plainToInstance } from 'class-transformer';
import { validateSync, type ValidationError } from 'class-validator';
import { TokenIssuanceStartDto } from './token-issuance-start.dto.js';
import type { TokenIssuanceStartEvent } from './token-issuance-start-event.js';

/** A part of a body that is not as it must be. `path` is dotted, from the top; the reason never repeats the value. */
export interface BodyIssue {
  readonly path: string;
  readonly reason: string;
}

export type ParsedEvent =
  | { readonly kind: 'event'; readonly event: TokenIssuanceStartEvent }
  | { readonly kind: 'refused'; readonly issues: readonly BodyIssue[] };

const refused = (path: string, reason: string): ParsedEvent => ({ kind: 'refused', issues: [{ path, reason }] });

/** Reads the bytes of a tokenIssuanceStart request (UTF-8 JSON). Unknown properties are ignored at every level. */
export function parseTokenIssuanceStart(body: Uint8Array): ParsedEvent {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return refused('', body.length === 0 ? 'the body is empty' : 'the body is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refused('', 'the body must be an object');
  const dto = plainToInstance(TokenIssuanceStartDto, value, { excludeExtraneousValues: true });
  const errors = validateSync(dto, {
    forbidUnknownValues: true,
    stopAtFirstError: true,
    validationError: { target: false, value: false },
  });
  if (errors.length > 0) return { kind: 'refused', issues: errors.flatMap((error) => issuesOf(error, '')) };
  return { kind: 'event', event: eventOf(dto) };
}

function issuesOf(error: ValidationError, parent: string): readonly BodyIssue[] {
  const name = error.property === 'odataType' ? '@odata.type' : error.property;
  const path = parent === '' ? name : `${parent}.${name}`;
  const own = Object.values(error.constraints ?? {})
    .slice(0, 1)
    .map((reason) => ({ path, reason }));
  return [...own, ...(error.children ?? []).flatMap((child) => issuesOf(child, path))];
}

function eventOf({ source, data }: TokenIssuanceStartDto): TokenIssuanceStartEvent {
  const context = data.authenticationContext;
  return present({
    kind: 'tokenIssuanceStart' as const,
    source,
    tenantId: data.tenantId.toLowerCase(),
    listenerId: data.authenticationEventListenerId.toLowerCase(),
    extensionId: data.customAuthenticationExtensionId.toLowerCase(),
    correlationId: context.correlationId.toLowerCase(),
    client: present({ ...context.client }),
    protocol: context.protocol,
    requestType: context.requestType,
    clientServicePrincipal: withIds(context.clientServicePrincipal),
    resourceServicePrincipal: withIds(context.resourceServicePrincipal),
    user: withIds(context.user),
  });
}

type Present<Type> = {
  [Key in keyof Type as null extends Type[Key] ? never : undefined extends Type[Key] ? never : Key]: Type[Key];
} & {
  [Key in keyof Type as null extends Type[Key] ? Key : undefined extends Type[Key] ? Key : never]?: NonNullable<Type[Key]>;
};

/** A copy without the properties that are null or undefined. */
function present<Type extends object>(value: Type): Present<Type> {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== null && entry !== undefined)) as Present<Type>;
}

function withIds<Type extends { id: string; appId?: string }>(value: Type | null | undefined): Present<Type> | undefined {
  if (value === null || value === undefined) return undefined;
  const copy = present(value);
  return { ...copy, id: value.id.toLowerCase(), ...(value.appId !== undefined && { appId: value.appId.toLowerCase() }) };
}
